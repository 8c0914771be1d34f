"""The table of what the models close of the gap to the oracle."""

import math
from collections.abc import Mapping
from typing import Any

from recbole_invariant.comparison.cells import MIN_SEEDS, Grid
from recbole_invariant.comparison.summary import Comparison

SHARE = ("mean", "low", "high")
CHANGE = ("iid_change", "iid_low", "iid_high")
"""Columns of `Comparison.closed`: a value and the ends of its interval."""

Row = Mapping[Any, Any]


def closed_heading(comparison: Comparison, metric: str) -> str:
    """Name the table."""
    return (
        f"{metric}: share of the gap between {comparison.baseline} and {comparison.oracle} "
        f"that is closed [{comparison.level:.0%} interval]"
    )


def closed_grid(comparison: Comparison, metric: str) -> Grid:
    """Lay out the shares: a line a model, a column a shifted test, then the change on `iid`."""
    part = comparison.closed[comparison.closed["metric"] == metric]
    found = {(row["model"], row["test"]): row for row in part.to_dict("records")}
    tests = [test for test in comparison.test_sets if test in set(part["test"])]
    n_seeds = len(comparison.seeds)
    lines = []
    for model in dict.fromkeys(part["model"]):
        rows = [found.get((model, test)) for test in tests]
        one = next(row for row in rows if row is not None)
        change = _with_ends(one, CHANGE, "+.1%")
        shares = [_with_ends(row, SHARE, ".2f") for row in rows]
        missing = "" if one["n_seeds"] == n_seeds else f" (n={one['n_seeds']})"
        lines.append([model + comparison.marks[model] + missing, *shares, change])
    return ["model", *tests, "change|on iid"], lines


def _with_ends(row: Row | None, names: tuple[str, str, str], form: str) -> str:
    if row is None:
        return ""
    value, interval = share_text(row, names, form)
    return f"{value} [{interval}]" if interval else value


def share_text(row: Row, names: tuple[str, str, str], form: str) -> tuple[str, str]:
    """Write a value and both ends of its interval, which is empty where there is none to show.

    It stands from `MIN_SEEDS` seeds on. The baseline's and the oracle's own shares are 0 and 1 by
    definition and have none. A share of a gap that is not clear of 0 may be any number: `n/a`.

    Args:
        row: of `Comparison.closed`.
        names: columns of the value and the ends, `SHARE` or `CHANGE`.
        form: format of a number.
    """
    value, low, high = (row[name] for name in names)
    if math.isnan(value) or (names == SHARE and _is_vague(row)):
        return "n/a", ""
    text = _number(value, form)
    if row["n_seeds"] < MIN_SEEDS or math.isnan(low) or high - low < 1e-5:
        return text, ""
    return text, f"{_number(low, form)}, {_number(high, form)}"


def _is_vague(row: Row) -> bool:
    """Say whether there are seeds for Fieller's interval, but none as the gap may be 0."""
    return bool(row["n_seeds"] > 1 and math.isnan(row["low"]))


def _number(value: float, form: str) -> str:
    """Write a number; one that is 0 to the digits shown has no minus."""
    text = f"{value:{form}}"
    return text if text.strip("-0.%") else f"{0.0:{form}}"
