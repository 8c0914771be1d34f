"""`compare --tune N`: every model is searched with the same budget before any is compared.

A search chooses on validation rows of the comparison's first seed, by what selects the epochs of
the runs; it opens no test. The options it finds are then those of the model's line, for all seeds.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recbole_invariant.comparison.baselines import WITHOUT_OPTIONS
from recbole_invariant.comparison.fingerprint import data_fingerprint, fingerprint
from recbole_invariant.comparison.plan import Plan
from recbole_invariant.comparison.specs import ModelSpec, folder_name, own_options
from recbole_invariant.config import USER_LAYERS, build_config
from recbole_invariant.configuration.wrapped import wrapping_option
from recbole_invariant.errors import InputError, suggest
from recbole_invariant.registry import resolve
from recbole_invariant.tuning.asked import Asked
from recbole_invariant.tuning.driver import require_proposer
from recbole_invariant.tuning.plan import SearchPlan
from recbole_invariant.tuning.planning import make_plan
from recbole_invariant.tuning.resources import require_resources
from recbole_invariant.tuning.space import space_of, spaces
from recbole_invariant.tuning.summary import SUMMARY_FILE

FOLDER = "tune"
"""Place of the searches in the folder of a comparison."""

PASSED_ON = (
    "searcher", "scheduler", "grace_period", "reduction_factor", "search_seed", "cpus_per_trial",
    "gpus_per_trial", "max_concurrent", "address",
)  # fmt: skip
"""Arguments of `tune` that hold for every search of a comparison."""

DECIDING = (
    "trials", "searcher", "scheduler", "grace_period", "reduction_factor", "objectives", "space",
    "search_seed", "cpus_per_trial", "gpus_per_trial",
)  # fmt: skip
"""What a search's result depends on, beside the options of its runs."""

RESOURCES = {"cpus_per_trial": 1, "gpus_per_trial": 0}
"""What a trial gets where nothing is said."""


@dataclass(frozen=True)
class PlannedSearch:
    """A search whose options are checked.

    Attributes:
        spec: the line of the table.
        folder: of the search.
        words: options of its runs as text.
        plan: what it will do.
    """

    spec: ModelSpec
    folder: Path
    words: dict[str, str]
    plan: SearchPlan = field(repr=False)

    @property
    def is_done(self) -> bool:
        """Whether its result is there."""
        return (self.folder / SUMMARY_FILE).is_file()


@dataclass(frozen=True)
class Searches:
    """The searches of a comparison.

    Attributes:
        planned: one for each line that has something to search, in the order of the table.
        left_out: label of each other line -> why it is not searched.
        arguments: of every search, by the names of `tune`.
    """

    planned: list[PlannedSearch]
    left_out: dict[str, str]
    arguments: dict[str, Any]

    def describe(self) -> list[str]:
        """Say what would be searched, and what is done already."""
        states = ("to do", "done")
        lines = []
        for one in self.planned:
            plan = one.plan
            lines.append(
                f"{states[one.is_done]:5}  search of {one.spec.label}: {plan.trials} trials by "
                f"{plan.searcher}, scheduler {plan.scheduler}, {plan.objectives[0].name}"
            )
            lines += [f"         {line}" for line in plan.space.describe()]
        return lines + [f"no search of {label}: {why}" for label, why in self.left_out.items()]


def plan_searches(plan: Plan, trials: int, arguments: Mapping[str, Any]) -> Searches:
    """Check the searches of all lines before the first one begins.

    A folder of a search is named after its line, its seed and a checksum of all that its result
    depends on, so that one that was interrupted goes on, and one of something else is not taken.

    Args:
        plan: of the comparison; the searches use its first seed.
        trials: of each search.
        arguments: those of `PASSED_ON` that are given.

    Raises:
        InputError: everything that is wrong with any of them, once each.
    """
    asked = {"trials": trials, **_known(trials, arguments)}
    cpus, gpus = (asked.get(key, default) for key, default in RESOURCES.items())
    require_resources(None, cpus, gpus, asked.get("address"))
    planned, left_out, problems = list[PlannedSearch](), dict[str, str](), list[str]()
    checksums: dict[Path, str] = {}
    for spec in plan.specs:
        words = own_options(plan.given.command_line, spec, plan.seeds[0], {})
        given = {**shared_options(plan), "command_line": words}
        try:
            resolved = build_config(spec.model, plan.dataset, *given.values())
            if (why := _unsearchable(spec, resolved)) is not None:
                left_out[spec.label] = why
                continue
            made = make_plan(Asked(spec.model, plan.dataset, **asked, **given, refit="none"))
            require_proposer(made)
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
            continue
        data = data_fingerprint(resolved, checksums)
        runs = fingerprint(resolved, resolve(spec.model).model_class, made.seed, data)
        name = f"{folder_name(spec.label)}-seed{made.seed}-{_digest(made, runs)}"
        planned.append(PlannedSearch(spec, plan.out / FOLDER / name, words, made))
    if problems:
        raise InputError(problems)
    return Searches(planned, left_out, asked)


def shared_options(plan: Plan) -> dict[str, Any]:
    """Return the options of all models but those as text, which each line has for itself."""
    return {"config": plan.given.config, "config_files": plan.given.config_files}


def _known(trials: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of all searches.

    Raises:
        InputError: one is not theirs, or the budget is no number of trials.
    """
    problems = [
        f"tune_options: there is no '{key}'.{suggest(key, PASSED_ON)}"
        for key in arguments
        if key not in PASSED_ON
    ]
    if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
        problems.append(f"tune: expected how many trials a model gets, >= 1, not {trials!r}.")
    if problems:
        raise InputError(problems)
    return dict(arguments)


def _unsearchable(spec: ModelSpec, resolved: Any) -> str | None:
    """Say why a line has nothing to search; None where it has."""
    entry = resolve(spec.model)
    if entry.name in WITHOUT_OPTIONS:
        return "it has no options"
    option = wrapping_option(entry.model_class)
    wrapped = resolve(resolved[option]).model_class if option else None
    classes = [*entry.model_class.__mro__, *(wrapped.__mro__ if wrapped else ())]
    if not {cls.__name__ for cls in classes} & set(spaces()):
        return "there is no space for it in properties/tune/"
    names = space_of(entry.name, entry.model_class, wrapped).names
    if all(resolved.layers.get(name, "").startswith(USER_LAYERS) for name in names):
        return "all options of its space are given"
    return None


def _digest(plan: SearchPlan, runs: str) -> str:
    """Compute what tells a search from another one: its own arguments, and its runs' options."""
    record = plan.record()
    text = json.dumps([runs, {key: record[key] for key in DECIDING}], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
