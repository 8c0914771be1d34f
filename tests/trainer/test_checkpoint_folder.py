"""Two checkpoints are kept, and the newest whole one is found."""

import os
from pathlib import Path

import pytest
import torch

from recbole_invariant.errors import InputError, WriteError
from recbole_invariant.trainer import checkpoint_folder
from recbole_invariant.trainer.checkpoint import load_checkpoint
from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder


def state(epoch: int) -> dict[str, object]:
    return {"epoch": epoch, "weights": torch.full((40,), float(epoch))}


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path / "checkpoint")
    assert not folder.exists()
    for epoch in range(4):
        assert folder.save(state(epoch)) == tmp_path / "checkpoint" / "last.safetensors"
    assert sorted(os.listdir(folder.folder)) == ["last.safetensors", "previous.safetensors"]
    path, newest = folder.newest()
    assert (path.name, newest["epoch"]) == ("last.safetensors", 3)
    assert load_checkpoint(folder.folder / "previous.safetensors")["epoch"] == 2


def test_a_broken_last_one_gives_way_to_the_previous_and_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.save(state(0))
    last = folder.save(state(1))
    last.write_bytes(last.read_bytes()[:-7])
    path, newest = folder.newest()
    assert (path.name, newest["epoch"]) == ("previous.safetensors", 0)
    assert str(last) in caplog.text
    assert "truncated" in caplog.text


def test_none_or_none_that_is_whole_is_one_error(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    with pytest.raises(InputError, match="there is no checkpoint"):
        folder.newest()
    for epoch in range(2):
        folder.save(state(epoch))
    for path in tmp_path.iterdir():
        path.write_bytes(b"x")
    with pytest.raises(InputError) as caught:
        folder.newest()
    assert len(caught.value.problems) == 3
    assert folder.exists()


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_kill_between_the_renames_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.save(state(0))
    folder.save(state(1))
    done: list[Path] = []

    class Killed(BaseException):
        pass

    class Os:
        @staticmethod
        def replace(old: Path, new: Path) -> None:
            if len(done) == renames:
                raise Killed
            done.append(new)
            os.replace(old, new)

    monkeypatch.setattr(checkpoint_folder, "os", Os)
    try:
        folder.save(state(2))
    except Killed:
        assert renames < 2
    assert folder.newest()[1]["epoch"] == 2
    monkeypatch.undo()
    folder.save(state(3))
    assert folder.newest()[1]["epoch"] == 3
    assert sorted(os.listdir(tmp_path)) == ["last.safetensors", "previous.safetensors"]


def test_a_full_disk_leaves_both_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.save(state(0))
    folder.save(state(1))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match=r"next\.safetensors cannot be written: No space left"):
        folder.save(state(2))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
