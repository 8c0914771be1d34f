"""The one training loop: `StagedTrainer` runs a list of stages.

Each stage gets the same progress bar, check for non-finite losses, validation with early
stopping, history, TensorBoard scalars and checkpoint. Nothing else overrides RecBole's `fit`.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from recbole.config import Config
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.trainer import Trainer
from recbole.utils import ModelType, calculate_valid_score, early_stopping
from recbole.utils.utils import dict2str
from tqdm import tqdm

from recbole_invariant import compat
from recbole_invariant.stop_signals import StopSignals
from recbole_invariant.trainer.cadence import Cadence
from recbole_invariant.trainer.checkpoint import clone_state, load_checkpoint, restore_state
from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder
from recbole_invariant.trainer.epoch_run import EpochRun
from recbole_invariant.trainer.history import History, describe_line, forget_events
from recbole_invariant.trainer.resumption import Place, restore_training, training_state
from recbole_invariant.trainer.snapshots import FOLDER, Snapshots
from recbole_invariant.trainer.stage import Stage

EpochCallback = Callable[[int, float], None]
Listener = Callable[[Stage | None, dict[str, Any]], None]
"""Called with the stage, None in a loop of RecBole's own, and the line of a validated epoch."""


class StagedTrainer(Trainer):  # type: ignore[misc]
    """RecBole's trainer with stages instead of a single sequence of epochs.

    Subclasses say what the stages are in `build_stages`. The last validating stage decides which
    weights the model holds after `fit`.

    Attributes:
        stage_records: `{name, epochs, seconds, best_epoch, ended}` of each finished stage;
            `best_epoch` is that of the weights it kept, None where nothing was validated; `ended`
            is what ended it: `limit` (of its epochs) or `early stop` where it validates, else
            `done`.
        best_epoch: epoch (from 0, counted in its stage) of the selected weights.
        history: all epochs so far.
        one_pass: whether the model is fitted in one pass, without gradient descent.
        snapshots: weights put aside to be measured after selection; they select nothing. Begun
            anew by `fit`.
        records_frontier: whether every validated epoch is put aside (option `frontier`).
        stage_epochs: stage -> epochs instead of its own number.
        also_validated: name -> loader of rows measured at each validation beside those that select.
        listener: told of every validated epoch once its checkpoint is written.
        keeps_settings: a checkpoint's step sizes and decays give way to those of the options.
    """

    def __init__(self, config: Config, model: torch.nn.Module) -> None:
        self.run_dir = Path(config["run_dir"]) if config["run_dir"] else None
        forget_events(self.run_dir)
        with compat.tensorboard_directory(self.run_dir):
            super().__init__(config, model)
        path = self.run_dir / "history.jsonl" if self.run_dir else None
        self.history = History(path, self.tensorboard)
        self.stage_records: list[dict[str, Any]] = []
        self.stages: list[Stage] = []
        self.one_pass = config["MODEL_TYPE"] == ModelType.TRADITIONAL
        self.records_frontier = bool(config["frontier"]) and not self.one_pass
        self.snapshots = Snapshots()
        self.best_valid_score: float = self.best_valid_score
        self.best_valid_result: dict[str, float] | None = None
        self.cur_step: int = 0
        self.best_epoch: int | None = None
        self.best_state: dict[str, Any] | None = None
        self.start_stage = 0
        self._cadence = Cadence(config["checkpoint_minutes"], config["checkpoint_steps"])
        self._stops = StopSignals()
        self._resume_from: dict[str, Any] | None = None
        self._planned: list[Stage] = []
        self.stage_epochs: dict[str, int] = {}
        self.also_validated: dict[str, AbstractDataLoader] = {}
        self.listener: Listener | None = None
        self.keeps_settings = False

    def build_stages(self, train_data: AbstractDataLoader) -> list[Stage]:
        """Return the stages for this training set."""
        raise NotImplementedError

    def plan_stages(self, train_data: AbstractDataLoader) -> list[Stage]:
        """Build the stages ahead of `fit`, which takes these and builds none."""
        self._planned = self.build_stages(train_data)
        return self._planned

    def extra_state(self) -> dict[str, Any]:
        """Return what later stages need from earlier ones, for the checkpoint."""
        return {}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Take back what `extra_state` returned."""

    def examine(self) -> dict[str, float]:
        """Return what the history says of the model after a validation, beside its metrics."""
        return {}

    def diagnostics(self) -> dict[str, Any]:
        """Return what `run.json` should say of this training beyond its metrics."""
        return {}

    def notes(self) -> list[str]:
        """Return what the user should read below the table, one line each."""
        return []

    def fit(
        self,
        train_data: AbstractDataLoader,
        valid_data: AbstractDataLoader | None = None,
        verbose: bool = True,
        saved: bool = True,
        show_progress: bool = False,
        callback_fn: EpochCallback | None = None,
    ) -> tuple[float, dict[str, float] | None]:
        """Run all stages; afterwards the model holds the selected weights.

        Args:
            train_data: RecBole's training loader.
            valid_data: validation loader; None turns early stopping off.
            verbose: log every epoch.
            saved: write checkpoints into the run folder, where there is one.
            show_progress: show a bar for every epoch.
            callback_fn: called with (epoch, score) after every validation.

        Returns:
            Best validation score and result of the last validating stage.

        Raises:
            TrainingError: a loss is not finite.
        """
        self.eval_collector.data_collect(train_data)
        self.stages, self._planned = self._planned or self.build_stages(train_data), []
        for stage in self.stages:
            stage.epochs = self.stage_epochs.get(stage.name, stage.epochs)
            stage.epochs_given = stage.name in self.stage_epochs
        self._options = {"valid_data": valid_data, "verbose": verbose, "bar": show_progress}
        self._saved, self._callback = saved and self.run_dir is not None, callback_fn
        resumed = self._resume_from
        self._begin_history(resumed)
        folder = self.run_dir / "checkpoint" / FOLDER if self._saved and self.run_dir else None
        self.snapshots = Snapshots(folder)
        self.snapshots.restart(resumed.get("snapshots", []) if resumed else [])
        # a signal is held back only where a checkpoint can be written
        resumable = self._saved and not self.one_pass
        with self._stops.installed() if resumable else nullcontext():
            for index in range(self.start_stage, len(self.stages)):
                if resumed is not None or self.stages[index].is_needed():
                    self._run_stage(index, resumed)
                resumed = None
        self.restore_best()
        return self.best_valid_score, self.best_valid_result

    def _begin_history(self, resumed: dict[str, Any] | None) -> None:
        """Start a new history, or go on after the epochs that the checkpoint knows."""
        self.history.restart(resumed["history"] if resumed else [])

    def _run_stage(self, index: int, resumed: dict[str, Any] | None) -> None:
        """Run one stage from its beginning, or from where the checkpoint left it."""
        stage = self.stages[index]
        self._index, self._stage_begun = index, time.perf_counter()
        epochs_done, finished, running = 0, False, None
        if resumed is not None:
            self.load_extra_state(resumed["extra"])
        stage.begin()
        if resumed is not None:
            running = restore_training(self, stage, resumed)
            epochs_done, finished = int(resumed["epoch"]), bool(resumed["finished"])
            self._stage_begun -= resumed["seconds"]
        elif stage.validates:
            self._forget_best()
        while epochs_done < stage.epochs and not finished:
            with self._stops.held_back():
                finished = self._run_epoch(stage, running or epochs_done)
                epochs_done, running = epochs_done + 1, None
                self._checkpoint(self._place(epochs_done, finished))
            self._stops.act()
            line = self.history.lines[-1]
            if self.listener is not None and "valid" in line:
                self.listener(stage, line)
        if stage.validates:
            self.restore_best()
        # the end of a stage may go back to weights of an earlier one
        best_epoch = self.best_epoch if stage.validates else None
        stage.end()
        self.stage_records.append(
            {
                "name": stage.name,
                "epochs": epochs_done,
                "seconds": round(time.perf_counter() - self._stage_begun, 3),
                "best_epoch": best_epoch,
                "ended": self._ending(stage, finished),
            }
        )

    def _place(self, epoch: int, finished: bool = False, running: EpochRun | None = None) -> Place:
        """Say where the training stands."""
        seconds = time.perf_counter() - self._stage_begun
        return Place(self._index, epoch, finished, seconds, running)

    def _ending(self, stage: Stage, finished: bool) -> str:
        """Say what ended a stage; one without validation has no limit that could be too low.

        Nor has one whose epochs are given.
        """
        if not stage.validates or self.one_pass or stage.epochs_given:
            return "done"
        return "early stop" if finished else "limit"

    def _run_epoch(self, stage: Stage, epoch: int | EpochRun) -> bool:
        """Train one epoch, validate if it is time, write the history; True ends the stage.

        Args:
            stage: begun.
            epoch: its number, or one that is going on.
        """
        running = epoch if isinstance(epoch, EpochRun) else EpochRun(stage, epoch, self.model)
        self._take_steps(running)
        epoch, end = running.number, stage.end_epoch(running.number)
        line: dict[str, Any] = {"stage": stage.name, "epoch": epoch, "losses": running.means()}
        line |= end.values
        line["seconds"] = round(running.seconds(), 4)
        stop = end.finished
        if self._validates_after(stage, epoch):
            line["valid"], stopped = self._validate(stage, epoch)
            line["valid"] |= self.examine()
            also = {
                name: dict(self.evaluate(loader, load_best_model=False))
                for name, loader in self.also_validated.items()
            }
            line |= {"also": also} if also else {}
            stop = stop or stopped
        self.history.append(line)
        if self._options["verbose"]:
            self.logger.info(describe_line(line, end.values))
        return stop

    def _validates_after(self, stage: Stage, epoch: int) -> bool:
        """Whether an epoch is followed by a validation; `eval_step: 0` means never."""
        wanted = stage.validates and stage.eval_step > 0 and bool(self._options["valid_data"])
        return wanted and (epoch + 1) % stage.eval_step == 0

    def _take_steps(self, running: EpochRun) -> None:
        """Take the steps of an epoch that are left, with checkpoints where they are due."""
        bar = tqdm(
            running,
            total=running.n_batches,
            initial=running.n_steps,
            desc=f"{running.stage.name} {running.number + 1}/{running.stage.epochs}",
            leave=False,
            disable=None if self._options["bar"] else True,
        )
        for batch in bar:
            running.losses.add(running.stage.step(batch))
            self._cadence.count()
            if self._stops.requested or self._cadence.is_due(inside=True):
                self._checkpoint(self._place(running.number, running=running))
                self._stops.act()

    def _validate(self, stage: Stage, epoch: int) -> tuple[dict[str, float], bool]:
        """Validate and keep the weights if they are the best; True means stop."""
        result = self.evaluate(self._options["valid_data"], load_best_model=False)
        score = calculate_valid_score(result, self.valid_metric)
        self.best_valid_score, self.cur_step, stop, improved = early_stopping(
            score,
            self.best_valid_score,
            self.cur_step,
            max_step=stage.patience,
            bigger=self.valid_metric_bigger,
        )
        if improved:
            self.best_valid_result, self.best_epoch = dict(result), epoch
            self.best_state = clone_state(self.model)
        if self.records_frontier:
            name, state = f"{stage.name} {epoch}", clone_state(self.model)
            self.snapshots.keep(name, stage.name, epoch, result, state, frontier=True)
        if self._options["verbose"]:
            self.logger.info(f"{stage.name}: valid {dict2str(result)}")
        if self._callback:
            self._callback(epoch, score)
        return dict(result), bool(stop)

    def _forget_best(self) -> None:
        """Start the selection anew for a validating stage."""
        self.cur_step, self.best_epoch = 0, None
        self.best_state, self.best_valid_result = None, None
        self.best_valid_score = -torch.inf if self.valid_metric_bigger else torch.inf

    def restore_best(self) -> None:
        """Load the best weights of the current stage, if any were kept."""
        if self.best_state is not None:
            restore_state(self.model, self.best_state)

    def evaluate(
        self,
        eval_data: AbstractDataLoader,
        load_best_model: bool = True,
        model_file: str | None = None,
        show_progress: bool = False,
    ) -> dict[str, float]:
        """Evaluate as RecBole does; the best weights come from memory, not from a pickle."""
        if load_best_model:
            self.restore_best()
        result: dict[str, float] = super().evaluate(
            eval_data, load_best_model=False, show_progress=show_progress
        )
        return result

    def _build_optimizer(self, **kwargs: Any) -> torch.optim.Optimizer | None:
        """Give RecBole's constructor no optimiser: every stage makes its own."""
        return super()._build_optimizer(**kwargs) if kwargs else None

    def resume_checkpoint(self, resume_file: str | Path) -> None:
        """Go on from a checkpoint of this package at the next `fit`.

        Args:
            resume_file: the file, or a run's folder of checkpoints: the newest that is whole.

        Raises:
            InputError: there is none, or it is not whole.
        """
        path = Path(resume_file)
        state = CheckpointFolder(path).newest()[1] if path.is_dir() else load_checkpoint(path)
        self._resume_from, self.start_stage = state, state["stage"]
        self.stage_records = state["stage_records"]

    def _checkpoint(self, place: Place) -> None:
        """Write the whole state: at the end of a stage, before a stop, and when it is due."""
        inside = place.running is not None
        at_end = place.finished or place.epoch == self.stages[place.stage].epochs
        due = self._stops.requested or self._cadence.is_due(inside) or (at_end and not inside)
        if not (self._saved and self.run_dir and due):
            return
        CheckpointFolder(self.run_dir / "checkpoint").save(training_state(self, place))
        self.snapshots.prune()
        self._cadence.reset()
