"""What models reach at the ends of their stages, in the columns of the results table."""

from typing import Any

from recbole_invariant.comparison.cells import MIN_SEEDS
from recbole_invariant.comparison.snapshot_means import SELECTED
from recbole_invariant.report.group import Group
from recbole_invariant.report.judgement import by_ood_mean
from recbole_invariant.report.panels.table_cell import Cell
from recbole_invariant.report.wording import DASH, number


def ends_rows(group: Group) -> list[dict[str, Any]]:
    """Lay out a row for the selected weights of each model and for each of its named snapshots.

    Returns:
        `label`, `style`, `snapshot` (empty for selected weights) and `cells`, in the columns of the
        results table; models without a named snapshot are left out.
    """
    ends = group.comparison.ends
    found = {
        (row["model"], row["snapshot"], row["test"], row["metric"]): row
        for _, row in ends.iterrows()
    }
    columns = [(test, metric) for test in group.tests for metric in group.metrics]
    rows = []
    for label in by_ood_mean(group):
        snapshots = dict.fromkeys(ends.loc[ends["model"] == label, "snapshot"])
        rows += [
            {
                "label": label,
                "style": group.styles[label],
                "snapshot": "" if snapshot == SELECTED else snapshot,
                "cells": [_cell(found.get((label, snapshot, *column))) for column in columns],
            }
            for snapshot in snapshots
        ]
    return rows


def _cell(row: Any) -> Cell:
    """Write a mean and half its interval, which is not shown of few seeds."""
    if row is None:
        return Cell(DASH)
    half = number((row["high"] - row["low"]) / 2) if row["n_seeds"] >= MIN_SEEDS else ""
    return Cell(number(row["mean"]), half)
