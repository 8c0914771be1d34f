"""Domain shift by a column: rows of some of its values are the test, the others train.

Any column of the interactions can name the domain: a place, a device, a month, a rating. One value
a row, as text or as a number; a number with many values is cut into quantiles `q1`, `q2`, ...
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch

from recbole_invariant.data.splits.base import Interactions, Split
from recbole_invariant.data.splits.held_out import choose_groups, read_share
from recbole_invariant.data.splits.ratio import split_users_by_ratio
from recbole_invariant.errors import InputError, suggest
from recbole_invariant.seeding import numpy_generator

SHOWN = 20
NO_VALUE = ("", "[PAD]")
"""Text that stands for no value; RecBole pads empty tokens with the second."""


@dataclass(frozen=True)
class Domains:
    """The values of a column.

    Attributes:
        names: of the values.
        codes: `(n,)`, number of each row's value in `names`, -1 where it has none.
        ranges: smallest and largest number of each quantile; empty without quantiles.
    """

    names: list[str]
    codes: np.ndarray
    ranges: dict[str, list[float]] = field(default_factory=dict)

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each value."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))


def split(
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None = None,
) -> Split:
    """Hold out the rows of some values, then cut the rest for each user.

    No row of a held-out value is ever trained on, so users (or items) that occur with held-out
    values only are dropped as unseen. Rows without a value stay in the pool.

    Options read: `column_field` (name of the column), `column_held_out` (values, one test each;
    None: the least frequent values, or the highest quantiles, together one test),
    `column_share` (of the rows in that one test, about), `column_bins` (quantiles of a number
    with more values than that), `pool_ratio`.

    Returns:
        train, valid, iid and `ood_column`, or `ood_column_1`, `_2`, ... in the order of
        `column_held_out`; `notes["held_out"]` says which values each holds.

    Raises:
        InputError: there is no such column or value, or no value would be left for training.
    """
    name = options["column_field"]
    domains = find_domains(_column(interactions, name), _bins(options))
    if len(domains.names) < 2:
        raise InputError(
            f"column_field: '{name}' has {len(domains.names)} value in these rows; a shift needs "
            "two or more."
        )
    tests = _tests(domains, options, len(interactions))
    held_out = {
        test: np.flatnonzero(np.isin(domains.codes, group)) for test, group in tests.items()
    }
    pool = np.setdiff1d(np.arange(len(interactions)), np.concatenate(list(held_out.values())))
    rng = numpy_generator(seed, "data")
    train, valid, iid = split_users_by_ratio(interactions.users, pool, options["pool_ratio"], rng)
    parts = {"train": train, "valid": valid, "iid": iid, **held_out}
    notes = {
        "field": name,
        "values": len(domains.names),
        "held_out": {test: [domains.names[c] for c in group] for test, group in tests.items()},
        "rows_without_value": int((domains.codes < 0).sum()),
        "quantiles": domains.ranges,
    }
    return Split(parts, notes)


def options_for_share(
    interactions: Interactions, options: Mapping[str, Any], share: float
) -> dict[str, Any]:
    """Give the options under which about this share of the rows is held out."""
    return {"column_held_out": None, "column_share": share}


def _column(interactions: Interactions, name: str | None) -> np.ndarray:
    """Find the column."""
    known = ", ".join(interactions.columns) or "none"
    if name is None:
        raise InputError(f"column_field: name the column of the protocol column; there is {known}.")
    if name not in interactions.columns:
        raise InputError(
            f"column_field: the .inter file has no column '{name}' of single values."
            f"{suggest(name, interactions.columns)} Loaded from it: {known}. Columns of users and "
            "items cannot be held out: give the interactions a column of it, or see the protocols "
            "cluster and cold."
        )
    return interactions.columns[name]


def _bins(options: Mapping[str, Any]) -> int:
    """Read the number of quantiles."""
    bins = options["column_bins"]
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 2:
        raise InputError(f"column_bins: expected a whole number >= 2, not {bins}")
    return bins


def find_domains(column: np.ndarray, bins: int) -> Domains:
    """Number the values of a column.

    Args:
        column: `(n,)`, text or numbers; empty text, `[PAD]`, None and NaN are no value.
        bins: numbers with more values than that are cut into so many quantiles (fewer, where
            equal numbers would fall into several).

    Returns:
        The values in their order: numbers by size, text by its characters.
    """
    if not np.issubdtype(column.dtype, np.number):
        series = pd.Series(column, dtype=object)
        found, texts = pd.factorize(series.where(~series.isin(NO_VALUE)), sort=True)
        return Domains([str(text) for text in texts], found.astype(np.int64))
    codes = np.full(len(column), -1, dtype=np.int64)
    there = np.isfinite(column)
    values, codes[there] = np.unique(column[there], return_inverse=True)
    if len(values) <= bins:
        return Domains([number_name(value) for value in values], codes)
    edges = np.quantile(column[there], np.linspace(0, 1, bins + 1)[1:-1])
    codes[there] = np.unique(
        np.searchsorted(edges, column[there], side="right"), return_inverse=True
    )[1]
    names = [f"q{k + 1}" for k in range(int(codes.max()) + 1)]
    ranges = {}
    for code, name in enumerate(names):
        inside = column[codes == code]
        ranges[name] = [float(inside.min()), float(inside.max())]
    return Domains(names, codes, ranges)


def number_name(value: Any) -> str:
    """Write a number with as few digits as tell it apart: 4.0 is `4`."""
    if isinstance(value, int | np.integer):
        return str(value)
    return str(np.format_float_positional(value, trim="-"))


def _tests(domains: Domains, options: Mapping[str, Any], n_rows: int) -> dict[str, list[int]]:
    """Name the tests and find the codes of each one's values."""
    groups = _held_out(domains, options, n_rows)
    if len(groups) == 1:
        return {"ood_column": groups[0]}
    return {f"ood_column_{k + 1}": group for k, group in enumerate(groups)}


def _held_out(domains: Domains, options: Mapping[str, Any], n_rows: int) -> list[list[int]]:
    """Find the codes of each test's values."""
    asked = options["column_held_out"]
    if asked is None:
        target = read_share(options, "column_share") * n_rows
        if domains.ranges:  # quantiles are equally frequent by their making
            highest = np.cumsum(domains.sizes[:0:-1])
            n_chosen = int(np.abs(highest - target).argmin()) + 1
            return [list(range(len(domains.names) - n_chosen, len(domains.names)))]
        return [choose_groups(domains.sizes, np.argsort(domains.sizes, kind="stable"), target)]
    values = asked if isinstance(asked, list | tuple) else [asked]
    wanted = [
        number_name(value) if isinstance(value, int | float) else str(value) for value in values
    ]
    unknown = [value for value in wanted if value not in domains.names]
    if unknown:
        shown = ", ".join(domains.names[:SHOWN]) + (", ..." if len(domains.names) > SHOWN else "")
        raise InputError(
            f"column_held_out: column '{options['column_field']}' has no value '{unknown[0]}'."
            f"{suggest(unknown[0], domains.names)} Its values: {shown}."
        )
    if not wanted or len(set(wanted)) < len(wanted) or len(wanted) == len(domains.names):
        raise InputError(
            f"column_held_out: expected some values of '{options['column_field']}', each once, "
            f"with one or more left for training; it is {wanted} of {len(domains.names)} values."
        )
    return [[domains.names.index(value)] for value in wanted]
