"""What a search found: every trial at its best, the choice among them, the gain over the defaults.

Everything follows from validation figures; no trial has any other.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.tuning.journal import DEFAULTS, Report, Trial
from recbole_invariant.tuning.objectives import Objective, compromise, pareto_set

SUMMARY_FILE = "summary.json"
STATUSES = ("waiting", "running", "done", "stopped", "failed")
RESULTS = ("best", "defaults", "pareto", "gain", "counts")

Summary = dict[str, Any]


def summarise(search: Mapping[str, Any], trials: Sequence[Trial], seconds: float) -> Summary:
    """Put a search's result together.

    A trial counts with its best report of the final stage by the first objective, and with all
    values of that same report: weights of one epoch. The best trial is, with one objective, the
    one with the best value (of equal ones the lowest number), with several the compromise of the
    Pareto set. A failed trial is never chosen: its options do not lead to a finished run.

    Args:
        search: what was asked (tune.json).
        trials: all of them, in any state.
        seconds: that the search took, over all its parts.

    Returns:
        The content of summary.json: `search`, `trials` by number, `best` (a number or None),
        `defaults` (the number of the trial with the model's defaults; None where it took others:
        population based training), `pareto` (numbers), `gain` by objective (`default`, `best` and
        `relative`, the share of the default's value by which the best is better), `counts` by
        status, `seconds`.
    """
    objectives = objectives_of(search)
    rows = [_row(trial, objectives) for trial in sorted(trials, key=lambda trial: trial.number)]
    able = [row for row in rows if _is_choosable(row)]
    points = [[row["values"][one.name] for one in objectives] for row in able]
    bigger = [one.bigger for one in objectives]
    best = able[compromise(points, bigger)]["number"] if able else None
    defaults = _defaults(search, rows)
    return {
        "search": dict(search),
        "trials": rows,
        "best": best,
        "defaults": defaults,
        "pareto": [able[k]["number"] for k in pareto_set(points, bigger)],
        "gain": {one.name: _gain(rows, best, defaults, one) for one in objectives},
        "counts": {status: sum(row["status"] == status for row in rows) for status in STATUSES},
        "seconds": seconds,
    }


def objectives_of(search: Mapping[str, Any]) -> list[Objective]:
    """Read the objectives of a search, the first one first."""
    return [
        Objective(str(one["split"]), str(one["metric"]), bool(one["bigger"]))
        for one in search["objectives"]
    ]


def _row(trial: Trial, objectives: Sequence[Objective]) -> dict[str, Any]:
    first = objectives[0]
    # a trial that went on from an older checkpoint repeats reports; the last counts
    final = {r.validations: r for r in trial.reports if r.validations > 0}
    reports = [final[k] for k in sorted(final) if _value(final[k], first.name) is not None]
    best = min(reports, key=lambda report: _cost(report, first)) if reports else None
    return {
        "number": trial.number,
        "options": dict(trial.options),
        "status": trial.status,
        "values": {one.name: _value(best, one.name) for one in objectives},
        "best_epoch": best.epoch if best else None,
        "validations": max(final, default=0),
        "seconds": trial.seconds,
        "problem": trial.problem,
        "curve": [[report.validations, report.values[first.name]] for report in reports],
    }


def _value(report: Report | None, name: str) -> float | None:
    """Return a value that can be compared, or None."""
    value = report.values.get(name) if report else None
    return float(value) if value is not None and math.isfinite(value) else None


def _cost(report: Report, objective: Objective) -> float:
    value = report.values[objective.name]
    return -value if objective.bigger else value


def _is_choosable(row: Mapping[str, Any]) -> bool:
    return row["status"] != "failed" and None not in row["values"].values()


def _defaults(search: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the number of the trial with the defaults, if it still has them.

    A member of a population takes other options on the way; no other trial does.
    """
    if DEFAULTS not in [row["number"] for row in rows]:
        return None
    if search.get("scheduler") != "pbt":
        return DEFAULTS
    options = next(row["options"] for row in rows if row["number"] == DEFAULTS)
    defaults = search.get("defaults") or {}
    # an option without a default begins with another value
    kept = all(defaults.get(name) in (None, value) for name, value in options.items())
    return DEFAULTS if kept else None


def _gain(
    rows: Sequence[Mapping[str, Any]],
    best: int | None,
    defaults: int | None,
    objective: Objective,
) -> dict[str, float | None]:
    values = {row["number"]: row["values"][objective.name] for row in rows}
    default = values[defaults] if defaults is not None else None
    found = values[best] if best is not None else None
    relative = None
    if default and found is not None:
        relative = (found - default) / abs(default) * (1 if objective.bigger else -1)
    return {"default": default, "best": found, "relative": relative}


def trial_of(summary: Mapping[str, Any], number: int | None) -> dict[str, Any] | None:
    """Return the trial of a number; None where there is none."""
    found = (trial for trial in summary["trials"] if trial["number"] == number)
    return next(found, None)


def ranked(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the trials, the best by the first objective first, those without a value last.

    Of equal ones the lower number comes first.
    """
    first = objectives_of(summary["search"])[0]

    def place(trial: Mapping[str, Any]) -> tuple[bool, float, int]:
        value = trial["values"][first.name]
        if value is None:
            return True, 0.0, trial["number"]
        return False, -value if first.bigger else value, trial["number"]

    return sorted(summary["trials"], key=place)


def find_summaries(folder: Path) -> list[tuple[Path, Summary]]:
    """Find the results of the searches in a folder, at any depth.

    Returns:
        The folder of each search and its summary, in the order of their paths. A summary.json of
        something else is passed over.

    Raises:
        InputError: a summary.json cannot be read, or is a search's without all of its parts.
    """
    found = []
    for path in sorted(Path(folder).rglob(SUMMARY_FILE)):
        content = records.read_json(path)
        if not isinstance(content, dict) or not {"search", "trials"} <= content.keys():
            continue
        missing = [key for key in RESULTS if key not in content]
        if missing:
            raise InputError(f"{path}: lacks {', '.join(missing)}; not a whole search's.")
        found.append((path.parent, content))
    return found
