import os
import stat
from pathlib import Path

import pytest

from recbole_invariant import files
from recbole_invariant.errors import InputError


def test_a_failed_write_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "deep" / "run.json"
    files.write_atomically(target, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"run\.json cannot be written: No space"):
        files.write_atomically(target, "new")
    assert target.read_text() == "old"
    assert os.listdir(target.parent) == ["run.json"]


def test_text_is_utf8_and_the_mode_is_that_of_any_new_file(tmp_path: Path) -> None:
    target = tmp_path / "log.txt"
    files.write_atomically(target, "naïve")
    plain = tmp_path / "plain"
    plain.write_text("x")
    assert target.read_bytes() == b"na\xc3\xafve"
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_folder_that_cannot_be_made_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for below in ("file", "file/a", "file/a/b"):
        for new in (False, True):
            with pytest.raises(InputError) as caught:
                files.make_folder(tmp_path / below, "out", new)
            assert caught.value.problems == [
                f"out: {tmp_path / below} cannot be made: {tmp_path / 'file'} is a file, not a "
                "folder."
            ]
    with pytest.raises(InputError, match=r"out: /proc/x/y cannot be made: /proc takes no new fold"):
        files.make_folder(Path("/proc/x/y"), "out")


def test_a_folder_is_made_or_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deep" / "run"
    assert files.make_folder(folder, "out", new=True) == folder
    assert files.make_folder(folder, "out") == folder
    with pytest.raises(FileExistsError):
        files.make_folder(folder, "out", new=True)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="cannot be written"):
        files.make_folder(folder, "out")


def test_what_a_kill_left_is_removed_and_nothing_else(tmp_path):
    folder = tmp_path / "run" / "checkpoint"
    files.write_atomically(folder / "last.safetensors", "whole")
    kept = [folder / ".lock", tmp_path / "run" / ".hidden", tmp_path / ".run.json.abcdefgh"]
    for path in (
        *kept,
        folder / ".last.safetensors.a1b2c3_d",
        folder.parent / ".run.json.abcdefgh",
    ):
        path.write_text("")

    files.remove_leftovers(tmp_path / "run")

    found = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {*kept, folder / "last.safetensors"}
