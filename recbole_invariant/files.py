"""Files that are either whole or absent: written beside their name, synced, then renamed."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from recbole_invariant.errors import InputError, WriteError

LEFTOVER = re.compile(r"\..+\.[a-z0-9_]{8}")
"""Name of a temporary file: that of the file it was to become, and mkstemp's own ending."""


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes its name when the block ends without an error.

    Args:
        path: the file; its folder is made where it is missing.

    Yields:
        A new binary file in the same folder.

    Raises:
        WriteError: the disk is full, the folder is not writable or the like; an old file is
            untouched and no temporary file stays behind.
    """
    path = Path(path)
    with _named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                # mkstemp makes files private; a result is as readable as any other new file
                os.fchmod(descriptor, 0o666 & ~_umask())
                yield file
                file.flush()
                os.fsync(descriptor)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Args:
        path: the file; its folder is made where it is missing.
        content: text is written as UTF-8.

    Raises:
        WriteError: the disk is full or the folder is not writable; an old file is untouched and no
            temporary file stays behind.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    with atomic_file(path) as file:
        file.write(data)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files that a kill left in a folder and below; nobody may write there."""
    for path in folder.rglob(".*"):
        if LEFTOVER.fullmatch(path.name) and path.is_file():
            path.unlink()


def append(path: Path, lines: str, sync: bool = False) -> None:
    """Add lines to a stream such as a history; a kill may leave the last one broken.

    Args:
        path: the file; its folder exists.
        lines: each with its end.
        sync: wait until a power cut cannot lose them.

    Raises:
        WriteError: the disk is full or the file is not writable.
    """
    with _named(path), path.open("a", encoding="utf-8") as file:
        file.write(lines)
        file.flush()
        if sync:
            os.fsync(file.fileno())


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into one that names the file and the reason."""
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(path, error) from error


def make_folder(folder: Path, option: str, new: bool = False) -> Path:
    """Make a folder that the user named, those above it too.

    Args:
        folder: may be there already.
        option: the option that named it.
        new: it must not be there.

    Returns:
        The folder, in which files can be made.

    Raises:
        InputError: it cannot be made, or is not writable.
        FileExistsError: it is there and must not be.
    """
    if "\x00" in str(folder):
        raise InputError(f"{option}: a path cannot hold a zero byte.")
    try:
        folder.mkdir(parents=True, exist_ok=not new)
    except OSError as error:
        if new and isinstance(error, FileExistsError) and folder.is_dir():
            raise
        why = _obstacle(folder, error)
        raise InputError(f"{option}: {folder} cannot be made: {why}.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{option}: {folder} cannot be written: you may not write there.")
    return folder


def _obstacle(folder: Path, error: OSError) -> str:
    """Say why a folder cannot be made."""
    if isinstance(error, PermissionError):
        return "you may not write there"
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        return f"{there} is a file, not a folder"
    return f"{there} takes no new folder ({error.strerror})"


def _umask() -> int:
    """Read the process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
