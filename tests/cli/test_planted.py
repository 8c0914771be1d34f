"""The command `planted`."""

from pathlib import Path

import numpy as np
import pytest

from recbole_invariant.cli.main import main

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
    ("words", "message"),
    [
        ([], "planted needs --out DIR"),
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
