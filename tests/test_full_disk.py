"""What a full disk, or a file that may not be written, does to log, streams and exit codes."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recbole_invariant.cli import main as command
from recbole_invariant.errors import WriteError
from recbole_invariant.files import append, write_atomically
from recbole_invariant.logs import logging_to

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@needs_full
def test_a_log_that_cannot_be_written_is_one_error(capfd: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(WriteError, match="/dev/full cannot be written: No space left"),
        logging_to(FULL, None),
    ):
        logging.getLogger().info("a line")
    assert "Traceback" not in capfd.readouterr().err


@needs_full
def test_a_stream_that_cannot_be_written_names_the_file() -> None:
    with pytest.raises(WriteError, match="/dev/full cannot be written: No space left"):
        append(FULL, "{}\n")


def test_a_folder_without_permission_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    # the tests may run as root, who may write anywhere
    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(
        WriteError, match=r"run\.json cannot be written: Permission denied"
    ) as error:
        write_atomically(tmp_path / "run.json", "{}")
    assert error.value.reason == "Permission denied"
    assert error.value.errno == 13


LIMITED = """
import os, resource, sys
from pathlib import Path
from recbole_invariant.errors import WriteError
from recbole_invariant.files import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
target = Path(sys.argv[1])
write_atomically(target, b"old")
try:
    write_atomically(target, b"n" * 5000)
except WriteError as error:
    print(error)
"""


def test_a_file_beyond_a_limit_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(target)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{target} cannot be written: File too large"
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["run.json"]


def test_a_failed_write_is_exit_code_1_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def dispatch(words: list[str]) -> int:
        raise WriteError("runs/a/last.safetensors", OSError(28, "No space left on device"))

    monkeypatch.setattr(command, "_dispatch", dispatch)
    assert command.main([]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "the run failed: runs/a/last.safetensors cannot be written: No space left on device"
    ]
