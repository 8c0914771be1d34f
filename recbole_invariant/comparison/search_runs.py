"""The searches of `compare --tune N` carried out, and what they found."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from logging import getLogger
from pathlib import Path
from traceback import format_exception_only
from typing import Any

from recbole_invariant.comparison.plan import Plan
from recbole_invariant.comparison.plan import make_plan as make_comparison
from recbole_invariant.comparison.searches import (
    FOLDER,
    PlannedSearch,
    Searches,
    shared_options,
)
from recbole_invariant.comparison.specs import ModelSpec
from recbole_invariant.errors import InputError, TrainingError
from recbole_invariant.evaluation import records
from recbole_invariant.options import parse_value
from recbole_invariant.tuning.summary import SUMMARY_FILE, objectives_of, trial_of

Search = Callable[..., Any]
"""`tuning.search.tune`, or what stands in for it: takes its arguments, gives its result."""


def with_options_found(
    plan: Plan,
    searches: Searches,
    search: Search | None = None,
    report: Callable[[str], None] = print,
) -> tuple[Plan, list[str]]:
    """Search every line, one after the other; a search that fails does not stop the others.

    Args:
        plan: of the comparison.
        searches: what to do.
        search: by default `tuning.search.tune`.
        report: takes the lines of progress.

    Returns:
        The plan of the comparison with the options found; and what failed, a sentence each: these
        lines are left out.

    Raises:
        TrainingError: all searches failed.
    """
    found: dict[str, ModelSpec] = {}
    failures: list[str] = []
    for number, one in enumerate(searches.planned, 1):
        label = one.spec.label
        report(f"search {number} of {len(searches.planned)}: {label}")
        try:
            result = (search or _tune)(
                model=one.spec.model,
                dataset=plan.dataset,
                **shared_options(plan),
                **searches.arguments,
                command_line=one.words,
                storage=one.folder.parent,
                run_name=one.folder.name,
                refit="none",
                go_on=True,
                report=report,
            )
            found[label] = _tuned(one, result.summary)
        except (InputError, TrainingError) as error:
            failures.append(f"missing: {label}: its search failed: {error}")
        except Exception as error:  # what the searches of other lines took is not to be lost
            getLogger().exception(f"search of {label}")
            last = "".join(format_exception_only(error)).strip().splitlines()[-1]
            failures.append(f"missing: {label}: its search failed: {last}")
    if failures and not found:
        raise TrainingError("no search came to its end:\n" + "\n".join(failures))
    specs = [found.get(spec.label, spec) for spec in plan.specs]
    missing = {one.spec.label for one in searches.planned} - found.keys()
    specs = [spec for spec in specs if spec.label not in missing]
    given = vars(plan.given)
    made = make_comparison(specs, plan.dataset, plan.seeds, plan.out, **given, warns=False)
    return made, failures


@dataclass(frozen=True)
class Finished:
    """The result of a search that is done, read from its folder."""

    summary: dict[str, Any]


def finished(storage: Path, run_name: str, **_: Any) -> Finished:
    """Stand in for `tune` where nothing is to be run, for searches that are done.

    Raises:
        InputError: there is no result.
    """
    return Finished(records.read_json(storage / run_name / SUMMARY_FILE))


def _tune(**arguments: Any) -> Any:
    from recbole_invariant.tuning.search import tune

    return tune(**arguments)


def _tuned(one: PlannedSearch, summary: Mapping[str, Any]) -> ModelSpec:
    """Return a line with the options that its search found.

    Raises:
        TrainingError: it found none.
    """
    best = trial_of(summary, summary["best"])
    if best is None:
        problems = [trial["problem"] for trial in summary["trials"] if trial["problem"]]
        why = problems[0].strip().splitlines()[-1] if problems else "none came to a validation"
        raise TrainingError(
            f"none of its {len(summary['trials'])} trials can be chosen: {why} (remove "
            f"{one.folder} to have it searched again)"
        )
    options = {**one.spec.options, **{key: as_text(v) for key, v in best["options"].items()}}
    return replace(one.spec, options=options, search=_about(one, summary, best))


def _about(
    one: PlannedSearch, summary: Mapping[str, Any], best: Mapping[str, Any]
) -> dict[str, Any]:
    """Say what a search was and what it found, for the notes and files of a comparison."""
    objective = objectives_of(summary["search"])[0].name
    return {
        "folder": f"{FOLDER}/{one.folder.name}",
        "trials": len(summary["trials"]),
        "searcher": one.plan.searcher,
        "scheduler": one.plan.scheduler,
        "seed": one.plan.seed,
        "objective": objective,
        "best": best["number"],
        "options": dict(best["options"]),
        "value": best["values"][objective],
        "default": summary["gain"][objective]["default"],
        "stopped": summary["counts"]["stopped"],
        "failed": summary["counts"]["failed"],
        "seconds": round(float(summary["seconds"]), 1),
    }


def as_text(value: Any) -> str:
    """Write an option's value so that the command line reads it back as it is."""
    if isinstance(value, str) and parse_value(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)
