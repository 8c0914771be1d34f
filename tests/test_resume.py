"""Runs that were stopped at some point of their way, and what goes on with them."""

import json
import os
import re
import signal
from logging import getLogger
from pathlib import Path
from typing import Any

import pytest
import torch

from recbole_invariant import quick_start, single_run, training
from recbole_invariant.cli.main import main
from recbole_invariant.errors import InputError
from recbole_invariant.folder_lock import only_here
from recbole_invariant.quick_start import RunResult, run
from recbole_invariant.trainer.host_stage import HostStage
from tests.host import write_toy

QUICK: dict[str, Any] = {
    "epochs": 3, "use_gpu": False, "show_progress": False, "train_batch_size": 128, "topk": [5],
    "valid_metric": "NDCG@5", "ood": "popularity", "positive_threshold": 2,
}  # fmt: skip
COMPANIONS: dict[str, Any] = {
    "baselines": ["Pop", "LightGCN"],
    "baseline_options": {"LightGCN": {"epochs": 2}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("resume")
    write_toy(path, n_users=40, ratings=True)
    return path


@pytest.fixture(autouse=True)
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_run, "draw_plots", lambda *_: None)


def toy(folder: Path, name: str, /, model: str = "BPR", **options: Any) -> RunResult:
    config = {**QUICK, "data_path": str(folder), **options}
    return run(model, "toy", config=config, output_dir=folder / "runs", run_name=name)


@pytest.fixture(scope="module")
def whole(folder: Path) -> RunResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(single_run, "draw_plots", lambda *_: None)
        return toy(folder, "whole", **COMPANIONS)


def stop_at(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, calls: int = 1, send: bool = False
) -> None:
    """Interrupt a run at a call of a function, or after it by a signal."""
    original, counted = getattr(owner, name), []

    def stopping(*arguments: Any, **named: Any) -> Any:
        counted.append(1)
        if len(counted) == calls and not send:
            raise KeyboardInterrupt
        result = original(*arguments, **named)
        if len(counted) == calls:
            os.kill(os.getpid(), signal.SIGINT)
        return result

    monkeypatch.setattr(owner, name, stopping)


def stopped(folder: Path, name: str, **options: Any) -> Path:
    with pytest.raises(KeyboardInterrupt) as caught:
        toy(folder, name, **options)
    path = folder / "runs" / name
    assert f"--resume {path}" in caught.value.__notes__[0]
    assert not (path / "table.md").exists()
    return path


def same(one: RunResult, other: RunResult) -> None:
    assert one.metrics == other.metrics
    assert one.run_dir is not None
    assert other.run_dir is not None
    weights = [(each.run_dir / "model.safetensors").read_bytes() for each in (one, other)]  # type: ignore[operator]
    assert weights[0] == weights[1]
    assert list(one.baselines) == list(other.baselines)
    for name, baseline in one.baselines.items():
        assert baseline.metrics == other.baselines[name].metrics
    for key in ("selection", "n_interactions", "split_checksum", "diagnostics", "notes"):
        assert one.record[key] == other.record[key], key
    for label, option in one.record["options"].items():
        assert option == other.record["options"][label], label
    lines = [
        [{**json.loads(line), "seconds": 0} for line in (each.run_dir / "history.jsonl").open()]  # type: ignore[operator]
        for each in (one, other)
    ]
    assert lines[0] == lines[1]


@pytest.mark.parametrize(
    ("owner", "name", "calls", "send"),
    [
        (quick_start, "train_once", 1, False),  # nothing but the start is written
        (training, "prepare", 1, False),
        (HostStage, "step", 3, True),  # within an epoch
        (single_run, "measure_tests", 1, False),  # trained
        (single_run, "measure_tests", 3, False),  # in the second baseline
        (quick_start, "_finish", 1, False),  # all but the table
    ],
)
def test_a_stopped_run_goes_on_to_the_same_end(
    owner: Any, name: str, calls: int, send: bool, whole: RunResult, folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(single_run, "draw_plots", lambda *_: None)
        stop_at(patch, owner, name, calls, send)
        path = stopped(folder, f"{name}-{calls}", **COMPANIONS)
    if send:
        assert (path / "checkpoint" / "last.safetensors").is_file()
    same(whole, run(resume=path))
    told = r"resume: going on in epoch \d of train, after \d of its steps"
    assert bool(re.search(told, (path / "log.txt").read_text())) == send


def test_a_run_that_is_trained_trains_no_more(
    whole: RunResult, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(single_run, "draw_plots", lambda *_: None)
        stop_at(patch, single_run, "measure_tests")
        path = stopped(folder, "trained")

    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(HostStage, "step", refuse)
    assert run(resume=path).metrics == whole.metrics


def test_a_finished_run_shows_its_table_again(
    whole: RunResult, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert whole.run_dir is not None
    before = {path: path.stat().st_mtime_ns for path in whole.run_dir.rglob("*") if path.is_file()}
    assert main(["--resume", str(whole.run_dir)]) == 0
    shown = capsys.readouterr().out
    assert f"{whole.run_dir} is finished" in shown
    assert whole.table in shown
    after = {path: path.stat().st_mtime_ns for path in whole.run_dir.rglob("*") if path.is_file()}
    assert after == before


def test_options_that_change_the_result_are_refused_and_others_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_at(patch, single_run, "train")
        path = stopped(folder, "options")
    before = {one: one.read_bytes() for one in path.rglob("*") if one.is_file()}
    with pytest.raises(InputError) as caught:
        run("LightGCN", "ml-100k", resume=path)
    assert [text.split(":")[0] for text in caught.value.problems] == ["model", "dataset"]
    with pytest.raises(InputError) as caught:
        run(resume=path, command_line={"epochs": "4", "baselines": "[Pop]", "topk": "[5]"})
    assert sorted(text.split(":")[0] for text in caught.value.problems) == ["baselines", "epochs"]
    assert "has 3, given (command line) is 4" in str(caught.value)
    with pytest.raises(InputError, match="run_name: a resumed run"):
        run(resume=path, run_name="other")
    assert {one: one.read_bytes() for one in path.rglob("*") if one.is_file()} == before
    free = {"checkpoint_steps": 2, "checkpoint_minutes": 1, "table_metrics": ["ndcg@5"]}
    assert "ndcg@5" in run(resume=path, config=free).table


def test_an_edited_config_and_changed_data_are_refused_and_a_version_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_toy(tmp_path, n_users=40, ratings=True)
    with monkeypatch.context() as patch:
        stop_at(patch, single_run, "measure_tests")
        path = stopped(tmp_path, "changed")
    config, start = path / "config.yaml", path / "checkpoint" / "start.json"
    text = config.read_text()
    config.write_text(text.replace("epochs: 3", "epochs: 9"))
    with pytest.raises(InputError, match=r"config\.yaml: epochs is 9, the run began with 3"):
        run(resume=path)
    config.write_text(text)
    data = tmp_path / "toy" / "toy.inter"
    rows = data.read_text()
    data.write_text(rows.replace("\t1\n", "\t2\n", 1))
    with pytest.raises(InputError, match=r"data: toy\.inter changed since"):
        run(resume=path)
    data.write_text(rows)
    record = json.loads(start.read_text())
    record["versions"]["torch"], record["threads"] = "0.1", 99
    start.write_text(json.dumps(record))
    getLogger().addHandler(caplog.handler)
    run(resume=path)
    getLogger().removeHandler(caplog.handler)
    assert f"torch 0.1 -> {torch.__version__}" in caplog.text
    assert "threads 99 -> " in caplog.text


def test_auto_takes_the_newest_unfinished_run_of_these_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_toy(tmp_path, n_users=40, ratings=True)
    with monkeypatch.context() as patch:
        patch.setattr(single_run, "draw_plots", lambda *_: None)
        for name, options in (("old", {}), ("new", {}), ("other", {"epochs": 2})):
            stop_at(patch, single_run, "train")
            stopped(tmp_path, name, **options)
            patch.undo()
    monkeypatch.setattr(single_run, "draw_plots", lambda *_: None)
    (tmp_path / "runs" / "none").mkdir()
    getLogger().addHandler(caplog.handler)
    words = [f"--{key}={json.dumps(value)}" for key, value in QUICK.items()]
    words += ["--data_path", str(tmp_path), "--output_dir", str(tmp_path / "runs")]
    command = ["--model", "BPR", "--dataset", "toy", *words, "--resume", "auto"]
    made: list[str] = []
    for _ in range(3):
        assert main([*command, f"--checkpoint_steps={len(made)}"]) == 0
        made.append(caplog.text)
        caplog.clear()
    getLogger().removeHandler(caplog.handler)
    assert "looked at 3 run folders" in made[0]
    assert "(1 other options, 2 unfinished)" in made[0]
    assert f"going on with {tmp_path / 'runs' / 'new'}" in made[0]
    assert f"going on with {tmp_path / 'runs' / 'old'}" in made[1]
    assert "(2 finished, 1 other options): none is an unfinished run of these options" in made[2]
    assert len(list((tmp_path / "runs").glob("*/run.json"))) == 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--model", "BPR", "--resume"], "expected auto or a run folder"),
        (["--resume", "no/such/run"], "there is no folder no/such/run"),
        (["--resume", "."], "has no checkpoint/start.json"),
        (["--resume", ".", "--output_dir", "x"], "output_dir: a resumed run keeps"),
    ],
)
def test_wrong_input_is_told(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert says in capsys.readouterr().err


def test_a_run_that_is_still_running_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_start, "PATIENCE_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        stop_at(patch, single_run, "train")
        path = stopped(folder, "running")
    with only_here(path / "checkpoint"), pytest.raises(InputError, match="another run is running"):
        run(resume=path)


def test_recboles_own_loops_and_one_pass_start_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        stop_at(patch, single_run, "measure_tests")
        path = stopped(folder, "pass", model="Pop")
    getLogger().addHandler(caplog.handler)
    run(resume=path)
    getLogger().removeHandler(caplog.handler)
    assert "Pop has no checkpoint yet: it starts anew" in caplog.text
