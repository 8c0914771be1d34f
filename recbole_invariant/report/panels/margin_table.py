"""Margins over the baseline's frontier as a table: a row a line, a column a shifted test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from recbole_invariant.comparison.cells import MIN_SEEDS
from recbole_invariant.report.group import Group
from recbole_invariant.report.judgement import by_ood_mean
from recbole_invariant.report.panels.table import MARKS, knowledge
from recbole_invariant.report.standing import Standing
from recbole_invariant.report.wording import DASH, set_title

DIGITS = 4
SELECTED = ""
"""The snapshot of a run's selected weights, as in `Comparison.margins`."""

Margins = Mapping[tuple[str, str, str], Mapping[str, Any]]
"""Label, snapshot and test -> row of `Comparison.margins`."""


@dataclass(frozen=True)
class MarginCell:
    """A margin.

    Attributes:
        value: its mean over seeds, written with its sign.
        interval: both ends, with signs; empty where there are fewer than `MIN_SEEDS` seeds.
        mark: that of the results table for better where the mean is above zero: the full one
            where the interval is as well.
    """

    value: str
    interval: str = ""
    mark: str = ""


@dataclass(frozen=True)
class MarginTable:
    """A table of margins.

    Attributes:
        groups: a shifted test's title and the number of its columns.
        columns: what stands below it, the snapshots; empty where each group is one column.
        rows: `label`, `style`, `baseline`, `knows`, `n_seeds` and `cells` of each line.
    """

    groups: list[tuple[str, int]]
    columns: list[str]
    rows: list[dict[str, Any]]


def group_margins(group: Group) -> Margins:
    """Look the margins of the judging metric up."""
    table = group.comparison.margins
    part = table[table["metric"] == group.metric]
    return {
        (str(row["model"]), str(row["snapshot"]), str(row["test"])): {
            name: row[name] for name in ("n_seeds", "mean", "low", "high")
        }
        for _, row in part.iterrows()
    }


def selected_table(group: Group) -> MarginTable | None:
    """Lay out the margins of the selected weights, every line in the results table's order.

    A line that was not held against the frontier has dashes. None where no line was.
    """
    margins = group_margins(group)
    if not any(snapshot == SELECTED for _, snapshot, _ in margins):
        return None
    return _lay_out(group, margins, [SELECTED], by_ood_mean(group))


def snapshot_table(group: Group) -> MarginTable | None:
    """Lay out the margins of the named snapshots, lines without one left out; None without any."""
    margins = group_margins(group)
    names = [name for name in dict.fromkeys(name for _, name, _ in margins) if name != SELECTED]
    have = {label for label, name, _ in margins if name != SELECTED}
    labels = [label for label in by_ood_mean(group) if label in have]
    return _lay_out(group, margins, names, labels) if labels else None


def _lay_out(
    group: Group, margins: Margins, names: Sequence[str], labels: Sequence[str]
) -> MarginTable:
    tests = [test for test in group.ood_tests if any(key[2] == test for key in margins)]
    rows = [
        {
            "label": label,
            "style": group.styles[label],
            "baseline": label == group.comparison.baseline,
            "knows": knowledge(group, label),
            "n_seeds": len(group.runs[label]),
            "cells": [margin_cell(margins.get((label, n, test))) for test in tests for n in names],
        }
        for label in labels
    ]
    columns = [name for _ in tests for name in names] if list(names) != [SELECTED] else []
    return MarginTable([(set_title(test), len(names)) for test in tests], columns, rows)


def margin_cell(row: Mapping[str, Any] | None) -> MarginCell:
    """Write a margin.

    Args:
        row: `n_seeds`, `mean`, `low`, `high`; None where it was not measured.
    """
    if row is None:
        return MarginCell(DASH)
    mean, low, high = (round(float(row[name]), DIGITS) for name in ("mean", "low", "high"))
    sure = row["n_seeds"] >= MIN_SEEDS and isfinite(low) and isfinite(high)
    mark = ""
    if mean > 0:
        mark = MARKS[Standing.BETTER if sure and low > 0 else Standing.PARTLY_BETTER]
    return MarginCell(signed(mean), f"{signed(low)} to {signed(high)}" if sure else "", mark)


def signed(value: float) -> str:
    """Write a number with a sign that is as wide as a digit; zero has none."""
    written = f"{value:+.{DIGITS}f}".replace("-", "\N{MINUS SIGN}")
    return written if float(f"{value:.{DIGITS}f}") else written[1:]
