"""Source `npy`: a NumPy matrix with one row an item, and a list of the rows' item tokens."""

from pathlib import Path
from typing import Any

import numpy as np

from recbole_invariant.data.modality_sources.base import SourceContext, SpecKey, TokenFeatures

KEYS = {"file": SpecKey((str,)), "tokens": SpecKey((str,))}


def read(spec: dict[str, Any], context: SourceContext) -> TokenFeatures:
    """Open `<dataset>.<modality>.npy` and `<dataset>.item_tokens.txt`.

    Args:
        spec: `file` and `tokens`, both optional; relative paths start at the dataset's folder.
        context: the dataset.

    Returns:
        The memory-mapped matrix in its own dtype, and its tokens.

    Raises:
        InputError: a file is missing or cannot be read, or the two do not fit each other.
    """
    matrix_path = context.resolve(spec["file"] or f"{context.dataset}.{context.modality}.npy")
    tokens_path = context.resolve(spec["tokens"] or f"{context.dataset}.item_tokens.txt")
    context.existing_file(matrix_path, "It holds the features; set `file` to where it is.")
    context.existing_file(
        tokens_path, "It names the item of each feature row, one a line; set `tokens`."
    )
    return TokenFeatures(
        read_tokens(tokens_path, context),
        open_matrix(matrix_path, context),
        f"{matrix_path} (tokens: {tokens_path.name})",
    )


def open_matrix(path: Path, context: SourceContext) -> np.ndarray:
    """Memory-map a `.npy` file; pickled objects are refused.

    Raises:
        InputError: the file is no `.npy` file of plain numbers, or is cut short.
    """
    try:
        matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise context.fail(f"{path} is not a readable .npy matrix of numbers: {error}") from error
    if not isinstance(matrix, np.ndarray):
        raise context.fail(f"{path} is an archive; save one matrix with numpy.save")
    return matrix


def read_tokens(path: Path, context: SourceContext) -> list[str]:
    """Read one item token a line, as text: "007" and "7" are two items.

    A byte order mark, Windows line ends and blank lines at the end are taken off.

    Raises:
        InputError: an empty line between tokens, or text in another encoding.
    """
    encoding = "utf-8-sig" if context.encoding.lower() in ("utf-8", "utf8") else context.encoding
    try:
        text = path.read_bytes().decode(encoding)
    except UnicodeDecodeError as error:
        raise context.fail(f"{path} is not {context.encoding} text: {error}") from error
    # not str.splitlines: it would also cut at rarer separators that may stand in a token
    tokens = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if tokens == [""]:
        raise context.fail(f"{path} is empty; it must name one item a line")
    if "" in tokens:
        line = tokens.index("") + 1
        raise context.fail(f"{path}: line {line} is empty; every feature row needs its item token")
    return tokens
