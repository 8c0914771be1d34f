"""Weights put aside come back as they were, also after a kill, and leave no files behind."""

from pathlib import Path
from typing import Any

import pytest
import torch

from recbole_invariant.errors import InputError
from recbole_invariant.trainer.checkpoint import clone_state, load_checkpoint, restore_state
from recbole_invariant.trainer.snapshots import FOLDER, Snapshots
from tests.contracts import ModelContract
from tests.host import write_toy


class Counting(torch.nn.Module):
    """A model with state outside of its weights, as RecBole's graph models have."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((3,), value))
        self.restored: torch.Tensor | None = torch.full((2,), -value) if value else None

    def other_parameter(self) -> dict[str, Any]:
        return {"restored": self.restored}


@pytest.fixture(params=["memory", "files"])
def snapshots(request: pytest.FixtureRequest, tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / FOLDER if request.param == "files" else None)


def kept_values(snapshots: Snapshots, name: str) -> tuple[list[float], list[float] | None]:
    model = Counting(9.0)
    restore_state(model, snapshots.state(name))
    rest = None if model.restored is None else model.restored.tolist()
    return model.weight.tolist(), rest


def test_weights_come_back_and_the_last_of_a_name_counts(snapshots: Snapshots) -> None:
    for epoch, value in enumerate((1.0, 2.0, 0.0)):
        state = clone_state(Counting(value))
        snapshots.keep("best", "alternate", epoch, {"ndcg@5": value}, state)
        snapshots.keep(f"train {epoch}", "train", epoch, None, state, frontier=True)
    assert [kept.name for kept in snapshots] == ["best", "train 0", "train 1", "train 2"]
    assert "best" in snapshots
    assert len(snapshots) == 4
    best, first = list(snapshots)[:2]
    assert (best.epoch, best.valid, best.frontier) == (2, {"ndcg@5": 0.0}, False)
    assert (first.epoch, first.valid, first.frontier) == (0, None, True)
    assert kept_values(snapshots, "train 1") == ([2.0] * 3, [-2.0] * 2)
    assert kept_values(snapshots, "best") == ([0.0] * 3, None)


def test_what_is_kept_is_a_copy_and_goes_to_the_models_device(snapshots: Snapshots) -> None:
    state = clone_state(Counting(1.0))
    snapshots.keep("best", "train", 0, None, state)
    state["weights"]["weight"].zero_()
    assert kept_values(snapshots, "best")[0] == [1.0] * 3
    elsewhere = Counting(9.0).to("meta")
    restore_state(elsewhere, snapshots.state("best"))
    assert elsewhere.restored is not None
    assert elsewhere.restored.device.type == "meta"


def test_nothing_is_left_after_clear(snapshots: Snapshots) -> None:
    for epoch in range(3):
        snapshots.keep("best", "train", epoch, None, clone_state(Counting(1.0)))
    snapshots.clear()
    assert not len(snapshots)
    assert snapshots.folder is None or not snapshots.folder.exists()
    with pytest.raises(KeyError):
        snapshots.state("best")


def test_a_checkpoints_snapshots_survive_what_came_after_it(tmp_path: Path) -> None:
    """Killed after a later epoch took the name, the run goes on with the checkpoint's."""
    before = Snapshots(tmp_path)
    before.keep("best", "train", 0, {"ndcg@5": 0.1}, clone_state(Counting(1.0)))
    index = before.index()
    before.keep("best", "train", 1, {"ndcg@5": 0.2}, clone_state(Counting(2.0)))
    before.keep("last", "train", 1, None, clone_state(Counting(2.0)))
    after = Snapshots(tmp_path)
    after.restart(index)
    assert [(kept.name, kept.epoch) for kept in after] == [("best", 0)]
    assert kept_values(after, "best") == ([1.0] * 3, [-1.0] * 2)
    assert len(list(tmp_path.iterdir())) == 1
    after.keep("best", "train", 1, None, clone_state(Counting(3.0)))
    assert kept_values(after, "best")[0] == [3.0] * 3
    for left in (2, 1):
        # the checkpoint before the last one may be needed as well
        after.prune()
        assert len(list(tmp_path.iterdir())) == left


def test_a_lost_file_is_one_clear_error(tmp_path: Path) -> None:
    before = Snapshots(tmp_path)
    before.keep("best", "train", 0, None, clone_state(Counting(1.0)))
    next(tmp_path.iterdir()).unlink()
    with pytest.raises(InputError, match=r"snapshot 'best' .* are gone"):
        Snapshots(tmp_path).restart(before.index())
    with pytest.raises(InputError, match="are gone"):
        Snapshots(None).restart(before.index())


class Peer(ModelContract):
    """Borrowed for its interrupted training."""

    name = "LightGCN"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("toy")
    write_toy(path, n_users=40)
    return path


def test_every_validated_epoch_is_kept_and_a_resume_keeps_the_same(
    folder: Path, tmp_path: Path
) -> None:
    options = {"frontier": True, "modalities": {}, "epochs": 4}
    _, whole, _ = Peer().trained(folder, **options)
    _, resumed = Peer().interrupted(folder, tmp_path, 2, **options)
    assert [kept.name for kept in whole.snapshots] == [f"train {epoch}" for epoch in range(4)]
    lines = [line["valid"] for line in whole.history.lines]
    assert [kept.valid for kept in whole.snapshots] == lines
    for kept in whole.snapshots:
        ours, theirs = (each.snapshots.state(kept.name) for each in (whole, resumed))
        for name, value in ours["weights"].items():
            assert torch.equal(value, theirs["weights"][name]), name
        assert torch.equal(ours["other"]["restore_user_e"], theirs["other"]["restore_user_e"])
    assert len(list((tmp_path / "checkpoint" / FOLDER).iterdir())) == 4
    index = load_checkpoint(tmp_path / "checkpoint" / "last.safetensors")["snapshots"]
    assert [entry["name"] for entry in index] == [kept.name for kept in whole.snapshots]


def test_without_the_option_nothing_is_kept(folder: Path, tmp_path: Path) -> None:
    _, trainer, _ = Peer().trained(folder, modalities={}, epochs=1)
    assert not len(trainer.snapshots)
