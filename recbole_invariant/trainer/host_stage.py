"""The single stage of a RecBole model: its own loader, its own loss, RecBole's optimiser."""

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from recbole.config import Config
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.interaction import Interaction
from torch import Tensor, nn
from torch.nn.utils.clip_grad import clip_grad_norm_

from recbole_invariant.trainer.optimizer import optimizer_state
from recbole_invariant.trainer.resumption import Place
from recbole_invariant.trainer.stage import Stage
from recbole_invariant.trainer.stages import StagedTrainer


class HostStage(Stage):
    """What RecBole's `Trainer` does with a batch, step for step.

    Args:
        name: name of the stage.
        trainer: the staged trainer, for its settings.
        train_data: RecBole's training loader, iterated as it is.
        model: what is trained by the loss of the trainer's model; that model by default.
        epochs: at most so many; the trainer's by default.
        patience: validations without improvement before it stops; the trainer's by default.
        on_end: called at `end`, with the best weights loaded.
    """

    def __init__(
        self,
        name: str,
        trainer: "HostTrainer",
        train_data: AbstractDataLoader,
        model: nn.Module | None = None,
        epochs: int | None = None,
        patience: int | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(name, trainer.epochs if epochs is None else epochs)
        self.trainer, self.train_data = trainer, train_data
        self.model = trainer.model if model is None else model
        self.on_end = on_end
        self.validates = True
        given = trainer.config["eval_step"]
        self.eval_step = trainer.eval_step if epochs is None else min(given, epochs)
        self.patience = trainer.stopping_step if patience is None else patience

    def begin(self) -> None:
        """Make RecBole's optimiser and, for dynamic negatives, show the loader the model."""
        self.optimizer = self.trainer.host_optimizer(self.learned())
        if self.trainer.config["train_neg_sample_args"].get("dynamic", False):
            self.train_data.get_model(self.model)

    def learned(self) -> Iterable[nn.Parameter]:
        """Return what the optimiser moves."""
        return self.model.parameters()

    def batches(self) -> AbstractDataLoader:
        """Return RecBole's loader."""
        return self.train_data

    def step(self, batch: Interaction) -> dict[str, Tensor]:
        """Take one step on RecBole's batch; a loss of several parts is logged part by part."""
        trainer = self.trainer
        batch = batch.to(trainer.device)
        self.optimizer.zero_grad()
        with torch.autocast(device_type=trainer.device.type, enabled=trainer.enable_amp):
            losses = trainer.model.calculate_loss(batch)
        parts = losses if isinstance(losses, tuple) else (losses,)
        loss: Tensor = parts[0]
        for part in parts[1:]:
            loss = loss + part
        loss.backward()
        trainer.clip(self.learned())
        self.optimizer.step()
        named = {f"loss_{k + 1}": part.detach() for k, part in enumerate(parts)}
        return {"loss": loss.detach(), **(named if len(parts) > 1 else {})}

    def end(self) -> None:
        """Hand the trained model on."""
        if self.on_end:
            self.on_end()

    def optimizers(self) -> Iterable[torch.optim.Optimizer]:
        """Return its only one."""
        return (self.optimizer,)

    def generators(self) -> dict[str, torch.Generator]:
        """Return the loader's stream."""
        return {"generator": self.train_data.generator}

    def state(self) -> dict[str, Any]:
        """Return the optimiser and the loader's random stream."""
        return {
            "optimizer": optimizer_state(self.optimizer),
            "generator": self.train_data.generator.get_state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.train_data.generator.set_state(state["generator"])


class HostTrainer(StagedTrainer):
    """Trains any RecBole model whose own trainer is the plain `Trainer`, in one stage."""

    def __init__(self, config: Config, model: torch.nn.Module) -> None:
        super().__init__(config, model)
        if self.enable_scaler:
            self.logger.warning("enable_scaler has no effect in the staged trainer")

    def build_stages(self, train_data: AbstractDataLoader) -> list[Stage]:
        """Return the single stage `train`."""
        return [HostStage("train", self, train_data)]

    def host_optimizer(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Make the optimiser as RecBole does."""
        optimizer = self._build_optimizer(params=parameters)
        return cast(torch.optim.Optimizer, optimizer)

    def clip(self, parameters: Iterable[nn.Parameter]) -> None:
        """Clip the gradients where the option `clip_grad_norm` says so."""
        if self.clip_grad_norm:
            clip_grad_norm_(parameters, **self.clip_grad_norm)


class HostTraditionalTrainer(HostTrainer):
    """Trains models without gradient descent (Pop, ItemKNN, EASE): one pass."""

    def __init__(self, config: Config, model: torch.nn.Module) -> None:
        super().__init__(config, model)
        self.epochs = 1
        self.eval_step = 1

    def _checkpoint(self, place: Place) -> None:
        """Write none: one pass has no middle, and its result may be a SciPy matrix."""
