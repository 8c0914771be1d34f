"""The tables that benchmarks/planted_shift.py writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import planted_shift
from benchmarks.planted_shift import command_of, main, read_arguments, write_worlds
from benchmarks.planted_shift_plan import (
    BASELINE,
    LINES,
    ORACLE,
    SETTINGS,
    WORLDS,
    differences,
    parse_seed_list,
)
from recbole_invariant.cli.planted import read_values
from recbole_invariant.comparison import compare as compare_module
from recbole_invariant.comparison.compare import plan_comparison
from recbole_invariant.comparison.execute import Outcome, write_label
from recbole_invariant.comparison.plan import PlannedRun
from recbole_invariant.config import build_config
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.errors import InputError
from recbole_invariant.quick_start import run as run_once

SMALL = PlantedOptions(users=20, items=60)


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_is_what_the_command_planted_makes_of_its_options(name: str) -> None:
    words = dict(word.removeprefix("--").split("=", 1) for word in differences(WORLDS[name]))
    options = PlantedOptions(**WORLDS[name])
    assert PlantedOptions(**read_values(PlantedOptions, words)) == options
    assert options.dims == 32
    assert (options == PlantedOptions()) == (name == "flip")


@pytest.fixture(scope="module")
def data_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("world")
    write_worlds(SMALL, [0], folder)
    return str(folder / "0")


def test_every_line_is_a_model_with_options_that_it_knows(data_path: str) -> None:
    assert all({BASELINE, ORACLE} <= set(lines) for lines in LINES.values())
    different = list(dict.fromkeys(line for lines in LINES.values() for line in lines))
    plan = plan_comparison(different, "planted", [0], command_line={"data_path": data_path})
    assert len({run.folder for run in plan.runs}) == len(different)


def test_setting_c_gives_all_models_over_ultragcn_the_same_decay(data_path: str) -> None:
    files = [str(file) for file in SETTINGS["C"]]
    for model in ("UltraGCNF", "PaInvRL", "InvRL"):
        config = build_config(model, "planted", {"data_path": data_path}, files)
        wanted: dict[str, Any] = {
            "learning_rate": 0.01,
            "embedding_decay": 0.01,
            "item_decay_ratio": 5.0,
            "projection_decay": 0.01,
            "n_negatives": 5,
            "neighbour_weight": 0.0,
            "epochs": 32,
            "embedding_size": 16,
            "content_embedding_size": 16,
            "train_batch_size": 512,
            "eval_step": 1,
        }
        if model != "UltraGCNF":
            wanted |= {
                "pretrain_item_decay_ratio": 5.0,
                "pretrain_projection_decay": 0.01,
                "pretrain_epochs": 32,
            }
        assert {key: config[key] for key in wanted} == wanted
        assert config["stopping_step"] == 8


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6, unique=True))
def test_seeds_are_read_as_they_are_written(seeds: list[int]) -> None:
    assert parse_seed_list(",".join(map(str, seeds))) == seeds
    first, last = min(seeds), max(seeds)
    assert parse_seed_list(f"{first}-{last}") == list(range(first, last + 1))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds=2-0"], "expected seeds >= 0 such as"),
        (["--seeds=a"], "expected seeds >= 0 such as"),
        (["--seeds=0-2,1"], "names a seed twice"),
        (["--seeds=0", "--world=flop"], "Did you mean 'flip'"),
        (["--seeds=0", "--setting=B"], "--setting: expected one of own, C, not 'B'"),
        (["--seeds=0", "--lines=headlines"], "Did you mean 'headline'"),
        (["--seeds=0", "--items=9"], "a user clicks 36 different items"),
    ],
)
def test_mistakes_write_nothing(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_worlds_that_are_there_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_worlds(SMALL, [0, 1], tmp_path) == [0, 1]
    assert (tmp_path / "1" / "planted" / "planted.train.inter").is_file()
    (tmp_path / "1" / "planted" / "planted.planted.json").unlink()
    assert write_worlds(SMALL, [0, 1, 2], tmp_path) == [1, 2]
    with pytest.raises(InputError, match="another seed or size"):
        write_worlds(PlantedOptions(users=21, items=60), [0], tmp_path)
    monkeypatch.setattr(planted_shift, "generate", lambda *_: pytest.fail("drawn again"))
    assert write_worlds(SMALL, [0, 1, 2], tmp_path) == []


def test_the_command_shown_is_without_this_machine() -> None:
    words = ["--world=weak", "--seeds=0-2", "--out=/tmp/here", "--jobs=2", "--markdown=docs/a.md"]
    assert command_of(read_arguments(words)) == (
        "python -m benchmarks.planted_shift --world weak --seeds 0-2 --setting C --lines headline "
        "--out DIR --markdown docs/a.md"
    )


def run_here(runs: Sequence[PlannedRun], *_: Any, **__: Any) -> list[Outcome]:
    """Do what `execute` does, in this process: starting another takes longer than these runs."""
    for run in runs:
        run_once(
            run.model, run.dataset, run.config, run.config_files, run.folder.parent,
            run.folder.name, run.command_line,
        )  # fmt: skip
        write_label(run)
    return [Outcome(run, 0.0) for run in runs]


def test_a_table_of_a_tiny_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    short = tmp_path / "short.yaml"
    short.write_text("models:\n  UltraGCNF: {epochs: 1}\n  PaInvRL: {epochs: 1}\n")
    monkeypatch.setattr(compare_module, "execute", run_here)
    monkeypatch.setitem(SETTINGS, "tiny", (*SETTINGS["C"], short))
    monkeypatch.setitem(LINES, "two", (BASELINE, ORACLE))
    page = tmp_path / "page.md"
    words = ["--world=no-spurious", "--setting=tiny", "--lines=two", "--seeds=0"]
    words += ["--users=20", "--items=60", f"--out={tmp_path / 'out'}", f"--markdown={page}"]
    assert main(words) == 0
    text = page.read_text()
    assert "## World no-spurious, setting tiny: two" in text
    assert "--spurious_dims=0 --noise_dims=22 --style_strength=0.0 --users=20" in text
    assert str(tmp_path / "out") not in text
    lines = {
        line.split("|")[1].strip(): line.split("|") for line in text.splitlines() if "|" in line
    }
    assert lines[f"{ORACLE} (sees the truth)"][11].strip() == "1.00 / - / 0.00"
    assert lines[BASELINE][11].strip() == "-"
    assert lines[f"{ORACLE} (sees the truth)"][9].strip() == "1.00"
    assert 0 < float(lines[BASELINE][2]) < 1
    assert (tmp_path / "out" / "no-spurious-tiny" / "table.md").is_file()
    capsys.readouterr()
    assert main(words) == 0
    assert "0 of 1 worlds written" in (said := capsys.readouterr().out)
    assert "2 of 2 runs are done already" in said
    assert page.read_text().count("planted_shift: no-spurious tiny two begin") == 1
