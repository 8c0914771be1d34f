"""Tables of recommendations as files, and tokens from files."""

import io
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from recbole_invariant.errors import InputError
from recbole_invariant.files import make_folder, write_atomically

SUFFIXES = (".parquet", ".csv")


def require_suffix(path: Path) -> None:
    """Make sure that a table can be written by this name, before it is made.

    Raises:
        InputError: the suffix is no known one, it is a folder, or its folder cannot be written.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"out: {path}: expected a name that ends in {' or '.join(SUFFIXES)}.")
    make_folder(path.parent, "out")
    if path.is_dir():
        raise InputError(f"out: {path} is a folder; name a file.")


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as parquet or csv, by the suffix of the name."""
    buffer = io.BytesIO()
    if path.suffix == ".parquet":
        table.to_parquet(buffer, index=False)
    else:
        table.to_csv(buffer, index=False)
    write_atomically(path, buffer.getvalue())


def text_of(table: pd.DataFrame) -> str:
    """Return a table to be read; raw tokens stay as they are."""
    rows = zip(
        table["user_id"],
        table["rank"],
        table["item_id"],
        (f"{score:.6g}" for score in table["score"]),
        strict=True,
    )
    return tabulate(rows, headers=list(table.columns), disable_numparse=True)


def read_lines(path: str, option: str, empty: bool = False) -> list[str]:
    """Read a text file of one entry a line; Windows newlines and a byte order mark are taken off.

    Args:
        path: the file, UTF-8.
        option: what named it, for messages.
        empty: whether an empty line is an entry; otherwise it is skipped.

    Raises:
        InputError: there is no such file, it is no text, or it is empty.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{option}: {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{option}: {path} is no UTF-8 text ({error}).") from error
    if not text or not (empty or text.strip()):
        raise InputError(f"{option}: {path} is empty.")
    lines = text.removesuffix("\n").split("\n")
    return [line for line in lines if line or empty]
