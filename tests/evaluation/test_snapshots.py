"""Snapshots are measured after selection and leave the selected weights as they were."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import recbole_invariant as ri
from recbole_invariant.config import build_config
from recbole_invariant.evaluation.measurement import measure_tests
from recbole_invariant.evaluation.protocol import SealedError
from recbole_invariant.evaluation.snapshots import measure_snapshots, no_frontier
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from recbole_invariant.trainer.checkpoint import clone_state
from recbole_invariant.trainer.host_stage import HostStage
from recbole_invariant.training import build, fit
from tests.host import write_toy

EPOCHS = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("toy")
    write_toy(path, n_users=40)
    return path


def options(folder: Path, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "data_path": str(folder),
        "ood": "popularity",
        "topk": [5],
        "valid_metric": "NDCG@5",
        "show_progress": False,
        "use_gpu": False,
        "train_batch_size": 128,
        "epochs": EPOCHS,
        "learning_rate": 0.1,
        "modalities": {},
        "frontier": True,
    }
    return {**values, **changes}


def trained(name: str, folder: Path, **changes: Any) -> tuple[Any, Any]:
    entry = resolve(name)
    config = build_config(name, "toy", options(folder, **changes))
    config["checkpoint_dir"] = str(folder / "saved")
    data = prepare(config, entry)
    _, trainer = build(config, entry, data)
    fit(config, trainer, data)
    return trainer, data


@pytest.mark.parametrize("name", ["LightGCN", "MultiVAE"])
def test_the_selected_weights_stay_and_their_own_snapshot_measures_the_same(
    name: str, folder: Path
) -> None:
    """LightGCN ranks with vectors outside of its weights: those must be the snapshot's too."""
    trainer, data = trained(name, folder, learning_rate=0.1 if name == "LightGCN" else 0.005)
    selected = measure_tests(trainer, data).metrics
    before = clone_state(trainer.model)
    found = measure_snapshots(trainer, data, list(selected), "valid")
    after = clone_state(trainer.model)
    for part in ("weights", "other"):
        assert list(before[part]) == list(after[part])
        for key, value in before[part].items():
            same = torch.equal(value, after[part][key]) if torch.is_tensor(value) else True
            assert same, key
    own = found[f"train {trainer.best_epoch}"]
    assert {test: own[test] for test in selected} == selected
    assert own["valid"] == trainer.best_valid_result
    values = {entry["iid"]["recall@5"] for entry in found.values()}
    assert len(values) > 1, "every epoch measured alike: the weights were not exchanged"


def test_tests_are_sealed_until_selection_is_over(folder: Path) -> None:
    trainer, data = trained("BPR", folder, epochs=1)
    with pytest.raises(SealedError):
        measure_snapshots(trainer, data, ["iid"], "valid")


def test_weights_are_put_back_when_measuring_fails(folder: Path) -> None:
    trainer, data = trained("BPR", folder, epochs=2)
    before = clone_state(trainer.model)["weights"]
    data.loaders.tests.open()
    trainer.evaluate = lambda *_, **__: 1 / 0
    with pytest.raises(ZeroDivisionError):
        measure_snapshots(trainer, data, ["iid"], "valid")
    for key, value in trainer.model.state_dict().items():
        assert torch.equal(value, before[key]), key


@pytest.fixture(scope="module")
def runs(folder: Path) -> dict[bool, Any]:
    return {
        kept: ri.run(
            "BPR", "toy", config=options(folder, frontier=kept), output_dir=folder / "runs"
        )
        for kept in (False, True)
    }


def test_a_run_is_the_same_with_and_without(runs: dict[bool, Any]) -> None:
    assert runs[False].metrics == runs[True].metrics
    files = [(runs[kept].run_dir / "model.safetensors").read_bytes() for kept in (False, True)]
    assert files[0] == files[1]
    assert runs[False].record["snapshots"] == {}


def test_a_run_records_every_epoch_and_leaves_no_weights(runs: dict[bool, Any]) -> None:
    result = runs[True]
    entries = result.record["snapshots"]
    assert list(entries) == [f"train {epoch}" for epoch in range(EPOCHS)]
    for number, entry in enumerate(entries.values()):
        assert (entry["stage"], entry["epoch"], entry["frontier"]) == ("train", number, True)
        assert set(entry) == {"stage", "epoch", "frontier", "valid", "iid", "ood_popularity"}
    best = entries[f"train {result.record['selection']['best_epoch']}"]
    assert {name: best[name] for name in result.metrics} == result.metrics
    assert not (result.run_dir / "checkpoint" / "snapshots").exists()
    assert (result.run_dir / "plots" / "frontier.png").is_file()


def test_an_oracles_validation_is_not_called_valid(folder: Path, tmp_path: Path) -> None:
    changed = options(folder, selection="oracle", epochs=2)
    result = ri.run("BPR", "toy", config=changed, output_dir=tmp_path)
    for entry in result.record["snapshots"].values():
        assert set(entry) == {"stage", "epoch", "frontier", "iid", "ood_popularity"}


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("Pop", {}, "one pass over the data has no epochs"),
        ("BPR", {"eval_step": 0, "epochs": 1}, "no epoch is validated"),
    ],
)
def test_where_nothing_can_be_recorded_the_run_says_so(
    name: str, changes: dict[str, Any], reason: str, folder: Path, tmp_path: Path
) -> None:
    result = ri.run(name, "toy", config=options(folder, **changes), output_dir=tmp_path)
    assert result.record["snapshots"] == {}
    assert any(reason in note for note in result.record["notes"])
    assert reason in result.table
    assert result.run_dir is not None
    assert reason in (result.run_dir / "log.txt").read_text()


def test_of_a_loop_of_recboles_own_none_is_recorded() -> None:
    model = torch.nn.Linear(1, 1)
    trainer = SimpleNamespace(config={"frontier": True, "eval_step": 1}, model=model)
    assert "Linear: RecBole's own training loop" in str(no_frontier(trainer))
    trainer.config["frontier"] = False
    assert no_frontier(trainer) is None


def test_a_named_snapshot_has_a_line_of_the_table_and_steps_have_none(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(stage: Any) -> None:
        kept = stage.trainer.snapshots
        kept.keep("halfway", stage.name, 1, None, kept.state("train 1"))

    monkeypatch.setattr(HostStage, "end", end)
    result = ri.run("BPR", "toy", config=options(folder), output_dir=tmp_path)
    entry = result.record["snapshots"]["halfway"]
    assert set(entry) == {"stage", "epoch", "frontier", "iid", "ood_popularity"}
    assert entry["iid"] == result.record["snapshots"]["train 1"]["iid"]
    (line,) = [line for line in result.table.splitlines() if line.startswith("BPR: halfway")]
    assert f"{entry['iid']['recall@5']:.4f}" in line
    assert line.split()[-1] == "1"
    assert not any(line.startswith("BPR: train") for line in result.table.splitlines())
    assert result.run_dir is not None
    assert (result.run_dir / "plots" / "frontier.png").is_file()
