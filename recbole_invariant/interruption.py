"""What is left of a run that was stopped by hand or by a signal."""

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from recbole_invariant.errors import WriteError

CHECKPOINT = Path("checkpoint", "last.safetensors")
HISTORY = "history.jsonl"


@contextmanager
def remains_noted(folder: Path) -> Iterator[None]:
    """Add to an interruption, as a note of the exception, how far the run in a folder came.

    A full disk interrupts too; other errors are left as they are.
    """
    try:
        yield
    except BaseException as stop:
        if isinstance(stop, Exception) and not isinstance(stop, WriteError):
            raise
        # Describing it must never hide the interruption itself.
        with suppress(OSError, ValueError, KeyError, TypeError):
            stop.add_note(remains(folder))
        raise


def remains(folder: Path) -> str:
    """Say how far a run came, and what its folder holds.

    Args:
        folder: the run folder; of the runs in it, such as baselines, the last one counts.
    """
    histories = sorted(folder.rglob(HISTORY), key=lambda path: path.stat().st_mtime)
    last = histories[-1].parent if histories else folder
    inner = "" if last == folder else f" of {last.relative_to(folder).as_posix()}"
    lines = _lines(histories[-1]) if histories else []
    if lines:
        stage = lines[-1]["stage"]
        done = sum(line["stage"] == stage for line in lines)
        far = f"after {done} epoch{'' if done == 1 else 's'} of stage '{stage}'{inner}"
    else:
        far = f"before the first epoch{inner} ended"
    return f"{far}\nthe run folder stays: {folder}\n{_checkpoint(folder, last)}"


def _lines(history: Path) -> list[dict[str, Any]]:
    """Read the epochs that a history holds whole."""
    text = history.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _checkpoint(folder: Path, last: Path) -> str:
    """Say which command goes on with a run, and from where; `last` is what of it was training."""
    where = "from its last checkpoint"
    if not any((last / CHECKPOINT).parent.glob("*.safetensors")):
        where = "from the beginning: there is no checkpoint yet"
    return f"go on {where} with\n  {resume_command(folder)}"


def resume_command(folder: Path) -> str:
    """Return the command that goes on with the run in a folder."""
    program = Path(sys.argv[0]).name
    called = "recbole-inv" if program == "recbole-inv" else "python run_recbole_inv.py"
    return f"{called} --resume {shlex.quote(str(folder))}"
