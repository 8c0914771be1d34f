"""One trial: an ordinary run up to the end of selection, told of validation by validation.

The tests of its split are never opened and nothing of them is written. Its folder is a run folder
whose `run.json` has a key `trial`. The same code runs in the driver (pre-flight) and in Ray's
workers; nothing here knows Ray.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from recbole_invariant.config import build_config
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.selection import SelectionRule
from recbole_invariant.preparation import Prepared
from recbole_invariant.registry import resolve
from recbole_invariant.single_run import describe_training
from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder
from recbole_invariant.trainer.stages import StagedTrainer
from recbole_invariant.training import train
from recbole_invariant.tuning.journal import Report, Status
from recbole_invariant.tuning.plan import SearchPlan
from recbole_invariant.tuning.trial_folder import folder_name

FAILURE_FILE = "failure.json"
"""What a trial that failed leaves: its traceback."""

Send = Callable[[Report], None]
"""Takes a report; the trial goes on when it returns."""

Change = Callable[[Any, Prepared], None]
"""Changes a trainer before its first epoch."""


def run_trial(
    plan: SearchPlan,
    number: int,
    options: Mapping[str, Any],
    folder: Path,
    send: Send,
    spent: float = 0.0,
    change: Change | None = None,
    devices: str | None = None,
) -> None:
    """Train a trial, from its checkpoint where it has one, and write its record.

    Validations that its history has already are sent again first: whoever was killed between the
    checkpoint and the report lacks the last one.

    Args:
        plan: of the search.
        number: of the trial.
        options: of the space, active ones.
        folder: its run folder; it exists.
        send: takes every report.
        spent: seconds of its earlier parts.
        change: called with trainer and data before the first epoch.
        devices: the GPUs it may use, as RecBole's `gpu_id`; None leaves the choice to the options.

    Raises:
        InputError: data or options do not fit.
        TrainingError: training cannot go on.
    """
    begun = time.perf_counter()
    given = plan.trial_options(options) | ({} if devices is None else {"gpu_id": devices})
    config = build_config(plan.model, plan.dataset, given)
    reporter = Reporter(plan, number, send, begun - spent)

    def ready(trainer: Any, data: Prepared, rule: SelectionRule) -> None:
        trainer.also_validated = _other_rows(plan, data)
        trainer.listener = reporter.listen
        if change is not None:
            change(trainer, data)
        checkpoints = CheckpointFolder(folder / "checkpoint")
        if checkpoints.exists() and isinstance(trainer, StagedTrainer):
            trainer.resume_checkpoint(checkpoints.folder)
            # what a member of a population copies has another's step size
            trainer.keeps_settings = plan.scheduler == "pbt"
        reporter.trainer = trainer

    try:
        training = train(config, resolve(plan.model), folder, ready)
    finally:
        reporter.close()
    reporter.finish(training.metrics)
    record = {
        **describe_training(training, folder),
        "metrics": training.metrics,
        "trial": {
            "number": number,
            "options": dict(options),
            "objectives": [objective.name for objective in plan.objectives],
        },
        "seconds": round(reporter.seconds(), 3),
    }
    records.write_json(folder / records.RUN_FILE, records.plain(record))


def _other_rows(plan: SearchPlan, data: Prepared) -> dict[str, Any]:
    """Return the loaders of objectives whose rows do not select epochs."""
    own = plan.objectives[0].split
    others = dict.fromkeys(one.split for one in plan.objectives if one.split != own)
    loaders = {"valid": data.loaders.valid, "ood_valid": data.loaders.ood_valid}
    return {split: loaders[split] for split in others}


class Reporter:
    """Turns lines of the history into reports.

    Args:
        plan: of the search.
        number: of the trial.
        send: takes every report.
        begun: `time.perf_counter()` at the trial's start, less what it took before.

    Attributes:
        trainer: set when it is known.
    """

    def __init__(self, plan: SearchPlan, number: int, send: Send, begun: float) -> None:
        self._plan, self._number, self._send, self._begun = plan, number, send, begun
        self._validations = 0
        self._n_lines = 0
        self._has_final = False
        self.trainer: Any = None

    def seconds(self) -> float:
        """Return how long the trial has taken, over all its parts."""
        return time.perf_counter() - self._begun

    def close(self) -> None:
        """Close TensorBoard's file: a worker takes one trial after the other."""
        writer = getattr(self.trainer, "tensorboard", None)
        if writer is not None:
            writer.close()

    def listen(self, stage: Any, line: dict[str, Any]) -> None:
        """Report a validated epoch whose checkpoint is written.

        Args:
            stage: None where RecBole's own loop trains, which writes its history at the end.
            line: of the history.
        """
        if stage is None:
            self._report(line)
        else:
            self._catch_up()

    def finish(self, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Report what is left, and what was measured at the end if nothing was on the way."""
        self._catch_up()
        if self._has_final:
            return
        values = {f"{split}:{name}": v for split, of in metrics.items() for name, v in of.items()}
        epoch = getattr(self.trainer, "best_epoch", None) or 0
        self._send(Report(self._number, "train", epoch, 1, values, round(self.seconds(), 3)))

    def _catch_up(self) -> None:
        """Report the lines of the history that were not yet, those of an earlier part first."""
        lines = self.trainer.history.lines
        for line in lines[self._n_lines :]:
            self._n_lines += 1
            if "valid" in line:
                self._report(line)

    def _report(self, line: Mapping[str, Any]) -> None:
        is_final = line["stage"] in self._final_stages()
        self._validations += is_final
        self._has_final = self._has_final or is_final
        measured = {self._plan.objectives[0].split: line["valid"], **line.get("also", {})}
        values = {
            f"{split}:{name}": float(value)
            for split, of in measured.items()
            for name, value in of.items()
        }
        validations = self._validations if is_final else 0
        seconds = round(self.seconds(), 3)
        report = Report(self._number, line["stage"], line["epoch"], validations, values, seconds)
        self._send(report)

    def _final_stages(self) -> set[str]:
        """Name the stages that decide the weights.

        These are the last one that validates, and an optional one that may take its place.
        """
        stages = [stage for stage in getattr(self.trainer, "stages", []) if stage.validates]
        last = [stage.name for stage in stages if not stage.optional][-1:] or ["train"]
        return {*last, *(stage.name for stage in stages if stage.optional)}


def read_outcome(read: Callable[[str], bytes | None], number: int) -> tuple[Status, str | None]:
    """Say how a trial's function ended, from its folder.

    Args:
        read: returns the content of a file in the search's folder, or None.
        number: of the trial.

    Returns:
        `done`, `failed` with the traceback, or `stopped` where it neither ended nor failed.
    """
    folder = folder_name(number)
    if read(f"{folder}/{records.RUN_FILE}") is not None:
        return "done", None
    failure = read(f"{folder}/{FAILURE_FILE}")
    if failure is not None:
        return "failed", str(json.loads(failure)["traceback"])
    return "stopped", None
