"""Named tensors in safetensors files that carry a checksum of all their bytes.

The format is written here rather than by the library's `save`, which holds all bytes in memory
once more and orders its metadata anew in every process: here a file of the same tensors has the
same bytes. Any reader of safetensors reads it.

Source of the format: https://huggingface.co/docs/safetensors.
"""

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from recbole_invariant.errors import InputError
from recbole_invariant.files import atomic_file

SEAL = "recbole_invariant"
"""Key of the file's metadata that holds the checksum and what else is to be said."""

CHECKSUM = "checksum"
DIGEST_BYTES = 32
CHUNK = 1 << 22
LONGEST_HEADER = 100_000_000
"""Bytes; the library refuses to read a longer one."""

DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def save_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write named tensors as one safetensors file, atomically, sealed by a checksum.

    Args:
        path: the file; its folder is made where it is missing.
        tensors: of any device and layout in memory; those that share memory are kept apart.
        metadata: text by name; `checksum` is taken.

    Raises:
        WriteError: the disk is full or the folder is not writable; an old file is untouched.
        ValueError: a tensor's dtype is not one of `DTYPES`, or there is too much metadata.
    """
    # large elements first, so that every tensor is aligned to its own element size
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header = _header({name: tensors[name] for name in order}, metadata or {})
    digest = blake2b(digest_size=DIGEST_BYTES)
    with atomic_file(path) as file:
        for part in chain([header], (_bytes(tensors[name]) for name in order)):
            digest.update(part)
            file.write(part)
        file.seek(header.index(_blank()))
        file.write(digest.hexdigest().encode())


def load_tensors(path: Path, sealed: bool = False) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read named tensors and the metadata of a safetensors file; a checksum is verified.

    Args:
        path: the file.
        sealed: refuse a file without a checksum; else it is read as it is.

    Raises:
        InputError: the file is missing, unreadable, truncated, altered or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            if SEAL in metadata:
                metadata = _verified(path, metadata[SEAL])
            elif sealed:
                raise InputError(f"{path}: a safetensors file, but not one of this package.")
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: {_kind(path)} ({error}).") from error


def _header(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Make length and header of the file, the checksum's place filled with zeros."""
    said = {CHECKSUM: _blank().decode(), **metadata}
    entries: dict[str, Any] = {"__metadata__": {SEAL: json.dumps(said)}}
    end = 0
    for name, tensor in tensors.items():
        if tensor.dtype not in DTYPES:
            raise ValueError(f"tensor '{name}': a file cannot hold {tensor.dtype}.")
        begin, end = end, end + tensor.numel() * tensor.element_size()
        entries[name] = {
            "dtype": DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > LONGEST_HEADER:
        raise ValueError(f"a header of {len(text)} bytes cannot be read back.")
    return len(text).to_bytes(8, "little") + text


def _blank() -> bytes:
    """Return what stands in the checksum's place while the checksum is computed."""
    return b"0" * (2 * DIGEST_BYTES)


def _bytes(tensor: Tensor) -> bytes | memoryview:
    """Return a tensor's elements as they stand in the file, copied only where they must be."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    numbers: Any = flat.view(torch.uint8).numpy()
    return memoryview(numbers)


def _verified(path: Path, sealed: str) -> dict[str, str]:
    """Compare a file's bytes with the checksum it carries; return the rest of its metadata.

    Raises:
        InputError: they differ.
    """
    broken = InputError(
        f"{path}: the file is damaged: its bytes do not give the checksum written into it."
    )
    try:
        said: dict[str, str] = json.loads(sealed)
        checksum = said.pop(CHECKSUM)
        if not re.fullmatch(f"[0-9a-f]{{{2 * DIGEST_BYTES}}}", checksum):
            raise broken
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise broken from error
    digest = blake2b(digest_size=DIGEST_BYTES)
    with path.open("rb") as file:
        size = file.read(8)
        header = file.read(int.from_bytes(size, "little"))
        digest.update(size + header.replace(checksum.encode(), _blank(), 1))
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != checksum:
        raise broken
    return said


def _kind(path: Path) -> str:
    """Say what is the matter with a file that is no safetensors file."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError:
        return "the file cannot be read"
    if start == b"PK\x03\x04" or start[:1] == b"\x80":
        return (
            "a pickled file, as RecBole and torch.save write them, which is not read here "
            "because reading it can run code"
        )
    return "not a readable safetensors file: truncated, damaged or of another kind"
