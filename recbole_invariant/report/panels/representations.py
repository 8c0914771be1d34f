"""What Irl4Rec's two representations hold: dependence, what each predicts, what can be read off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.group import Group
from recbole_invariant.report.judgement import by_ood_mean
from recbole_invariant.report.panels.base import Panel, mean
from recbole_invariant.report.panels.margin_table import signed
from recbole_invariant.report.wording import number

NAME, TITLE = "representations", "What t and s hold"
DIGITS = 3
WORDS = {"adjustment": "t", "spurious": "s", "cue": "last item"}

MEASURED = {
    "Dependence": {"xcov": "xcov", "hsic": "hsic"},
    "Pairwise loss": {"adjustment_pairwise_loss": "t", "spurious_pairwise_loss": "s"},
    "Pairwise AUC": {
        "adjustment_pairwise_auc": "t",
        "spurious_pairwise_auc": "s",
        "spurious_pairwise_auc_shuffled": "s, shuffled",
    },
}
"""Groups of columns: keys of `diagnostics.representations` and their names."""

ASKED = {"last_item": "{}, last item", "target": "{}, target"}

Values = dict[tuple[str, str], float]
"""Group and name of a column -> value."""


@dataclass(frozen=True)
class RepresentationRow:
    """A model's values.

    Attributes:
        label: the model.
        style: its look.
        dead: in how many of its seeds s says nothing of the history, in words; empty for none.
        cells: a written number a column.
    """

    label: str
    style: Style
    dead: str
    cells: list[str]


def make(group: Group) -> Panel:
    """Lay out one table, a row for each model whose runs measured their representations."""
    values = {
        label: average([found for record in group.records(label) if (found := collect(record))])
        for label in by_ood_mean(group)
    }
    columns = list(dict.fromkeys(key for by_column in values.values() for key in by_column))
    if not columns:
        return Panel(NAME, TITLE, missing="no model here has two representations", asked_for=True)
    # what one model lacks and another has stands beside its own kind
    names = list(dict.fromkeys([*MEASURED, *(name for name, _ in columns)]))
    columns.sort(key=lambda column: names.index(column[0]))
    rows = [
        RepresentationRow(
            label,
            group.styles[label],
            dead_seeds(group.records(label)),
            [_written(column, by_column.get(column)) for column in columns],
        )
        for label, by_column in values.items()
        if by_column
    ]
    widths = {name: sum(name == other for other, _ in columns) for name in names}
    content = {
        "groups": [(name, width) for name, width in widths.items() if width],
        "columns": [name for _, name in columns],
        "first": [k == 0 or columns[k - 1][0] != columns[k][0] for k in range(len(columns))],
        "rows": rows,
        "several": len(group.comparison.seeds) > 1,
        "chance": number(log(2), DIGITS),
        "probed": len(names) > len(MEASURED),
    }
    return Panel(NAME, TITLE, content)


def collect(record: Mapping[str, Any]) -> Values:
    """List a run's values by column.

    Args:
        record: `run.json`, with `diagnostics.representations` and `diagnostics.probes` where the
            run measured its representations.
    """
    diagnostics = record.get("diagnostics") or {}
    measured = diagnostics.get("representations") or {}
    found = {
        (group, name): measured[key]
        for group, keys in MEASURED.items()
        for key, name in keys.items()
        if key in measured
    }
    for field, asked in (diagnostics.get("probes") or {}).items():
        for where, aucs in asked.items():
            for name, auc in aucs.items():
                found[ASKED[where].format(field), WORDS[name]] = auc
    return {column: float(value) for column, value in found.items() if value is not None}


def average(values: Sequence[Values]) -> Values:
    """Average over the seeds that have a column."""
    columns = dict.fromkeys(column for one in values for column in one)
    return {column: mean([one[column] for one in values if column in one]) for column in columns}


def dead_seeds(records: Sequence[Mapping[str, Any]]) -> str:
    """Say in how many seeds s says nothing of the history; empty where it is alive in all."""
    alive = [(record.get("diagnostics") or {}).get("spurious_alive") for record in records]
    n_dead = sum(one is False for one in alive)
    if not n_dead:
        return ""
    return "s is dead" if len(alive) == 1 else f"s is dead in {n_dead} of {len(alive)} seeds"


def _written(column: tuple[str, str], value: float | None) -> str:
    """Write a value; dependence less chance has a sign."""
    if value is not None and column[0] == next(iter(MEASURED)):
        return signed(value)
    return number(value, DIGITS)
