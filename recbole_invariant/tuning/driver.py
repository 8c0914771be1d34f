"""The driver's side of a search: which trial comes next, what was reported, how trials ended.

It knows the journal and the proposer, not Ray; `ray_search.py` calls it from Ray's hooks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from recbole_invariant.report.wording import roughly
from recbole_invariant.tuning.journal import DEFAULTS, Journal, Report, Trial
from recbole_invariant.tuning.plan import SearchPlan
from recbole_invariant.tuning.proposals import Proposer, make_proposer
from recbole_invariant.tuning.storage import Storage
from recbole_invariant.tuning.trial import read_outcome

SHOWN_OPTIONS = 6
"""Options of a trial in a line of progress."""


@dataclass(frozen=True)
class Handed:
    """A trial that is handed out to run.

    Attributes:
        number: of the trial.
        options: of the space, active ones.
        spent: seconds of its earlier parts.
        source: the trial from whose state it goes on; None is its own.
    """

    number: int
    options: dict[str, Any]
    spent: float
    source: int | None = None


class Driver:
    """Hands out trials and takes in what comes back, every step journalled first.

    After a kill the journal is replayed: the proposer gets the same calls in the same order, which
    restores its state without reading a file of its library's; trials that had not ended are
    handed out again before new ones.

    Args:
        plan: of the search.
        storage: its folder.
        report: takes the lines of progress.

    Attributes:
        journal: of the search.
        crashes: trial -> what Ray says of its process, where that died.
    """

    def __init__(
        self, plan: SearchPlan, storage: Storage, report: Callable[[str], None] = print
    ) -> None:
        self.plan, self.storage, self._report = plan, storage, report
        self.journal = Journal(storage)
        self.crashes: dict[int, str] = {}
        self._proposer = _proposer(plan)
        self._replay()
        self._waiting = self.journal.unfinished()
        self._say_where_it_stands()
        self.journal.begin_session()

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        """Leave nothing in the pickles that Ray makes of what it is given; nobody reads them."""
        return _nothing, ()

    @property
    def n_left(self) -> int:
        """Trials that have not ended, those included that are not proposed yet."""
        return max(0, self.plan.trials - len(self.journal.ended()))

    def next_trial(self) -> Handed | None:
        """Hand out a trial; None where nothing is left to try."""
        if self._waiting:
            trial = self._waiting.pop(0)
            return Handed(trial.number, trial.options, trial.seconds, trial.source)
        number = len(self.journal.trials)
        if number >= self.plan.trials:
            return None
        options = self._propose(number)
        if options is None:
            return None
        self.journal.propose(number, options)
        return Handed(number, options, 0.0)

    def take_report(self, report: Report) -> bool:
        """Take in a validation; say whether it was a new one."""
        return self.journal.report(report)

    def objective_so_far(self, number: int, validations: int | None = None) -> float | None:
        """Return the best value of the first objective until a validation of the final stage.

        Args:
            number: of the trial.
            validations: how many count; None is all.

        Returns:
            None before the final stage.
        """
        first = self.plan.objectives[0]
        values = [
            report.values[first.name]
            for report in self.journal.trials[number].reports
            if report.validations and (validations is None or report.validations <= validations)
        ]
        if not values:
            return None
        return max(values) if first.bigger else min(values)

    def end_trial(self, number: int, crashed: bool = False) -> None:
        """Take in that a trial is over: done, stopped or failed, as its folder says.

        Args:
            number: of the trial.
            crashed: whether its process died.
        """
        status, problem = read_outcome(self.storage.read, number)
        if crashed and status != "done":
            status, problem = "failed", problem or self.crashes.get(number, "its process died")
        trial = self.journal.trials[number]
        self.journal.end(number, status, trial.seconds, problem)
        self._learn(trial)
        self._report(self._progress(trial))

    def _say_where_it_stands(self) -> None:
        """Say what an earlier driver left."""
        if not self.journal.events:
            return
        going_on = ", ".join(str(trial.number) for trial in self._waiting)
        self._report(
            f"{len(self.journal.ended())} of {self.plan.trials} trials are over"
            + (f"; {going_on} go on from where they were" if going_on else "")
        )

    def _propose(self, number: int) -> dict[str, Any] | None:
        """Return a trial's options; number 0 has the defaults."""
        if number != DEFAULTS:
            return self._proposer.propose(number)
        return self.plan.named_defaults() if self.plan.scheduler == "pbt" else {}

    def _learn(self, trial: Trial) -> None:
        """Tell the proposer how a trial ended; of the defaults it knows nothing."""
        if trial.number == DEFAULTS:
            return
        names = [one.name for one in self.plan.objectives]
        best = trial.best_report(names[0], self.plan.objectives[0].bigger)
        failed = trial.status == "failed" or best is None
        values = None if failed or best is None else [best.values[name] for name in names]
        self._proposer.learn(trial.number, values)

    def _replay(self) -> None:
        """Give the proposer the calls of earlier drivers."""
        for event in self.journal.events:
            if event["event"] == "proposed":
                self._propose(event["trial"])
            elif event["event"] == "ended":
                self._learn(self.journal.trials[event["trial"]])

    def _progress(self, trial: Trial) -> str:
        """Say how a trial ended, what is best, and about how long the rest takes."""
        first = self.plan.objectives[0]
        ended = len(self.journal.ended())
        value = self.objective_so_far(trial.number)
        how = {"stopped": "stopped early", "failed": "failed"}.get(trial.status, "done")
        after = max((report.validations for report in trial.reports), default=0)
        parts = [f"[{ended}/{self.plan.trials}] trial {trial.number} {how}"]
        parts[0] += f" after {after} validations" if trial.status != "failed" else ""
        if trial.problem:
            parts.append(trial.problem.strip().splitlines()[-1])
        if value is not None:
            parts.append(f"{first.name} {value:.4f} (best {self._best()})")
        parts += self._other_values(trial)
        parts.append(f"{trial.seconds:.0f} s")
        parts.append(_shown(trial.options))
        return "; ".join(part for part in parts if part) + self._rest(ended)

    def _best(self) -> str:
        first = self.plan.objectives[0]
        known = {n: self.objective_so_far(n) for n in self.journal.trials}
        values = {number: value for number, value in known.items() if value is not None}
        best = (max if first.bigger else min)(values, key=lambda number: values[number])
        return f"{values[best]:.4f}, trial {best}"

    def _other_values(self, trial: Trial) -> list[str]:
        """Return the other objectives at the trial's best validation by the first."""
        first, *others = self.plan.objectives
        best = trial.best_report(first.name, first.bigger)
        return [f"{one.name} {best.values[one.name]:.4f}" for one in others] if best else []

    def _rest(self, ended: int) -> str:
        """Estimate from the mean time of the trials that ended and how many run side by side."""
        left = self.plan.trials - ended
        if not left:
            return ""
        open_now = len(self.journal.unfinished()) + 1  # the one that ended makes room
        over = [trial.seconds for trial in self.journal.ended()]
        return f"; about {roughly(fmean(over) * left / min(open_now, left))} left"


def _nothing() -> None:
    """Stand for a driver in a pickle of Ray's."""


def _proposer(plan: SearchPlan) -> Proposer:
    bigger = [objective.bigger for objective in plan.objectives]
    return make_proposer(plan.searcher, plan.space, plan.fixed, bigger, plan.search_seed)


def _shown(options: dict[str, Any]) -> str:
    """Write options shortly."""
    if not options:
        return "the defaults"
    words = [
        f"{key}={value:.6g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in options.items()
    ]
    more = len(words) - SHOWN_OPTIONS
    return ", ".join(words[:SHOWN_OPTIONS]) + (f", and {more} more" if more > 0 else "")


def require_proposer(plan: SearchPlan) -> None:
    """Make sure that the searcher can be made, before anything is trained.

    Raises:
        InputError: its library is missing, or it cannot search this space or these objectives.
    """
    _proposer(plan)
