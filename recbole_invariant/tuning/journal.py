"""What a search has seen: its trials and their reports, in the driver's order."""

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from recbole_invariant.errors import InputError
from recbole_invariant.files import append
from recbole_invariant.tuning.storage import Storage

JOURNAL_FILE = "journal.jsonl"
DEFAULTS = 0
"""Number of the trial that begins with the model's defaults."""

REMOTE_SECONDS = 2.0
"""Seconds between two writes of reports where a file can only be written whole."""

Status = Literal["waiting", "running", "done", "stopped", "failed"]


@dataclass(frozen=True)
class Report:
    """One validation of one trial.

    Attributes:
        trial: number of the trial.
        stage: the stage that validated.
        epoch: of the stage, from 0.
        validations: those of the final stage so far; 0 before it.
        values: by split and metric, e.g. `valid:ndcg@10`.
        seconds: since the trial began, over all its parts.
    """

    trial: int
    stage: str
    epoch: int
    validations: int
    values: dict[str, float]
    seconds: float


@dataclass
class Trial:
    """One trial of a search.

    Attributes:
        number: from 0; 0 has the model's defaults.
        options: of the space, those that are active.
        status: `stopped` is by the scheduler; `waiting` and `running` have not ended.
        reports: in their order.
        seconds: that it took, over all its parts.
        problem: the traceback of a failed one.
        source: the trial from whose state it goes on (population based training), until it reports.
    """

    number: int
    options: dict[str, Any]
    status: Status = "waiting"
    reports: list[Report] = field(default_factory=list)
    seconds: float = 0.0
    problem: str | None = None
    source: int | None = None

    def best_report(self, objective: str, bigger: bool) -> Report | None:
        """Return the best report of the final stage by an objective, the first of equal ones."""
        final = [one for one in self.reports if one.validations and objective in one.values]
        if not final:
            return None
        return (max if bigger else min)(final, key=lambda report: report.values[objective])


class Journal:
    """The events of a search in the driver's order, kept in one file that a killed driver leaves.

    Ray's own record of an experiment is pickled, and written every few seconds only; this one is
    lines of JSON, written before anybody acts on them. Kinds of event: `proposed` (options of
    a new trial), `report` (a validation), `changed` (population based training), `ended`, and
    `session`, the start of a driver.

    Args:
        storage: the folder of the search; an existing journal in it is read.

    Raises:
        InputError: a line of an existing journal is damaged.

    Attributes:
        events: all of them, in order.
        trials: by number, as the events leave them.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        text = (storage.read(JOURNAL_FILE) or b"").decode("utf-8", errors="replace")
        # a driver killed while it wrote leaves a line without an end
        self._text = text[: text.rfind("\n") + 1]
        self.events: list[dict[str, Any]] = []
        self.trials: dict[int, Trial] = {}
        for number, line in enumerate(self._text.splitlines(), start=1):
            try:
                self.events.append(json.loads(line))
                self._apply(self.events[-1])
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(
                    f"{storage.place}/{JOURNAL_FILE}: line {number} is damaged "
                    f"({type(error).__name__}: {error}); the search cannot go on from it."
                ) from error
        self._begun = time.monotonic()
        self._unwritten = 0.0
        if storage.is_local and self._text != text:
            storage.write(JOURNAL_FILE, self._text)

    @property
    def seconds(self) -> float:
        """Wall time of the search so far: that of all its drivers, each until its last event."""
        past, last = 0.0, 0.0
        for event in self.events:
            if event["event"] == "session":
                past, last = past + last, 0.0
            last = event["at"]
        return past + last

    def begin_session(self) -> None:
        """Mark the start of a driver."""
        self._begun = time.monotonic()
        self._add({"event": "session"})

    def propose(self, number: int, options: dict[str, Any]) -> None:
        """Record a new trial."""
        self._add({"event": "proposed", "trial": number, "options": options})

    def report(self, report: Report) -> bool:
        """Record a validation, once: a trial that goes on sends its old ones again.

        Returns:
            Whether it was a new one.
        """
        known = self.trials[report.trial].reports
        if any((old.stage, old.epoch) == (report.stage, report.epoch) for old in known):
            return False
        self._add({"event": "report", **asdict(report)})
        return True

    def change(self, number: int, options: dict[str, Any], source: int) -> None:
        """Record that a trial goes on from another one's state, with options of its own.

        Its reports are those of its source from then on; it sends them again.
        """
        self._add({"event": "changed", "trial": number, "options": options, "source": source})

    def end(self, number: int, status: Status, seconds: float, problem: str | None = None) -> None:
        """Record how a trial ended."""
        event = {"event": "ended", "trial": number, "status": status}
        self._add({**event, "seconds": round(seconds, 3), "problem": problem})

    def unfinished(self) -> list[Trial]:
        """List the trials that have not ended, by number."""
        return self._with_status("waiting", "running")

    def ended(self) -> list[Trial]:
        """List the trials that have ended, by number."""
        return self._with_status("done", "stopped", "failed")

    def _with_status(self, *statuses: Status) -> list[Trial]:
        return [one for _, one in sorted(self.trials.items()) if one.status in statuses]

    def _add(self, event: dict[str, Any]) -> None:
        event = {**event, "at": round(time.monotonic() - self._begun, 3)}
        self.events.append(event)
        self._apply(event)
        line = json.dumps(event, allow_nan=True) + "\n"
        self._text += line
        self._write(line, urgent=event["event"] != "report")

    def _write(self, line: str, urgent: bool) -> None:
        """Append a line; where only whole files can be written, reports wait for each other."""
        if self._storage.is_local:
            append(self._storage.path / JOURNAL_FILE, line, sync=True)
        elif urgent or time.monotonic() - self._unwritten > REMOTE_SECONDS:
            self._storage.write(JOURNAL_FILE, self._text)
            self._unwritten = time.monotonic()

    def _apply(self, event: dict[str, Any]) -> None:
        """Bring the trials up to date."""
        kind = event["event"]
        if kind == "session":
            return
        number = event["trial"]
        if kind == "proposed":
            self.trials[number] = Trial(number, event["options"])
            return
        trial = self.trials[number]
        if kind == "changed":
            trial.options, trial.reports, trial.source = event["options"], [], event["source"]
        elif kind == "report":
            fields = {k: v for k, v in event.items() if k not in ("event", "at")}
            trial.reports.append(Report(**fields))
            trial.status, trial.seconds, trial.source = "running", event["seconds"], None
        else:
            trial.status, trial.problem = event["status"], event["problem"]
            trial.seconds = event["seconds"]
