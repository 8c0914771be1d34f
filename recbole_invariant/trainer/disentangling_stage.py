"""Irl4Rec's only stage: one step on all terms of its objective, weighed."""

from collections.abc import Callable
from logging import getLogger
from typing import Any

import torch
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.interaction import Interaction
from torch import Tensor, nn

from recbole_invariant.model.dependence import ClubDependence
from recbole_invariant.model.sequential_recommender.irl4rec import PREDICTION, Irl4Rec
from recbole_invariant.trainer.host_stage import HostStage, HostTrainer
from recbole_invariant.trainer.optimizer import optimizer_state
from recbole_invariant.trainer.scalars import stacked, unstacked
from recbole_invariant.trainer.stage import EpochEnd
from recbole_invariant.trainer.term_weighing import build_weighing

IDLE_FACTOR = 0.01
"""Mean factor of the prediction in an epoch below which t is hardly trained."""


class DisentanglingStage(HostStage):
    """Minimise the weighted terms of Irl4Rec's objective.

    With `independence: club` each step then fits q(s | t) on the batch, which moves q alone.

    Args:
        name: name of the stage.
        trainer: the staged trainer, for its settings; its model is Irl4Rec.
        train_data: RecBole's training loader.
        on_end: called at `end`, with the best weights loaded.
    """

    def __init__(
        self,
        name: str,
        trainer: HostTrainer,
        train_data: AbstractDataLoader,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(name, trainer, train_data, on_end=on_end)
        self.model: Irl4Rec = trainer.model
        dependence = self.model.dependence
        self.club = dependence if isinstance(dependence, ClubDependence) else None
        self.club_steps = trainer.config["club_steps"]
        self.warned = False

    def begin(self) -> None:
        """Make the optimisers: of the model, and of club's estimate where there is one."""
        config = self.trainer.config
        self.weighing = build_weighing(config["adaptive_weights"], self.model.term_weights)
        self.weighing.to(self.trainer.device)
        estimate = set() if self.club is None else set(self.club.parameters())
        own = [p for p in self.model.parameters() if p not in estimate]
        self.parameters = [*own, *self.weighing.parameters()]
        super().begin()
        self.estimator: torch.optim.Optimizer | None = None
        if self.club is not None:
            rate = config["club_learning_rate"]
            self.estimator = torch.optim.Adam(self.club.parameters(), lr=rate)

    def batches(self) -> AbstractDataLoader:
        """Return RecBole's loader."""
        self.factors: list[Tensor] = []
        return super().batches()

    def learned(self) -> list[nn.Parameter]:
        """Return all but club's estimate, and learned weights."""
        return self.parameters

    def step(self, batch: Interaction) -> dict[str, Tensor]:
        """Take one step on a batch; return the loss, its terms, and factors that are not fixed."""
        trainer, batch = self.trainer, batch.to(self.trainer.device)
        device = trainer.device.type
        with torch.autocast(device_type=device, enabled=trainer.enable_amp):
            terms, (t, s) = self.model.terms(self.model.encoder.examples(batch))
        self.optimizer.zero_grad()
        loss, factors = self.weighing.backward(terms, self.parameters)
        trainer.clip(self.parameters)
        self.optimizer.step()
        if self.club is not None and s is not None:
            self.fit_estimate(t, s)  # not before: the bound's graph holds q's weights
        if factors:
            self.factors.append(factors[PREDICTION])
        said = {name: term.detach() for name, term in terms.items()}
        return {"loss": loss, **said, **{f"factor_{k}": v for k, v in factors.items()}}

    def end_epoch(self, epoch: int) -> EpochEnd:
        """Warn, once, when adaptive weights leave the prediction of t without weight."""
        factor = float(torch.stack(self.factors).mean()) if self.factors else 1.0
        if factor < IDLE_FACTOR and not self.warned:
            self.warned = True
            kind = self.trainer.config["adaptive_weights"]
            getLogger().warning(
                f"{self.name} epoch {epoch}: adaptive_weights: {kind} gives the prediction of t a "
                f"factor of {factor:.4f}, so that it hardly learns. min_norm follows the term with "
                "the smallest gradient: leave terms out (compression_weight: 0), or take "
                "uncertainty or none."
            )
        return EpochEnd()

    def fit_estimate(self, adjustment: Tensor, spurious: Tensor) -> None:
        """Fit q(s | t) to a batch of drawn representations, which stay as they are."""
        if self.club is None or self.estimator is None:
            return
        t, s = adjustment.float(), spurious.float()  # q is not in mixed precision
        for _ in range(self.club_steps):
            self.estimator.zero_grad()
            self.club.negative_log_likelihood(t, s).backward()
            self.estimator.step()

    def state(self) -> dict[str, Any]:
        """Return the optimisers, learned weights, the loader's random stream, the factors."""
        estimator = None if self.estimator is None else optimizer_state(self.estimator)
        weighing = {name: value.clone() for name, value in self.weighing.state_dict().items()}
        own = {"estimator": estimator, "weighing": weighing, "warned": self.warned}
        return {**super().state(), **own, "factors": stacked(self.factors)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        super().load_state(state)
        self.warned, self.factors = state["warned"], unstacked(state["factors"])
        self.weighing.load_state_dict(state["weighing"])
        if self.estimator is not None:
            self.estimator.load_state_dict(state["estimator"])
