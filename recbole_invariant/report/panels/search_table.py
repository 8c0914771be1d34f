"""The trials of a search, best first, and why the first failed one failed."""

from typing import Any

from markupsafe import Markup

from recbole_invariant.report.panels.base import Panel
from recbole_invariant.report.searches import Search, Trial, objective_title
from recbole_invariant.report.wording import DASH, number, seconds
from recbole_invariant.tuning.shown_options import option_names
from recbole_invariant.tuning.summary import ranked
from recbole_invariant.tuning.trial_table import first_failure, remark, show

FIRST = 20
"""Trials shown at once; the others are folded."""


def make(search: Search) -> Panel:
    """Lay the trials out."""
    names = option_names(search.summary)
    rows = [_row(search, trial, names) for trial in ranked(search.summary)]
    failed = first_failure(search.summary)
    content: dict[str, Any] = {
        "objectives": [objective_title(one) for one in search.objectives],
        # a long name is broken behind an underscore
        "options": [Markup("_<wbr>").join(name.split("_")) for name in names],
        "tables": [rows[:FIRST], *([rows[FIRST:]] if len(rows) > FIRST else [])],
        "failed": (failed["number"], failed["problem"].rstrip()) if failed else None,
    }
    return Panel("search_table", "Trials", content)


def _row(search: Search, trial: Trial, names: list[str]) -> dict[str, Any]:
    options = search.options[trial["number"]]
    epoch = trial["best_epoch"]
    return {
        "number": trial["number"],
        "style": search.looks[trial["number"]],
        "remark": remark(search.summary, trial),
        "best": trial["number"] == search.summary["best"],
        "values": [number(search.value(trial, one)) for one in search.objectives],
        "epoch": DASH if epoch is None else epoch,
        "validations": trial["validations"],
        "time": seconds(trial["seconds"]),
        "options": [show(options[name]) if name in options else DASH for name in names],
    }
