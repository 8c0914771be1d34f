"""The stage that finds environments in the flagged dimensions."""

from typing import Any

import torch
from recbole.config import Config
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from torch import Tensor

from recbole_invariant.environment.labels import random_labels
from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF
from recbole_invariant.seeding import torch_generator
from recbole_invariant.stability.experts import Experts, flagged_subspace
from recbole_invariant.stability.overdispersion import standardise
from recbole_invariant.stability.reference import HeldOut
from recbole_invariant.trainer.identify_stage import publish_labels
from recbole_invariant.trainer.optimizer import optimizer_state
from recbole_invariant.trainer.stage import EpochEnd, Stage
from recbole_invariant.trainer.workspace import Workspace

STARTS, STEPS, LEARNING_RATE, PENALTY = 4, 120, 0.05, 0.01
FEWEST_FLAGGED = 4
"""With fewer flagged dimensions there is nothing to be invariant against: labels are random."""

PREFERENCES_KEPT = 1 << 23
"""Preferences (users x items) a fold that the fit looks at; other users are labelled only."""


class ExpertStage(Stage):
    """Fit the mixture of experts to the held-out clicks, one fold a step; label all clicks.

    Args:
        model: the backbone, for its features.
        config: resolved options.
        train_data: RecBole's training loader.
        workspace: gives the reference and the flags, takes the labels and
            lets the fold models go.
    """

    def __init__(
        self,
        model: UltraGCNF,
        config: Config,
        train_data: AbstractDataLoader,
        workspace: Workspace,
    ) -> None:
        super().__init__("environments", epochs=1)
        self.model, self.config, self.train_data = model, config, train_data
        self.workspace = workspace

    def begin(self) -> None:
        """Find the subspace, keep the preferences of some users, draw the starts."""
        config = self.config
        self.generator = torch_generator(config["seed"], f"environments/{self.name}")
        reference, stability = self.workspace.reference, self.workspace.stability
        if reference is None or stability is None:
            raise RuntimeError("stage 'environments' needs the held-out reference first")
        self.reference, self.flagged = reference, stability.flagged
        if int(self.flagged.sum()) < FEWEST_FLAGGED:
            self.epochs = 0
            return
        features = standardise(self.model.item_features)
        self.coordinates = flagged_subspace(features, self.flagged)
        self.clicks: list[list[HeldOut]] = [[] for _ in range(reference.n_folds)]
        for block in reference.blocks(reference.every(PREFERENCES_KEPT)):
            self.clicks[block.fold].append(block)
        size = self.coordinates.shape[1]
        self.experts = Experts(
            STARTS, config["n_environments"], size, self.generator, config["device"]
        )
        self.optimizer = torch.optim.Adam(self.experts.parameters(), lr=LEARNING_RATE)

    def batches(self) -> range:
        """Return the numbers of the steps."""
        return range(STEPS)

    def step(self, batch: int) -> dict[str, Tensor]:
        """Fit all starts to one fold's clicks."""
        for group in self.optimizer.param_groups:
            group["lr"] = LEARNING_RATE * (0.2 if batch >= 0.7 * STEPS else 1.0)
        fold = self.clicks[batch % len(self.clicks)]
        gain = self.experts.likelihood(fold, self.coordinates)
        loss = PENALTY * self.experts.direction.square().sum() - gain.sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return {"loss": -gain.detach().mean()}

    def end_epoch(self, epoch: int) -> EpochEnd:
        """Report the gain of the best start."""
        gains = self._gains()
        return EpochEnd({"log_likelihood_gain": round(float(gains.max()), 6)})

    @torch.no_grad()
    def _gains(self) -> Tensor:
        """Penalised gain of each start over all folds, `(starts,)`."""
        likelihoods = [self.experts.likelihood(fold, self.coordinates) for fold in self.clicks]
        penalty = PENALTY * self.experts.direction.square().sum(dim=(1, 2))
        return torch.stack(likelihoods).mean(dim=0) - penalty

    def end(self) -> None:
        """Label every training row; at random where too little is flagged."""
        n_rows, n_environments = len(self.reference.users), self.config["n_environments"]
        # the reference says nothing of a click that another fold repeats: it keeps a random label
        labels = random_labels(n_rows, n_environments, self.generator)
        if self.epochs:
            start = int(self._gains().argmax())
            for block in self.reference.blocks():
                found = self.experts.labels(block, self.coordinates, start)
                labels[block.rows.cpu()] = found.cpu()
        self.workspace.labels = labels.to(self.config["device"])
        publish_labels(self.train_data, self.workspace.labels)
        self.workspace.release_reference()
        del self.reference  # the trainer keeps its stages

    def generators(self) -> dict[str, torch.Generator]:
        """Return the stream of starts and random labels."""
        return {"generator": self.generator}

    def state(self) -> dict[str, Any]:
        """Return experts, optimiser and the random stream."""
        if self.epochs == 0:
            return {}
        return {
            "experts": dict(self.experts.state_dict()),
            "optimizer": optimizer_state(self.optimizer),
            "generator": self.generator.get_state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        if state:
            self.experts.load_state_dict(state["experts"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.generator.set_state(state["generator"])
