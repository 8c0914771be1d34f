"""Whole runs: nothing is pickled on their way, and a full disk leaves what was there before."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from recbole_invariant import single_run
from recbole_invariant.cli.main import main
from recbole_invariant.errors import InputError
from recbole_invariant.quick_start import run
from recbole_invariant.tensor_files import load_tensors
from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder
from tests.host import write_toy

QUICK: dict[str, Any] = {
    "epochs": 3, "use_gpu": False, "show_progress": False, "topk": [5], "valid_metric": "NDCG@5",
    "ood": "popularity", "torch_threads": 1, "checkpoint_minutes": 0,
}  # fmt: skip
AFTER = {"train_method": "after_pretrain"}
PRETRAIN = {"train_stage": "actor_pretrain", "pretrain_epochs": 1, "save_step": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("safe")
    write_toy(path, n_users=40)
    return path


@pytest.fixture(autouse=True)
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_run, "draw_plots", lambda *_: None)


@pytest.fixture
def without_pickles(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("something was pickled or unpickled")

    for module, names in ((torch, ("save", "load")), (pickle, ("dump", "dumps", "load", "loads"))):
        for name in names:
            monkeypatch.setattr(module, name, refuse)


@pytest.mark.usefixtures("without_pickles")
def test_no_run_pickles_not_even_the_hosts_pretraining(folder: Path) -> None:
    config = {**QUICK, "data_path": str(folder), "epochs": 1}
    plain = run("BPR", "toy", config=config, output_dir=folder / "runs", run_name="plain")
    assert plain.run_dir is not None
    assert (plain.run_dir / "model.safetensors").is_file()
    first = run("RaCT", "toy", config={**config, **PRETRAIN}, output_dir=folder / "runs")
    assert first.run_dir is not None
    pretrained = first.run_dir / "checkpoint" / "RaCT-toy-1.pth"
    weights, _ = load_tensors(pretrained, sealed=True)
    assert any("encoder" in name for name in weights)
    options = {**config, **AFTER, "pre_model_path": str(plain.run_dir / "model.safetensors")}
    after = run("ConvNCF", "toy", config=options, output_dir=folder / "runs")
    assert after.metrics["iid"]["recall@5"] >= 0


def test_a_pickled_pretrained_file_is_the_users_choice(folder: Path) -> None:
    run_dir, file = folder / "runs", folder / "foreign.pth"
    options = {**QUICK, **AFTER, "data_path": str(folder), "pre_model_path": str(file)}
    torch.save({"state_dict": {}, "config": Path("a class that only a pickle names")}, file)
    with pytest.raises(InputError, match=r"foreign\.pth.*allow_pickle: true"):
        run("ConvNCF", "toy", config=options, output_dir=run_dir, run_name="foreign")
    assert not (run_dir / "foreign").exists()
    with pytest.raises(RuntimeError, match="Missing key"):
        run("ConvNCF", "toy", config={**options, "allow_pickle": True}, output_dir=run_dir)


@pytest.mark.parametrize(
    ("when", "reached"), [("next.safetensors", 2), ("history.jsonl", 1), ("per_user.parquet", 3)]
)
def test_a_full_disk_ends_a_run_with_one_message_and_whole_checkpoints(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    when: str,
    reached: int,
) -> None:
    from recbole_invariant import files

    run_dir, calls = folder / "runs" / f"full at {when}", []
    original = files._named

    def full(path: Path) -> Any:
        calls.append(Path(path).name == when)
        # the third checkpoint, the second epoch's line, the first result
        if calls[-1] and sum(calls) == (1 if when == "per_user.parquet" else 3):
            monkeypatch.setattr(os, "fsync", no_space)
            monkeypatch.setattr(Path, "open", no_space)
        return original(path)

    def no_space(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_named", full)
    words = [f"--{key}={json.dumps(value)}" for key, value in QUICK.items()]
    places = ["--data_path", str(folder), "--output_dir", str(folder / "runs")]
    code = main(["--model", "BPR", "--dataset", "toy", "--run_name", run_dir.name, *places, *words])
    monkeypatch.undo()
    said = capsys.readouterr().err
    failed = [line for line in said.splitlines() if line.startswith("the run failed")]
    assert code == 1
    assert len(failed) == 1
    assert "cannot be written: No space left on device" in failed[0]
    assert str(run_dir) in failed[0]
    assert "Traceback" not in said
    assert CheckpointFolder(run_dir / "checkpoint").newest()[1]["epoch"] == reached
    assert not list(run_dir.rglob(".*.safetensors.*"))
    assert not (run_dir / "run.json").exists()
