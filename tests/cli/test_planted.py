"""The command `planted`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recbole_invariant.cli.main import main
from recbole_invariant.cli.planted import read_values
from recbole_invariant.cli.planted_help import descriptions, option_lines
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.data.planted.sequence_options import SequenceOptions

SMALL = ["--users", "40", "--items=50"]


def test_it_writes_a_dataset_and_says_how_to_train_on_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "planted"
    words = ["planted", "--out", str(folder), "--seed", "3", *SMALL, "--shares=[0.6,0.4]"]
    assert main([*words, "--modalities=[look,sound]", "--style_strength=2"]) == 0
    said = capsys.readouterr().out
    assert f"--dataset planted --data_path {tmp_path}" in said
    assert "--config_files" not in said
    assert "train 800" in said
    assert np.load(folder / "planted.sound.npy").shape == (50, 32)
    assert main([*words, "--modalities=[look,sound]", "--style_strength=2"]) == 0
    assert "the same data are in" in capsys.readouterr().out


def test_another_name_is_told_where_its_options_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["planted", "--out", str(tmp_path / "mine"), *SMALL]) == 0
    said = capsys.readouterr().out
    assert "--dataset mine" in said
    assert "--config_files" in said
    assert (tmp_path / "mine" / "mine.train.inter").is_file()


@pytest.mark.parametrize(
    "changed",
    [
        ["--spurious_dims", "0", "--style_strength", "0", "--noise_dims=22"],
        ["--shares=[0.5,0.5]", "--style_spread", "0", "--items=50"],
        ["--shares=[0.3,0.25,0.2,0.15,0.1]", "--environment_level", "user"],
        ["--items", "8000", "--tastes", "2"],
    ],
)
def test_worlds_of_other_laws(changed: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "planted"
    assert main(["planted", "--out", str(folder), "--users", "40", *changed]) == 0
    truth = pd.read_parquet(folder / "planted.truth_interactions.parquet")
    kinds = pd.read_parquet(folder / "planted.truth_features.parquet")["kind"]
    recipe = json.loads((folder / "planted.planted.json").read_text())
    assert truth["environment"].nunique() == len(recipe["shares"])
    assert (kinds == "spurious").sum() == 3 * recipe["spurious_dims"]
    assert len(kinds) == 3 * 32
    of_a_user = truth.groupby("user_id")["environment"].nunique()
    assert (of_a_user.max() == 1) == (recipe["environment_level"] == "user")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "planted needs --out DIR"),
        (["--out=w/{seed}/x"], "e.g. --out w/0/x --seed 0"),
        (["--out=x", "--kind=sequence"], "Did you mean 'sequences'"),
        (["--out=x", "--kind=sequences", "--preset=m"], "expected one of M, S, W, Q"),
        (["--out=x", "--kind=sequences", "--training_cue=non"], "Did you mean 'none'"),
        (["--out=x", "--kind=sequences", "--style_strength=2"], "no option --style_strength"),
        (["--out=x", "--preset=M"], "planted has no option --preset"),
        (["--out=x", "--kind=item"], "Did you mean 'items'"),
        (["--out=x", "--user=3"], "Did you mean 'users'"),
        (["--out=x", "--users=many"], "--users: expected a whole number, not 'many'"),
        (["--out=x", "--shares=a"], "--shares: expected a list such as"),
        (["--out=x", "--seed=-1"], "--seed: expected a whole number >= 0"),
        (["--out=x", "--environment_level=clik"], "Did you mean 'click'"),
        (["--out=x", "--tastes=two"], "--tastes: expected a whole number, not 'two'"),
        (["--out=x", "--items=20"], "a user clicks 36 different items"),
        (["--out=x", "--config_files", "a.yaml"], "takes no --config_files"),
    ],
)
def test_mistakes_are_one_message(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["planted", *words]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "kind", "shown"),
    [
        ([], PlantedOptions, "--shares=[0.5,0.3,0.2]\n      probability of each"),
        (["--kind=sequences"], SequenceOptions, "--training_cue=environments\n"),
    ],
)
def test_help_lists_every_option_with_its_default(
    words: list[str], kind: type, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["planted", *words, "--help"]) == 0

    said = capsys.readouterr().out
    assert shown in said
    assert ("--preset" in said) == bool(words)
    for field, default in vars(kind()).items():
        if not isinstance(default, tuple):
            assert f"  --{field}={default}\n      " in said
    assert set(descriptions(kind)) == set(vars(kind()))
    assert "b is 0 in the training and validation rows" in said or not words


def test_the_defaults_shown_are_what_the_command_takes() -> None:
    for kind in (PlantedOptions, SequenceOptions):
        given = dict(line.strip()[2:].split("\n")[0].split("=", 1) for line in option_lines(kind))
        assert kind(**read_values(kind, given)) == kind()
