"""The table: means with intervals, marks of significance, times."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from recbole_invariant.report.charts.intervals import Estimate
from recbole_invariant.report.group import Group
from recbole_invariant.report.judgement import by_ood_mean
from recbole_invariant.report.panels.base import Panel
from recbole_invariant.report.panels.closed_table import closed_table
from recbole_invariant.report.panels.ends_table import ends_rows
from recbole_invariant.report.panels.table_cell import Cell
from recbole_invariant.report.standing import Standing, standings
from recbole_invariant.report.wording import (
    DASH,
    metric_title,
    number,
    p_value,
    seconds,
    set_title,
    smaller_is_better,
)

MARKS = {
    Standing.BETTER: "▲",
    Standing.PARTLY_BETTER: "△",
    Standing.WORSE: "▼",
    Standing.PARTLY_WORSE: "▽",
}


def make(group: Group) -> Panel:
    """Lay the means out."""
    order = by_ood_mean(group)
    columns = [(test, metric) for test in group.tests for metric in group.metrics]
    by_column = [column_cells(group, order, test, metric) for test, metric in columns]
    times = {str(row["model"]): row for _, row in group.comparison.times.iterrows()}
    rows = [
        {
            "label": label,
            "style": group.styles[label],
            "baseline": label == group.comparison.baseline,
            "knows": knowledge(group, label),
            "cells": [cells[label] for cells in by_column],
            "n_seeds": len(group.runs[label]),
            "training": seconds(times[label]["training_seconds"]) if label in times else DASH,
            "evaluation": seconds(times[label]["evaluation_seconds"]) if label in times else DASH,
        }
        for label in order
    ]
    said = " ".join(group.comparison.notes)
    content: dict[str, Any] = {
        "groups": [(set_title(test), len(group.metrics)) for test in group.tests],
        "metrics": [metric_title(metric) for _, metric in columns],
        "first": [k % len(group.metrics) == 0 for k in range(len(columns))],
        "rows": rows,
        "ends": ends_rows(group),
        "closed": closed_table(group),
        "oracle": group.comparison.oracle,
        "judged": metric_title(group.metric),
        "racing": " among models that do not see the truth" if group.truth_knowing else "",
        "level": f"{group.comparison.level:.0%}",
        "intervals": group.has_intervals,
        "baseline": group.comparison.baseline,
        "rules": [rule for rule in group.comparison.selection_rules if rule not in said],
        "notes": group.comparison.notes,
        "seeds": group.comparison.seeds,
    }
    return Panel("table", "Results", content)


def knowledge(group: Group, label: str) -> str:
    """Say what a model sees that others do not; empty where it sees nothing."""
    if label in group.test_selected:
        return "selected on the test"
    return "sees the truth" if label in group.truth_knowing else ""


def column_cells(group: Group, labels: Sequence[str], test: str, metric: str) -> dict[str, Cell]:
    """Write one column of the table."""
    tests, baseline = group.comparison.tests, group.comparison.baseline
    judged = standings(tests, labels, baseline, [test], metric)
    estimates = {label: group.estimate(label, test, metric) for label in labels}
    # who sees the truth is not in the race
    racing = [
        estimate.mean
        for label, estimate in estimates.items()
        if estimate is not None and label not in group.truth_knowing
    ]
    best = (min if smaller_is_better(metric) else max)(racing) if racing else None
    cells = {}
    for label, estimate in estimates.items():
        if estimate is None:
            cells[label] = Cell(DASH)
            continue
        where = (tests["model"] == label) & (tests["test"] == test) & (tests["metric"] == metric)
        cells[label] = Cell(
            number(estimate.mean),
            half_width(estimate),
            MARKS.get(judged[label, test], ""),
            describe_tests(tests[where]),
            estimate.mean == best and label not in group.truth_knowing,
        )
    return cells


def half_width(estimate: Estimate) -> str:
    """Write half of an interval, which is symmetric."""
    if estimate.high is None:
        return ""
    return number(estimate.high - estimate.mean)


def describe_tests(tests: pd.DataFrame) -> str:
    """Say what the paired tests of a cell found, a line each."""
    return "\n".join(
        f"over {row['n']} {row['over']}: difference {row['difference']:+.4f}, Holm's p "
        f"{p_value(row['p_holm'])}, {row['effect_name']} {number(row['effect_size'], 2)}"
        for _, row in tests.iterrows()
    )
