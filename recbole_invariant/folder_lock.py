"""One program at a time in a folder."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from recbole_invariant.errors import InputError
from recbole_invariant.files import make_folder

LOCK_SECONDS = 20.0
POLL_SECONDS = 0.1


@contextmanager
def only_here(
    folder: Path,
    patience: float = LOCK_SECONDS,
    option: str = "out",
    what: str = "comparison",
) -> Iterator[int]:
    """Keep a second program out of the same folder.

    Processes that inherit the lock hold it as well. So where a comparison was killed, the next one
    waits until its last run, which ends with it but not in the same instant, has let go of them.

    Args:
        folder: made where it is missing.
        patience: how many seconds to wait for the lock.
        option: that named the folder, for messages.
        what: runs there.

    Yields:
        The lock's file descriptor, to be handed on to processes.

    Raises:
        InputError: the folder cannot be made, or is still in use after that time.
    """
    make_folder(folder, option)
    end = time.monotonic() + patience
    with (folder / ".lock").open("w") as file:
        while not _locked(file):
            if time.monotonic() > end:
                raise InputError(
                    f"{option}: another {what} is running in {folder}; wait for it, or take "
                    "another folder."
                )
            time.sleep(POLL_SECONDS)
        yield file.fileno()


def in_use(folder: Path) -> bool:
    """Say whether a program is running in a folder, in the sense of `only_here`."""
    path = folder / ".lock"
    if not path.is_file():
        return False
    with path.open() as file:
        return not _locked(file)


def _locked(file: IO[str]) -> bool:
    """Take the lock if nobody has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
