"""Which trials go on: Ray's schedulers, fed from the journal.

Their unit of time is the number of validations of a trial's final stage, their metric the best
value of the first objective so far. Reports of earlier stages move neither.
"""

import json
import math
from typing import Any

from ray.tune.schedulers import (
    AsyncHyperBandScheduler,
    FIFOScheduler,
    MedianStoppingRule,
    TrialScheduler,
)

from recbole_invariant.tuning.driver import Driver
from recbole_invariant.tuning.journal import DEFAULTS, Report
from recbole_invariant.tuning.ray_trial import REPORT_KEY

TIME, METRIC = "validations", "objective"
MIN_MEDIAN_TRIALS = 3
"""Trials that the median stopping rule needs before it stops one."""

NEVER: Any = math.inf
"""Between two pauses: a trial that gave way to others would only go on from its checkpoint."""


class Journalled(TrialScheduler):  # type: ignore[misc]
    """Mixed in before a scheduler of Ray's: reports are journalled before they are acted upon.

    A trial that goes on after a kill gets its old reports at once, so that what was decided of it
    and of others stands on the same figures as before. Where its last report was to stop it and the
    kill came first, it stops when it reports again.
    """

    driver: Driver
    overdue: set[int]
    fed: set[str]

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Add a trial, with what it reported to an earlier driver.

        Ray adds a trial again whose process died; the scheduler knows its reports then.
        """
        super().on_trial_add(tune_controller, trial)
        if trial.trial_id in self.fed:
            return
        self.fed.add(trial.trial_id)
        decision = None
        for report in self.driver.journal.trials[number_of(trial)].reports:
            decision = self._decide(tune_controller, trial, report)
            self.spare(trial)
        if decision == TrialScheduler.STOP:
            self.overdue.add(number_of(trial))

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Journal a report and say whether the trial goes on."""
        text = result.get(REPORT_KEY)
        if text is None:
            return str(TrialScheduler.CONTINUE)
        report = Report(**json.loads(text))
        if report.trial in self.overdue:
            return str(TrialScheduler.STOP)
        if not self.driver.take_report(report):
            return str(TrialScheduler.CONTINUE)
        return self._decide(tune_controller, trial, report)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """Keep what Ray says of a process that died."""
        self.driver.crashes[number_of(trial)] = str(trial.get_error() or "its process died")
        super().on_trial_error(tune_controller, trial)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Let the scheduler forget a trial; all it reported is known."""
        super().on_trial_complete(tune_controller, trial, {})

    def spare(self, trial: Any) -> None:
        """Forget that a trial was to stop."""

    def _decide(self, tune_controller: Any, trial: Any, report: Report) -> str:
        """Let Ray's scheduler judge a report.

        The defaults go on whatever it says, so that the gain is one over their whole training; so
        does a trial at its last validation, which ends by itself and is whole then.
        """
        so_far = self.driver.objective_so_far(report.trial, report.validations)
        if report.validations == 0 or so_far is None:
            return str(TrialScheduler.CONTINUE)
        result = {TIME: report.validations, METRIC: so_far}
        decision = str(super().on_trial_result(tune_controller, trial, result))
        at_end = report.validations >= self.driver.plan.max_validations
        if decision == TrialScheduler.STOP and (report.trial == DEFAULTS or at_end):
            self.spare(trial)
            return str(TrialScheduler.CONTINUE)
        return decision


class JournalledFifo(Journalled, FIFOScheduler):  # type: ignore[misc]
    """Stops nothing."""


class JournalledAsha(Journalled, AsyncHyperBandScheduler):  # type: ignore[misc]
    """Asynchronous successive halving (Li et al., 2020)."""


class JournalledMedian(Journalled, MedianStoppingRule):  # type: ignore[misc]
    """Stops a trial whose best value is below the median of the others' running means."""

    def spare(self, trial: Any) -> None:
        """Let a trial report again: Ray's rule takes it for an error of a trial it stopped."""
        self._stopped_trials.discard(trial)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Keep what the trial reported; an empty result would stand among its values."""


class _Ended:
    """Stands in for a trial of an earlier driver; schedulers ask for no more than this."""

    def __init__(self, number: int) -> None:
        self.trial_id = f"ended-{number}"
        self.config = {"member": {"number": number}}


def number_of(trial: Any) -> int:
    """Return the number of one of Ray's trials."""
    return int(trial.config["member"]["number"])


def make_scheduler(driver: Driver) -> TrialScheduler:
    """Make the scheduler of a search, with the reports of trials that ended before.

    Args:
        driver: of the search.
    """
    plan = driver.plan
    own: dict[str, Any] = {
        "time_attr": TIME,
        "metric": METRIC,
        "mode": "max" if plan.objectives[0].bigger else "min",
        "grace_period": plan.grace,
    }
    scheduler: Any
    if plan.scheduler == "asha":
        scheduler = JournalledAsha(
            **own,
            max_t=max(plan.max_validations, 1),
            reduction_factor=plan.reduction_factor,
            # a trial at its last validation ends by itself
            stop_last_trials=False,
        )
    elif plan.scheduler == "median":
        scheduler = JournalledMedian(
            **own,
            min_samples_required=MIN_MEDIAN_TRIALS,
            min_time_slice=NEVER,
        )
    else:
        scheduler = JournalledFifo()
    watch(scheduler, driver)
    _replay_ended(scheduler, driver)
    return scheduler


def watch(scheduler: Any, driver: Driver) -> None:
    """Give a scheduler its driver."""
    scheduler.driver, scheduler.overdue, scheduler.fed = driver, set(), set()


def _replay_ended(scheduler: Any, driver: Driver) -> None:
    """Give the scheduler what ended trials reported, in the order in which they did."""
    ended = {trial.number: _Ended(trial.number) for trial in driver.journal.ended()}
    for event in driver.journal.events:
        number = event.get("trial")
        if number not in ended:
            continue
        if event["event"] == "proposed":
            super(Journalled, scheduler).on_trial_add(None, ended[number])
        elif event["event"] == "report":
            fields = {key: value for key, value in event.items() if key not in ("event", "at")}
            scheduler._decide(None, ended[number], Report(**fields))
            scheduler.spare(ended[number])
        elif event["event"] == "ended":
            scheduler.on_trial_complete(None, ended[number], {})
