"""IDEA's second stage: the recommender learns in environments that extractors make hard."""

from collections.abc import Callable
from logging import getLogger
from typing import Any

import torch
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_invariant.environment.simulated import keep_rate, keep_rate_penalty
from recbole_invariant.model.sequence_encoder import Examples
from recbole_invariant.model.sequential_recommender.idea import IDEA
from recbole_invariant.model.simulation import Environments
from recbole_invariant.objective.environment_risk import irmv1_penalty, risk_variance
from recbole_invariant.seeding import torch_generator
from recbole_invariant.trainer.host_stage import HostTrainer
from recbole_invariant.trainer.optimizer import optimizer_state
from recbole_invariant.trainer.scalars import stacked, unstacked
from recbole_invariant.trainer.stage import EpochEnd, Stage

STRONG_PENALTY = 0.1
"""Share of the mean risk from which the penalty is known to destroy what the model has learned."""


class AlternatingStage(Stage):
    """Minimise mean risk + penalty over simulated environments; explore every T steps.

    A recommender step moves the backbone: mean_n R_n + penalty_weight * Var_n(R_n), or the mean of
    the IRMv1 penalties in the place of the variance. An exploration step comes before every T-th of
    them, on the same batch, and moves the extractors alone: it maximises Var_n(R_n).

    Args:
        name: name of the stage.
        trainer: the staged trainer, for its settings; its model is IDEA.
        train_data: RecBole's training loader.
        prepare: called first at `begin`, e.g. to draw fresh parameters.
        on_end: called at `end`, with the best weights loaded.
    """

    def __init__(
        self,
        name: str,
        trainer: HostTrainer,
        train_data: AbstractDataLoader,
        prepare: Callable[[], None] | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(name, trainer.epochs)
        config = trainer.config
        self.trainer, self.train_data = trainer, train_data
        self.prepare, self.on_end = prepare, on_end
        self.model: IDEA = trainer.model
        self.validates, self.patience = True, trainer.stopping_step
        self.eval_step = trainer.eval_step
        self.penalty, self.weight = config["penalty"], config["penalty_weight"]
        self.interval = config["exploration_interval"]
        self.keep_rate_weight = config["keep_rate_weight"]
        self.keep_rate_target = config["keep_rate_target"]
        self.n_steps, self.warned = 0, False

    def begin(self) -> None:
        """Make the two optimisers and the random stream of the environments."""
        if self.prepare:
            self.prepare()
        config = self.trainer.config
        self.optimizer = self.trainer.host_optimizer(self.model.encoder.parameters())
        self.explorer = torch.optim.Adam(
            self.model.simulation.parameters(), lr=config["extractor_learning_rate"]
        )
        device = self.trainer.device
        self.generator = torch_generator(config["seed"], "environments/simulated", device)
        self.ratios: list[Tensor] = []

    def batches(self) -> AbstractDataLoader:
        """Return RecBole's loader."""
        self.ratios = []
        return self.train_data

    def step(self, batch: Interaction) -> dict[str, Tensor]:
        """Take an exploration step if it is time, and a step of the recommender."""
        batch = batch.to(self.trainer.device)
        examples = self.model.encoder.examples(batch)
        if self.model.simulation.explores and self.n_steps % self.interval == 0:
            self.explore(examples)
        self.n_steps += 1
        return self.recommend(examples)

    def autocast(self) -> torch.autocast:
        """Compute in mixed precision where the option `enable_amp` asks for it."""
        device = self.trainer.device.type
        return torch.autocast(device_type=device, enabled=self.trainer.enable_amp)

    def explore(self, examples: Examples) -> None:
        """Make the environments harder: one step of the extractors up the variance of the risks.

        Asking for the extractors' gradients alone spares the backbone's.
        """
        with torch.no_grad():
            embeddings = self.model.encoder.embed(examples.item_sequence)
        with self.autocast():
            made = self.model.simulation(embeddings, examples, self.generator)
            logits = self.model.training_scores(embeddings, examples, made.gates)
            loss = -risk_variance(made.risks(logits, examples.targets))
        if self.keep_rate_weight and made.extractors is not None:
            rates = keep_rate(made.extractors, examples.is_item)
            loss = loss + self.keep_rate_weight * keep_rate_penalty(rates, self.keep_rate_target)
        parameters = list(self.model.simulation.parameters())
        gradients = torch.autograd.grad(loss, parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        self.explorer.step()
        self.explorer.zero_grad(set_to_none=True)

    def recommend(self, examples: Examples) -> dict[str, Tensor]:
        """Take one step of the backbone; return what the history tells of it."""
        embeddings = self.model.encoder.embed(examples.item_sequence)
        with torch.no_grad():
            made = self.model.simulation(embeddings, examples, self.generator)
        with self.autocast():
            logits = self.model.training_scores(embeddings, examples, made.gates)
            risks = made.risks(logits, examples.targets)
        mean = risks.mean()
        variance = risk_variance(risks) if len(risks) > 1 else torch.zeros_like(mean)
        penalty = variance
        if self.penalty == "irmv1":
            penalty = irmv1_penalty(logits, examples.targets, made.weights).mean()
        loss = mean + self.weight * penalty
        self.optimizer.zero_grad()
        loss.backward()
        self.trainer.clip(self.model.encoder.parameters())
        self.optimizer.step()
        ratio = self.weight * penalty.detach() / mean.detach()
        self.ratios.append(ratio)
        return {
            "loss": loss.detach(),
            "mean_risk": mean.detach(),
            "risk_variance": variance.detach(),
            "penalty_ratio": ratio,
            **_keep_rates(made, examples),
        }

    def end_epoch(self, epoch: int) -> EpochEnd:
        """Warn, once, when the penalty is large enough to destroy the model."""
        ratio = float(torch.stack(self.ratios).mean()) if self.ratios else 0.0
        if ratio > STRONG_PENALTY and not self.warned:
            self.warned = True
            getLogger().warning(
                f"{self.name} epoch {epoch}: the penalty is {ratio:.2f} of the mean risk; from "
                f"about {STRONG_PENALTY} on it hurts more than it helps. Lower penalty_weight "
                f"(now {self.weight}), or look at keep_rate in history.jsonl: environments that "
                "hide everything need keep_rate_weight."
            )
        return EpochEnd()

    def end(self) -> None:
        """Hand the trained model on."""
        if self.on_end:
            self.on_end()

    def generators(self) -> dict[str, torch.Generator]:
        """Return the streams of the environments and of the loader."""
        return {"generator": self.generator, "loader": self.train_data.generator}

    def state(self) -> dict[str, Any]:
        """Return both optimisers, both random streams, the number of steps and their ratios."""
        return {
            "optimizer": optimizer_state(self.optimizer),
            "explorer": optimizer_state(self.explorer),
            "generator": self.generator.get_state(),
            "loader": self.train_data.generator.get_state(),
            "n_steps": self.n_steps,
            "warned": self.warned,
            "ratios": stacked(self.ratios),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.explorer.load_state_dict(state["explorer"])
        self.generator.set_state(state["generator"])
        self.train_data.generator.set_state(state["loader"])
        self.n_steps, self.warned = state["n_steps"], state["warned"]
        self.ratios = unstacked(state["ratios"])


def _keep_rates(made: Environments, examples: Examples) -> dict[str, Tensor]:
    """Return each extractor's mean gate over the items of a batch; nothing without extractors."""
    if made.extractors is None:
        return {}
    rates = keep_rate(made.extractors, examples.is_item)
    return {f"keep_rate_{k + 1}": rate for k, rate in enumerate(rates)}
