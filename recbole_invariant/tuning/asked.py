"""What the user asks of a search, and what is wrong with it by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbole_invariant.errors import suggest
from recbole_invariant.options import parse_value
from recbole_invariant.tuning.dimension import is_number
from recbole_invariant.tuning.proposals import SEARCHERS
from recbole_invariant.tuning.refit import TRAIN_AND_VALID
from recbole_invariant.tuning.resources import range_problems
from recbole_invariant.tuning.space import Space

if TYPE_CHECKING:
    from recbole_invariant.tuning.plan import SearchPlan

SCHEDULERS = ("asha", "median", "pbt", "none")
REFITS = ("train", TRAIN_AND_VALID, "none")
DEFAULT_TRIALS = 20
"""How many where the user says nothing; a grid then takes all its combinations."""

TAKEN = {
    "baseline_options": "a search is of one model; compare --tune N searches several",
    "baselines": "a search is of one model; compare --tune N searches several",
    "checkpoint_minutes": "a trial writes a checkpoint at every validation",
    "checkpoint_steps": "a trial writes a checkpoint at every validation",
    "refit_epochs": f"the search finds it out itself: --refit {TRAIN_AND_VALID}",
}
"""Options of a single run that a search decides."""


@dataclass
class Asked:
    """The arguments of a search as the user gives them; see `search.tune`."""

    model: str
    dataset: str
    trials: int | None = None
    config: dict[str, Any] = field(default_factory=dict)
    config_files: list[str] = field(default_factory=list)
    command_line: dict[str, str] = field(default_factory=dict)
    space: str | Path | Space | Mapping[str, Any] | None = None
    searcher: str = "random"
    scheduler: str | None = None
    grace_period: int | None = None
    reduction_factor: float = 3
    objectives: str | Sequence[str] = ()
    search_seed: int = 0
    cpus_per_trial: float = 1
    gpus_per_trial: float = 0
    max_concurrent: int | None = None
    address: str | None = None
    refit: str = "train"


def argument_problems(asked: "Asked | SearchPlan") -> list[str]:
    """Say what is wrong with the arguments that are the search's own."""
    problems = []
    for option, value, known in (
        ("searcher", asked.searcher, SEARCHERS),
        ("scheduler", asked.scheduler, SCHEDULERS),
        ("refit", asked.refit, REFITS),
    ):
        if value is not None and value not in known:
            near = suggest(str(value), known)
            problems.append(f"{option}: expected one of {' | '.join(known)}, not '{value}'.{near}")
    for option, number, least in (
        ("trials", asked.trials, 1),
        ("grace_period", asked.grace_period, 1),
        ("max_concurrent", asked.max_concurrent, 1),
        ("search_seed", asked.search_seed, 0),
    ):
        if number is not None and (not _is_integer(number) or number < least):
            problems.append(f"{option}: expected an integer >= {least}, not {number!r}.")
    reduction = asked.reduction_factor
    if not is_number(reduction) or not reduction > 1:
        problems.append(f"reduction_factor: expected a number > 1, not {reduction!r}.")
    return problems + range_problems(asked.cpus_per_trial, asked.gpus_per_trial)


def taken_problems(asked: Asked) -> list[str]:
    """Name the options given that a search decides; those in files may be a single run's."""
    given = {**asked.config, **asked.command_line}
    taken = [f"{key}: {why}." for key, why in TAKEN.items() if key in given]
    return taken + _gpu_problems(asked, given)


def _gpu_problems(asked: Asked, given: Mapping[str, Any]) -> list[str]:
    """Say that a GPU is asked of the runs where no trial would get one.

    With GPUs for the trials these options agree: Ray hands GPUs to the trials, and `gpu_id` is the
    one of the refit.
    """
    if asked.gpus_per_trial != 0:
        return []
    values = {key: given.get(key) for key in ("use_gpu", "gpu_id")}
    read = {k: parse_value(v) if isinstance(v, str) else v for k, v in values.items()}
    wanted = {"use_gpu": read["use_gpu"] is True, "gpu_id": read["gpu_id"] not in (None, "")}
    if read["use_gpu"] is False:
        return []
    return [
        f"{key}: trials get no GPU by it; use --gpus_per_trial, e.g. --gpus_per_trial=1."
        for key in wanted
        if wanted[key]
    ]


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
