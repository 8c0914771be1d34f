"""Which options the good trials have: parallel coordinates."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from recbole_invariant.report.charts.parallel import Axis, Case, Value, parallel_coordinates
from recbole_invariant.report.panels.base import Panel
from recbole_invariant.report.searches import Search, Trial, objective_title
from recbole_invariant.report.wording import number
from recbole_invariant.tuning.objectives import Objective
from recbole_invariant.tuning.shown_options import option_names
from recbole_invariant.tuning.trial_table import show

NAME, TITLE = "search_options", "Options and what they reach"


def make(search: Search) -> Panel:
    """Draw a line for each trial, through its options to its objectives."""
    trials, space = search.trials, search.summary["search"].get("space") or {}
    drawn = search.options.values()
    names = option_names(search.summary)
    if not names:
        return Panel(NAME, TITLE, missing="no trial has options")
    axes = [
        option_axis(name, space.get(name), [one[name] for one in drawn if name in one])
        for name in names
    ]
    axes += [_objective_axis(search, one) for one in search.objectives]
    cases = [_case(search, trial, axes, names) for trial in search.upwards]
    first = objective_title(search.objectives[0])
    label = f"Options and objectives of {len(trials)} trials, a line each; deeper is better"
    content = {"figure": parallel_coordinates(axes, cases, label), "objective": first}
    return Panel(NAME, TITLE, content)


def option_axis(name: str, spec: Any, values: Sequence[Any]) -> Axis:
    """Make an option's axis.

    Args:
        name: the option.
        spec: how the space draws it, as in its YAML; None where it is not in the space.
        values: those of the trials; the defaults' may lie outside of the space.
    """
    kind, given = _kind(spec)
    numbers = [float(v) for v in (*given, *values) if _is_number(v)]
    if kind == "choice" or len(numbers) < len(given) + len(values):
        return Axis(name, tuple(dict.fromkeys(show(value) for value in (*given, *values))))
    low, high = min(numbers), max(numbers)
    whole = all(isinstance(value, int) for value in values)
    return Axis(name, low=low, high=high, log=kind.startswith("log") and low > 0, whole=whole)


def _kind(spec: Any) -> tuple[str, list[Any]]:
    """Read the kind of a dimension, and its choices or ends."""
    if isinstance(spec, list | tuple):
        return "choice", list(spec)
    for kind, given in (spec or {}).items():
        if kind not in ("when", "step") and isinstance(given, list | tuple):
            return str(kind), list(given)
    return "", []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _objective_axis(search: Search, one: Objective) -> Axis:
    low, high = search.drawn_range(one)
    values = [v for trial in search.trials if (v := search.value(trial, one)) is not None]
    whole = all(low <= value <= high for value in values)
    absent = "no value" if whole else f"{'lower' if one.bigger else 'higher'} or none"
    return Axis(objective_title(one), low=low, high=high, absent=absent)


def _case(search: Search, trial: Trial, axes: Sequence[Axis], names: Sequence[str]) -> Case:
    options = search.options[trial["number"]]
    values: list[Value] = []
    for axis, name in zip(axes, names, strict=False):
        value = options.get(name)
        if name in options and (axis.categories or not _is_number(value)):
            values.append(show(value))
        else:
            values.append(value)
    values += [
        search.value(trial, one) if search.is_drawn(trial, one) else None
        for one in search.objectives
    ]
    reached = ", ".join(
        f"{objective_title(one)} {number(search.value(trial, one))}" for one in search.objectives
    )
    said = ", ".join(f"{name}={show(value)}" for name, value in options.items())
    emphasised = "strong" if trial["number"] in search.marked else ""
    label = f"{search.name(trial)}: {reached}\n{said}"
    return Case(label, search.looks[trial["number"]], values, emphasised)
