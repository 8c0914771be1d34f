"""What RecBole reads of the atomic files, checked where it reads them.

Whatever it cannot read, or would read as something else than what stands there, is one error that
names file and line.
"""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from recbole.data.dataset import Dataset
from recbole.utils import ModelType
from recbole.utils.enum_type import FeatureSource, FeatureType

from recbole_invariant.data.atomic_lines import AtomicFile, check_lines
from recbole_invariant.errors import InputError

UNREADABLE = (ValueError, TypeError, LookupError, OverflowError, OSError, csv.Error)
"""What pandas raises of a table that it cannot read."""

PADDING = "[PAD]"
"""RecBole's own token, of id 0."""

NOT_THERE = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
"""Texts that pandas reads as a missing value (its default `na_values`)."""


def text_encoding(name: str | None) -> str:
    """Return the encoding to read text by: UTF-8 where none is named, a byte order mark skipped.

    Args:
        name: the option `encoding`.
    """
    is_utf8 = name is None or codecs.lookup(name).name == "utf-8"
    return "utf-8-sig" if is_utf8 else str(name)


@contextmanager
def checked_reading() -> Iterator[None]:
    """Let datasets loaded inside the block refuse files that would not be read as they stand."""
    host = Dataset._load_feat

    @wraps(host)
    def load_feat(self: Any, filepath: str, source: Any) -> pd.DataFrame | None:
        if self._get_load_and_unload_col(source)[0] == set():
            return host(self, filepath, source)
        config = self.config
        file = AtomicFile(Path(filepath), config["field_separator"], config["encoding"])
        n_rows = check_lines(file)
        known = dict(self.field2type)
        try:
            table: pd.DataFrame | None = host(self, filepath, source)
        except InputError:
            raise
        except UNREADABLE as error:
            raise _unreadable(file, config["seq_separator"], error) from error
        if table is not None:
            _require_types(self, file, known)
            _require_ids(self, file, source, table)
            _check_table(self, file, table, n_rows)
        return table

    Dataset._load_feat = load_feat
    try:
        yield
    finally:
        Dataset._load_feat = host


def _require_types(dataset: Any, file: AtomicFile, known: dict[str, FeatureType]) -> None:
    """Refuse a column that another file of the dataset gives another type.

    Raises:
        InputError: names it and both types.
    """
    for field, kind in dataset.field2type.items():
        if field in known and known[field] != kind:
            raise file.fail(
                1,
                f"has '{field}:{kind.value}', which another file of the dataset calls "
                f"'{field}:{known[field].value}'; a column has one type.",
            )


def _require_ids(dataset: Any, file: AtomicFile, source: Any, table: pd.DataFrame) -> None:
    """Refuse a .user or .item file that says of nobody what it says.

    Raises:
        InputError: its id column is not there, or is not loaded.
    """
    of = {FeatureSource.USER: "USER_ID_FIELD", FeatureSource.ITEM: "ITEM_ID_FIELD"}
    option = of.get(source)
    if option is None or dataset.config[option] in table:
        return
    name = dataset.config[option]
    header = file.row(-1)[1]
    if f"{name}:{FeatureType.TOKEN.value}" in header:
        raise InputError(
            f"load_col: {source.value} lacks '{name}' ({option}), without which the columns of "
            f"{file.path} belong to nobody."
        )
    raise file.fail(
        1, f"has no column '{name}:token' ({option}); it has {', '.join(header)[:200]}."
    )


def _unreadable(file: AtomicFile, seq_separator: str, error: Exception) -> InputError:
    """Find the cell that is no number; without one, hand on what was said."""
    lines = file.lines()
    columns = [column.partition(":")[::2] for column in next(lines)[1].split(file.separator)]
    for number, line in lines:
        for (name, kind), cell in zip(columns, line.split(file.separator), strict=False):
            if not _is_number(cell, kind, seq_separator):
                numbers = "numbers" if kind == FeatureType.FLOAT_SEQ.value else "a number"
                return file.fail(
                    number, f"has {cell[:60]!r} in the column '{name}:{kind}'; expected {numbers}."
                )
    return InputError(f"{file.path} cannot be read: {error}")


def _is_number(cell: str, kind: str, seq_separator: str) -> bool:
    """Say whether a cell can be read as its column's type says."""
    cell = cell.strip('"')
    if cell in NOT_THERE or kind not in (FeatureType.FLOAT.value, FeatureType.FLOAT_SEQ.value):
        return True
    several = kind == FeatureType.FLOAT_SEQ.value
    try:
        for part in filter(None, cell.split(seq_separator)) if several else (cell,):
            float(part)
    except ValueError:
        return False
    return True


def _check_table(dataset: Any, file: AtomicFile, table: pd.DataFrame, n_rows: int) -> None:
    """Refuse rows that were read, but not as they stand.

    Raises:
        InputError: names line and column.
    """
    if len(table) != n_rows:
        raise InputError(
            f"{file.path}: {len(table)} rows are read of {n_rows} lines. Line ends other than "
            "those of Unix or Windows, or quotation marks, join or break lines."
        )
    ids = [field for field in (dataset.uid_field, dataset.iid_field) if field in table]
    for field in ids:
        values = table[field]
        if dataset.field2type[field] != FeatureType.TOKEN:
            kind = dataset.field2type[field].value
            raise file.fail(1, f"has '{field}:{kind}'; ids are tokens: '{field}:token'.")
        _refuse(file, field, values.isna(), _NO_ID)
        _refuse(file, field, values == PADDING, "which is RecBole's name for no {field}")
    if dataset.config["MODEL_TYPE"] == ModelType.SEQUENTIAL and dataset.time_field in table:
        why = "and a sequential model needs the order of all interactions"
        _refuse(file, dataset.time_field, table[dataset.time_field].isna(), why)
    for field in map(str, table):
        if dataset.field2type[field] == FeatureType.FLOAT:
            _refuse(file, field, np.isinf(table[field]), "which is not a finite number")
        elif dataset.field2type[field] == FeatureType.FLOAT_SEQ:
            odd = pd.Series([not np.isfinite(row).all() for row in table[field]])
            _refuse(file, field, odd, "which holds a number that is not finite")


_NO_ID = (
    "which is read as missing, and the row would be left out without a word: name the {field} (an "
    "empty cell, NA, NaN, None and null are no names)"
)


def _refuse(file: AtomicFile, field: str, wrong: Any, why: str) -> None:
    """Raise for the first row that is wrong, if any."""
    rows = np.flatnonzero(np.asarray(wrong))
    if not len(rows):
        return
    number, cells = file.row(int(rows[0]))
    names = [column.partition(":")[0] for column in file.row(-1)[1]]
    cell = cells[names.index(field)][:60]
    more = f" ({len(rows)} rows are like that)" if len(rows) > 1 else ""
    raise file.fail(number, f"has {cell!r} as '{field}', {why.format(field=field)}{more}.")
