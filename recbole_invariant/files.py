"""Files that are either whole or absent: written beside their name, synced, then renamed."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from recbole_invariant.errors import InputError


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Args:
        path: the file; its folder is made where it is missing.
        content: text is written as UTF-8.

    Raises:
        OSError: the disk is full or the folder is not writable; an old file is untouched and no
            temporary file stays behind.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            # mkstemp makes files private; a result is as readable as any other new file
            os.fchmod(descriptor, 0o666 & ~_umask())
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


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
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        return f"{there} is a file, not a folder"
    return f"{there} takes no new folder ({error.strerror})"


def _umask() -> int:
    """Read the process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write named tensors as one safetensors file, atomically.

    Tensors are copied to the CPU, made contiguous and kept apart even where they share memory.
    """
    own = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    write_atomically(path, save(own, metadata=dict(metadata) if metadata else None))


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read named tensors and the metadata of a safetensors file.

    Raises:
        InputError: the file is missing, truncated or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; a finished run has one.")
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({error}).") from error
