"""The one training loop: `StagedTrainer` runs a list of stages.

Each stage gets the same progress bar, check for non-finite losses, validation with early
stopping, history, TensorBoard scalars and checkpoint. Nothing else overrides RecBole's `fit`.
"""

import time
from collections.abc import Callable
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
from recbole_invariant.trainer.checkpoint import (
    clone_state,
    load_checkpoint,
    random_states,
    restore_state,
    save_checkpoint,
    set_random_states,
)
from recbole_invariant.trainer.history import History, describe_line
from recbole_invariant.trainer.losses import LossMeans
from recbole_invariant.trainer.optimizer import settings_kept
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
        self._last_checkpoint = time.monotonic()
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
        begun, start_epoch = time.perf_counter(), 0
        if resumed is not None:
            self.load_extra_state(resumed["extra"])
        stage.begin()
        if resumed is None:
            if stage.validates:
                self._forget_best()
        else:
            start_epoch = self._restore(stage, resumed)
            begun -= resumed["seconds"]
        epochs_done, finished = start_epoch, bool(resumed and resumed["finished"])
        while epochs_done < stage.epochs and not finished:
            finished = self._run_epoch(stage, epochs_done)
            epochs_done += 1
            self._checkpoint(index, epochs_done, finished, time.perf_counter() - begun)
            line = self.history.lines[-1]
            if self.listener is not None and "valid" in line:
                self.listener(stage, line)
        if stage.validates:
            self.restore_best()
        # the end of a stage may go back to weights of an earlier one
        best_epoch = self.best_epoch if stage.validates else None
        stage.end()
        seconds = time.perf_counter() - begun
        self.stage_records.append(
            {
                "name": stage.name,
                "epochs": epochs_done,
                "seconds": round(seconds, 3),
                "best_epoch": best_epoch,
                "ended": self._ending(stage, finished),
            }
        )

    def _ending(self, stage: Stage, finished: bool) -> str:
        """Say what ended a stage; one without validation has no limit that could be too low.

        Nor has one whose epochs are given.
        """
        if not stage.validates or self.one_pass or stage.epochs_given:
            return "done"
        return "early stop" if finished else "limit"

    def _run_epoch(self, stage: Stage, epoch: int) -> bool:
        """Train one epoch, validate if it is time, write the history; True ends the stage."""
        begun = time.perf_counter()
        losses = self._train_one_epoch(stage, epoch)
        end = stage.end_epoch(epoch)
        line: dict[str, Any] = {"stage": stage.name, "epoch": epoch, "losses": losses, **end.values}
        line["seconds"] = round(time.perf_counter() - begun, 4)
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

    def _train_one_epoch(self, stage: Stage, epoch: int) -> dict[str, float]:
        """Take every step of an epoch; return the mean of each loss over the steps."""
        self.model.train()
        losses = LossMeans(stage.name, epoch)
        batches = stage.batches()
        label = f"{stage.name} {epoch + 1}/{stage.epochs}"
        for batch in tqdm(
            batches, desc=label, leave=False, disable=None if self._options["bar"] else True
        ):
            losses.add(stage.step(batch))
        return losses.means(len(batches))  # type: ignore[arg-type]

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
        """Go on from a checkpoint of this package at the next `fit`."""
        state = load_checkpoint(Path(resume_file))
        self._resume_from, self.start_stage = state, state["stage"]
        self.stage_records = state["stage_records"]

    def _restore(self, stage: Stage, state: dict[str, Any]) -> int:
        """Load a checkpoint into the model, the stage and the selection; return the epoch."""
        with settings_kept(stage.optimizers() if self.keeps_settings else ()):
            stage.load_state(state["stage_state"])
        restore_state(self.model, state["model"])
        selection = state["selection"]
        self.best_valid_score, self.cur_step = selection["score"], selection["cur_step"]
        self.best_valid_result, self.best_epoch = selection["result"], selection["epoch"]
        self.best_state = state["best_state"]
        set_random_states(state["random"])
        return int(state["epoch"])

    def _checkpoint(self, index: int, epoch: int, finished: bool, seconds: float) -> None:
        """Write the whole state at an epoch's end, at most every `checkpoint_minutes`."""
        waited = time.monotonic() - self._last_checkpoint
        ends = finished or epoch == self.stages[index].epochs
        due = ends or waited >= 60 * (self.config["checkpoint_minutes"] or 0)
        if not (self._saved and self.run_dir and due):
            return
        state = {
            "stage": index,
            "epoch": epoch,
            "finished": finished,
            "seconds": seconds,
            "stage_state": self.stages[index].state(),
            "extra": self.extra_state(),
            "model": clone_state(self.model),
            "best_state": self.best_state,
            "selection": {
                "score": float(self.best_valid_score),
                "cur_step": self.cur_step,
                "result": self.best_valid_result,
                "epoch": self.best_epoch,
            },
            "history": self.history.lines,
            "snapshots": self.snapshots.index(),
            "stage_records": self.stage_records,
            "random": random_states(),
        }
        save_checkpoint(self.run_dir / "checkpoint" / "last.safetensors", state)
        self.snapshots.prune()
        self._last_checkpoint = time.monotonic()
