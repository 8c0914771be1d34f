"""Tables with named snapshots below their models: the ends of the stages, and margins."""

import pandas as pd

from recbole_invariant.comparison.cells import Grid, show_value
from recbole_invariant.comparison.summary import Comparison


def margins_heading(comparison: Comparison, metric: str) -> str:
    """Name the table of margins."""
    return f"{metric}: margin over the frontier of {comparison.baseline}"


def margins_grid(comparison: Comparison, metric: str, sign: str = "±") -> Grid:
    """Lay out the margins over the baseline's frontier: a line a model, a column a shifted test.

    Named snapshots of a model stand below it.
    """
    return _grid(comparison, comparison.margins, metric, sign, plus="+")


def ends_heading(metric: str) -> str:
    """Name the table of the ends of the stages."""
    return f"{metric} at the ends of the stages"


def ends_grid(comparison: Comparison, metric: str, sign: str = "±") -> Grid:
    """Lay out what named snapshots reach: a line each below their model's, a column a test."""
    return _grid(comparison, comparison.ends, metric, sign)


def _grid(
    comparison: Comparison, table: pd.DataFrame, metric: str, sign: str, plus: str = ""
) -> Grid:
    part = table[table["metric"] == metric]
    found = {(row["model"], row["snapshot"], row["test"]): row for _, row in part.iterrows()}
    tests = [test for test in comparison.test_sets if test in set(part["test"])]
    n_seeds = len(comparison.seeds)
    lines = []
    for model, snapshot in dict.fromkeys(zip(part["model"], part["snapshot"], strict=True)):
        named = model + comparison.marks[model] + (f": {snapshot}" if snapshot else "")
        rows = [found.get((model, snapshot, test)) for test in tests]
        lines.append([named, *(show_value(row, n_seeds, sign, plus) for row in rows)])
    return ["model", *tests], lines
