"""Choose and adapt the trainer of a model, ours or RecBole's."""

import time
from inspect import signature
from pathlib import Path
from typing import Any

import recbole.trainer as host_trainers
import torch
from recbole.config import Config
from recbole.trainer import Trainer
from recbole.utils import get_trainer
from torch import Tensor

from recbole_invariant import compat
from recbole_invariant.errors import TrainingError
from recbole_invariant.evaluation.tiles import quicken
from recbole_invariant.registry import ModelEntry
from recbole_invariant.trainer.checkpoint import clone_state, restore_state
from recbole_invariant.trainer.history import History, forget_events
from recbole_invariant.trainer.host_stage import HostTraditionalTrainer, HostTrainer
from recbole_invariant.trainer.stages import Listener, StagedTrainer


class AdaptedTrainer:
    """Mixed in before a RecBole trainer with a loop of its own (knowledge graphs, pretraining).

    The loop stays RecBole's; the best weights are kept in memory instead of a pickled file, and
    the history, losses only, is written at the end.
    """

    def __init__(self, config: Config, model: torch.nn.Module) -> None:
        self.run_dir = Path(config["run_dir"]) if config["run_dir"] else None
        forget_events(self.run_dir)
        with compat.tensorboard_directory(self.run_dir):
            super().__init__(config, model)  # type: ignore[call-arg]
        path = self.run_dir / "history.jsonl" if self.run_dir else None
        self.history = History(path)
        self.history.restart([])
        self.stage_records: list[dict[str, Any]] = []
        self.best_epoch: int | None = None
        self.best_state: dict[str, Any] | None = None
        self.listener: Listener | None = None

    def _save_checkpoint(self, epoch: int, verbose: bool = True, **kwargs: Any) -> None:
        """Keep the weights that RecBole would have pickled."""
        self.best_epoch, self.best_state = epoch, clone_state(self.model)  # type: ignore[attr-defined]

    def _check_nan(self, loss: Tensor) -> None:
        """Stop on a loss that is not finite; RecBole's own check lets infinity pass."""
        if not bool(torch.isfinite(loss).all()):
            epoch = len(self.train_loss_dict)  # type: ignore[attr-defined]
            raise TrainingError(
                f"stage 'train', epoch {epoch}: the loss is {float(loss.detach())}."
            )

    def restore_best(self) -> None:
        """Load the weights kept last."""
        if self.best_state is not None:
            restore_state(self.model, self.best_state)  # type: ignore[attr-defined]

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Run RecBole's loop, then write the history and load the best weights."""
        begun = time.perf_counter()
        fit = super().fit  # type: ignore[misc]
        if "callback_fn" in signature(fit).parameters:
            kwargs = {"callback_fn": self._tell, **kwargs}
        result = fit(*args, **kwargs)
        losses = self.train_loss_dict  # type: ignore[attr-defined]
        for epoch, loss in losses.items():
            value = None if loss is None else float(loss)
            self.history.append({"stage": "train", "epoch": epoch, "losses": {"loss": value}})
        seconds = round(time.perf_counter() - begun, 3)
        self.stage_records = [{"name": "train", "epochs": len(losses), "seconds": seconds}]
        self.restore_best()
        return result

    def _tell(self, epoch: int, score: float) -> None:
        """Pass a validation on; of it RecBole's loop tells the metric that selects."""
        if self.listener is not None:
            metric = str(self.config["valid_metric"]).lower()  # type: ignore[attr-defined]
            self.listener(None, {"stage": "train", "epoch": epoch, "valid": {metric: score}})

    def evaluate(
        self,
        eval_data: Any,
        load_best_model: bool = True,
        model_file: str | None = None,
        show_progress: bool = False,
    ) -> Any:
        """Evaluate as RecBole does; the best weights come from memory."""
        if load_best_model:
            self.restore_best()
        return super().evaluate(  # type: ignore[misc]
            eval_data, load_best_model=False, show_progress=show_progress
        )

    def diagnostics(self) -> dict[str, Any]:
        """Return nothing beyond the metrics."""
        return {}


def build_trainer(entry: ModelEntry, config: Config, model: torch.nn.Module) -> Trainer:
    """Make the trainer of a model, with fast evaluation.

    Args:
        entry: the model's entry in the registry.
        config: resolved options.
        model: the model, on its device.

    Returns:
        Our staged trainer for our models, for models that name one, and for every RecBole model
        of its plain or traditional trainer; RecBole's own, adapted, for those with a loop of
        their own.
    """
    return quicken(_trainer_class(entry, config)(config, model))


def is_staged(entry: ModelEntry, config: Config) -> bool:
    """Say whether a model is trained in stages, and not by a loop of RecBole's own."""
    return issubclass(_trainer_class(entry, config), StagedTrainer)


def _trainer_class(entry: ModelEntry, config: Config) -> Any:
    """Choose the class of a model's trainer."""
    if entry.trainer_class is not None and issubclass(entry.trainer_class, StagedTrainer):
        return entry.trainer_class
    host_class = entry.trainer_class or get_trainer(config["MODEL_TYPE"], entry.name)
    if host_class is host_trainers.Trainer:
        return HostTrainer
    if host_class is host_trainers.TraditionalTrainer:
        return HostTraditionalTrainer
    if not issubclass(host_class, Trainer):
        return host_class
    return type(f"Adapted{host_class.__name__}", (AdaptedTrainer, host_class), {})
