"""What the models close of the gap to an oracle, as a table below the results."""

from dataclasses import dataclass
from typing import Any

from recbole_invariant.comparison.oracle_grid import CHANGE, SHARE, share_text
from recbole_invariant.report.group import Group
from recbole_invariant.report.judgement import by_ood_mean
from recbole_invariant.report.panels.table_cell import Cell
from recbole_invariant.report.wording import DASH, set_title


@dataclass(frozen=True)
class ClosedTable:
    """A table of shares.

    Attributes:
        columns: titles of the shifted tests.
        rows: `label`, `style`, `n_seeds` and `cells`: a test each, then the change on IID.
    """

    columns: list[str]
    rows: list[dict[str, Any]]


def closed_table(group: Group) -> ClosedTable | None:
    """Lay out the judging metric's shares in the order of the results; None without an oracle."""
    table = group.comparison.closed
    part = table[table["metric"] == group.metric] if len(table) else table
    if part.empty:
        return None
    found = {(row["model"], row["test"]): row for row in part.to_dict("records")}
    tests = [test for test in group.ood_tests if test in set(part["test"])]
    rows = []
    for label in by_ood_mean(group):
        shares = [found.get((label, test)) for test in tests]
        one = next((row for row in shares if row is not None), None)
        if one is not None:
            cells = [*(_cell(row, SHARE, ".2f") for row in shares), _cell(one, CHANGE, "+.1%")]
            row = {"label": label, "style": group.styles[label], "cells": cells}
            rows.append({**row, "n_seeds": one["n_seeds"]})
    return ClosedTable([set_title(test) for test in tests], rows)


def _cell(row: Any, names: tuple[str, str, str], form: str) -> Cell:
    """Write a value and its interval with the page's minus."""
    if row is None:
        return Cell(DASH)
    value, interval = share_text(row, names, form)
    minus = "\N{MINUS SIGN}"
    return Cell(value.replace("-", minus), interval.replace("-", minus))
