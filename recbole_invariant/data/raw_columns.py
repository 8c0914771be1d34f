"""The interactions as the files have them: times and other columns before RecBole scales them.

RecBole scales the floats that `normalize_field` names to [0, 1] and holds them as float32, which
cannot tell apart two seconds of the same day. A boundary in time has to be drawn on the file's
own numbers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import numpy as np
import pandas as pd
from recbole.data.dataset import Dataset
from recbole.utils.enum_type import FeatureType

from recbole_invariant.data.splits.base import Interactions

RAW = "raw_floats"
"""Attribute of a dataset: a table of its float columns as in the file, rows as in `inter_feat`."""


@contextmanager
def keep_raw_floats() -> Iterator[None]:
    """Let datasets loaded inside the block remember their float columns as the files have them.

    RecBole fills a missing number with the column's mean, a time too, and scales afterwards.
    """
    host = Dataset._fill_nan

    @wraps(host)
    def fill_nan(self: Any) -> None:
        floats = [f for f in self.inter_feat if self.field2type[f] == FeatureType.FLOAT]
        setattr(self, RAW, self.inter_feat[floats].copy())
        host(self)

    Dataset._fill_nan = fill_nan
    try:
        yield
    finally:
        Dataset._fill_nan = host


def request_column(config: Any) -> None:
    """Ask RecBole to load the column that the protocol cuts by: `column` and `temporal`.

    It is dropped after the cut unless the user loads it: it says which test a row is in.

    Args:
        config: reads `ood`, `column_field` and `TIME_FIELD`; `load_col` and `unused_col` are
            changed.
    """
    cuts_by = {"column": config["column_field"], "temporal": config["TIME_FIELD"]}
    field, load = cuts_by.get(config["ood"]), config["load_col"]
    if not field or not load or field in load.get("inter", []):
        return
    config["load_col"] = {**load, "inter": [*load["inter"], field]}
    unused = dict(config["unused_col"] or {})
    config["unused_col"] = {**unused, "inter": [*unused.get("inter", []), field]}


def interactions_of(dataset: Any, with_columns: bool = True) -> Interactions:
    """Read the interactions of a dataset that RecBole has not built yet.

    Args:
        dataset: a RecBole dataset; its table may be pandas' or RecBole's.
        with_columns: whether to read the columns beside users, items and times, as text where
            they hold tokens; one protocol asks for them, and many rows of text take memory.

    Returns:
        All rows in their order, columns by name.
    """
    table = dataset.inter_feat
    raw: pd.DataFrame | None = getattr(dataset, RAW, None)
    fields = [f for f in table if dataset.field2type[f] in (FeatureType.TOKEN, FeatureType.FLOAT)]
    known = (dataset.uid_field, dataset.iid_field)
    fields = [f for f in fields if with_columns or f == dataset.time_field]
    columns: dict[str, np.ndarray] = {}
    for field in fields:
        if field in known:
            continue
        if raw is not None and field in raw:
            columns[field] = raw[field].to_numpy(dtype=np.float64)
        elif dataset.field2type[field] == FeatureType.TOKEN:
            columns[field] = np.asarray(dataset.field2id_token[field])[_values(table, field)]
        else:
            columns[field] = _values(table, field).astype(np.float64)
    times = columns.get(dataset.time_field) if dataset.time_field else None
    return Interactions(
        _values(table, dataset.uid_field).astype(np.int64),
        _values(table, dataset.iid_field).astype(np.int64),
        None if times is None else whole_numbers(times),
        _files(dataset),
        columns if with_columns else {},
    )


def whole_numbers(times: np.ndarray) -> np.ndarray:
    """Return times as int64 where all are whole numbers, unchanged otherwise."""
    if np.issubdtype(times.dtype, np.floating) and (times == np.floor(times)).all():
        return times.astype(np.int64)
    return times


def _values(table: Any, field: str) -> np.ndarray:
    """Read a column of either kind of table."""
    return np.asarray(table[field])


def _files(dataset: Any) -> np.ndarray | None:
    """Name the benchmark file of every row; None where the data is one file."""
    names = dataset.benchmark_filename_list
    return None if names is None else np.repeat(np.asarray(names), dataset.file_size_list)
