"""One epoch of every stage in the driver's own process, before Ray starts.

What is wrong with data, options or a model's code shows here in seconds and with its own traceback,
and the time of an epoch gives an estimate of the search.
"""

import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole_invariant.errors import InputError
from recbole_invariant.logs import logging_to
from recbole_invariant.preparation import Prepared
from recbole_invariant.report.wording import roughly
from recbole_invariant.trainer.stages import StagedTrainer
from recbole_invariant.tuning.exchange_checks import require_exchangeable
from recbole_invariant.tuning.journal import Report
from recbole_invariant.tuning.plan import SearchPlan
from recbole_invariant.tuning.trial import run_trial


@dataclass(frozen=True)
class Preflight:
    """What one epoch of every stage told.

    Attributes:
        seconds: that it took, data included.
        trial_seconds: an upper bound for a whole trial: every stage with all of its epochs, with a
            validation after each. None where RecBole's own loop trains.
        max_validations: of the final stage.
    """

    seconds: float
    trial_seconds: float | None
    max_validations: int

    def describe(self, plan: SearchPlan, at_a_time: int) -> str:
        """Say it in a line: what was tried, and how long a trial and the search take at most."""
        tried = f"pre-flight: one epoch of the smallest setting in {self.seconds:.1f} s"
        if self.trial_seconds is None:
            return tried
        rounds = math.ceil(plan.trials / max(at_a_time, 1))
        less = "" if plan.scheduler in ("none", "pbt") else ", less what is stopped early"
        return (
            f"{tried}; training a trial of that size ({self.max_validations} validations) takes up "
            f"to {roughly(max(1.0, self.trial_seconds))}, all {plan.trials} with {at_a_time} at a "
            f"time up to {roughly(max(1.0, self.trial_seconds * rounds))}{less}; Ray and its "
            "workers take half a minute or so to start"
        )


def fly(plan: SearchPlan) -> Preflight:
    """Run the smallest setting of a search for one epoch of every stage.

    Raises:
        InputError: data or options do not fit, or an objective is never reported.
        Exception: whatever a model or a trainer raises.
    """
    begun = time.perf_counter()
    reports: list[Report] = []
    stages: list[tuple[str, int, int, bool]] = []
    seen: dict[str, Any] = {}

    def shorten(trainer: Any, data: Prepared) -> None:
        seen["trainer"] = trainer
        if plan.scheduler == "pbt":
            require_exchangeable(plan, trainer, data)
        if not isinstance(trainer, StagedTrainer):
            trainer.epochs = 1
            return
        for stage in trainer.plan_stages(data.loaders.train):
            if not stage.optional:
                stages.append((stage.name, stage.epochs, max(stage.eval_step, 1), stage.validates))
            stage.epochs, stage.eval_step = 1, min(stage.eval_step, 1)

    options = plan.space.smallest(plan.fixed)
    with tempfile.TemporaryDirectory(prefix="recbole-inv-") as scratch:
        folder = Path(scratch)
        with logging_to(folder / "log.txt", "warning"):
            run_trial(plan, 0, options, folder, reports.append, change=shorten)
    _require_reported(plan, reports)
    final = next((one for one in reversed(stages) if one[3]), None)
    longest = _longest(plan, final[1] if final else 1)
    most = longest // final[2] if final else longest
    return Preflight(
        round(time.perf_counter() - begun, 1),
        _trial_seconds(seen["trainer"], stages, final, longest),
        max(most, 1),
    )


def _require_reported(plan: SearchPlan, reports: list[Report]) -> None:
    """Make sure that every objective is reported.

    Raises:
        InputError: one is not.
    """
    reported = set(reports[-1].values) if reports else set()
    missing = [one.name for one in plan.objectives if one.name not in reported]
    if missing:
        raise InputError(
            f"--objective: {', '.join(missing)}: a validation of {plan.model} does not report it; "
            f"reported are {', '.join(sorted(reported)) or 'none'}."
        )


def _longest(plan: SearchPlan, epochs: int) -> int:
    """Return the most epochs that a trial's final stage may have."""
    searched = [one for one in plan.space.dimensions if one.name == "epochs"]
    if not searched:
        return epochs
    highest = max([*searched[0].values, searched[0].high or 0])
    return max(epochs, int(highest))


def _trial_seconds(
    trainer: Any,
    stages: list[tuple[str, int, int, bool]],
    final: tuple[str, int, int, bool] | None,
    longest: int,
) -> float | None:
    """Sum the stages, each with all of its epochs."""
    if final is None:
        return None
    seconds = {record["name"]: record["seconds"] for record in trainer.stage_records}
    return sum(
        seconds.get(name, 0.0) * (longest if name == final[0] else epochs)
        for name, epochs, *_ in stages
    )
