"""What a search gained on validation, and what its best options reach on the tests."""

from collections.abc import Mapping
from typing import Any

from recbole_invariant.data.splits.base import is_test
from recbole_invariant.report.panels.base import Panel
from recbole_invariant.report.searches import Search, objective_title
from recbole_invariant.report.wording import listed, metric_title, number, seconds, set_title
from recbole_invariant.tuning.summary import trial_of
from recbole_invariant.tuning.trial_table import beside_defaults, show

STATUS_WORDS = {
    "done": "done",
    "stopped": "stopped early",
    "failed": "failed",
    "running": "running",
    "waiting": "waiting",
}


def make(search: Search) -> Panel:
    """Say it in a sentence, with the counts of the trials and the sealed result."""
    best = search.best
    content: dict[str, Any] = {
        "headline": headline(search),
        "named": best is not None and best["number"] != search.summary["defaults"],
        "details": [_counts(search), *_measured_elsewhere(search)],
        "options": [f"--{k}={show(v)}" for k, v in best["options"].items()] if best else [],
        "caveats": _caveats(search),
        "sealed": _sealed(search.record) if search.record else None,
    }
    return Panel("search_headline", "What the search found", content)


def headline(search: Search) -> str:
    """Say what was found, in one sentence."""
    best = search.best
    if best is None:
        return "No trial came to a validation of its final stage, so nothing is chosen."
    gains, is_default = search.summary["gain"], best["number"] == search.summary["defaults"]
    said = [
        f"{objective_title(one)} {number(gains[one.name]['best'])}"
        + ("" if is_default else beside_defaults(search.summary, one.name))
        for one in search.objectives
    ]
    if len(said) == 1:
        who = f"Trial {best['number']} is the best"
        if is_default:
            who = "No trial is better than the defaults on validation"
        return f"{who}: {said[0]}."
    who = f"Trial {best['number']}"
    who += " (the defaults)" if is_default else ""
    n = len(search.summary["pareto"])
    return f"{who} is the compromise of the {n} on the Pareto set: {'; '.join(said)}."


def _counts(search: Search) -> str:
    n, counts = len(search.trials), search.summary["counts"]
    said = [f"{counts[key]} {words}" for key, words in STATUS_WORDS.items() if counts.get(key)]
    took = seconds(search.summary["seconds"])
    return f"{n} trial{'s' if n != 1 else ''} ({search.method}) in {took}: {listed(said)}."


def _measured_elsewhere(search: Search) -> list[str]:
    """Say where the options of a search of `compare --tune` are measured."""
    if search.best is None or search.record is not None or search.comparison is None:
        return []
    return [f"The comparison {search.comparison} has measured its best options on the tests."]


def _caveats(search: Search) -> list[str]:
    counts, best = search.summary["counts"], search.best
    default = trial_of(search.summary, search.summary["defaults"])
    found = []
    n_open = counts.get("waiting", 0) + counts.get("running", 0)
    if n_open:
        found.append(
            f"{n_open} trial{'s have' if n_open != 1 else ' has'} not ended; tune --resume goes on."
        )
    chosen = best is not None and best != default
    if chosen and default and default["status"] == "stopped":
        found.append(
            f"the defaults were stopped after {default['validations']} validations, so the gain "
            "over them may be less than it looks."
        )
    if chosen and len(search.trials) > 1:
        found.append(
            f"the best of {len(search.trials)} validation figures flatters itself; what the "
            "options are worth, the tests say."
        )
    if best is not None and search.record is None and search.comparison is None:
        found.append("the best options have not been measured on the tests (no best/run.json).")
    return found


def _sealed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Lay the metrics of the tests out."""
    tests = {name: values for name, values in record["metrics"].items() if is_test(name)}
    metrics = list(dict.fromkeys(metric for values in tests.values() for metric in values))
    return {
        "metrics": [metric_title(metric) for metric in metrics],
        "rows": [
            (set_title(name), [number(values.get(metric)) for metric in metrics])
            for name, values in sorted(tests.items(), key=lambda pair: pair[0] == "iid")
        ],
        "seed": record.get("seed"),
    }
