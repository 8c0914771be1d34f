"""The stage that infers the environments of the interactions (PaInvRL 3.3)."""

from typing import Any

import torch
from recbole.config import Config
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from torch import Tensor

from recbole_invariant.data.sampling import ShuffledBatches
from recbole_invariant.environment.inferred import EnvironmentIdentifier, IdentificationOptions
from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF
from recbole_invariant.seeding import torch_generator
from recbole_invariant.trainer.optimizer import optimizer_state
from recbole_invariant.trainer.ranking_stage import TrainingPairs, negative_sampler
from recbole_invariant.trainer.stage import EpochEnd, Stage
from recbole_invariant.trainer.workspace import Workspace

ENVIRONMENT_FIELD = "env_id"


def identification_options(config: Config) -> IdentificationOptions:
    """Read the options of the identification."""
    return IdentificationOptions(
        n_environments=config["n_environments"],
        mode=config["him_mode"],
        centre_scores=config["him_center_logits"],
        changed_fraction=config["him_changed_fraction"],
        min_share=config["him_min_share"],
        learning_rate=config["him_learning_rate"],
        projection_decay=config["pretrain_projection_decay"],
        embedding_decay=config["embedding_decay"],
        item_decay_ratio=config["item_decay_ratio"],
        init_std=config["init_std"],
        sizes=(config["embedding_size"], config["content_embedding_size"]),
    )


def publish_labels(train_data: AbstractDataLoader, labels: Tensor) -> None:
    """Write the labels into the column `env_id` of the training interactions."""
    columns = train_data._dataset.inter_feat
    columns.update(type(columns)({ENVIRONMENT_FIELD: labels.cpu()}))


class IdentifyStage(Stage):
    """Rounds of {train the environments' models, relabel}, `him_epochs` epochs a round.

    The labels go into the column `env_id` of the training interactions, so that they are shuffled
    and saved with them, and into the workspace.

    Args:
        name: name of the stage.
        model: the backbone, for its features and graph.
        config: resolved options.
        train_data: RecBole's training loader.
        workspace: gives mask and tables, takes the labels.
    """

    def __init__(
        self,
        name: str,
        model: UltraGCNF,
        config: Config,
        train_data: AbstractDataLoader,
        workspace: Workspace,
    ) -> None:
        super().__init__(name, config["him_epochs"] * config["him_rounds"])
        self.model, self.config, self.train_data = model, config, train_data
        self.workspace, self.epochs_a_round = workspace, config["him_epochs"]

    def begin(self) -> None:
        """Draw random labels and make the first round's models."""
        config, device = self.config, self.config["device"]
        self.generator = torch_generator(config["seed"], f"sampling/{self.name}", device)
        self.label_generator = torch_generator(config["seed"], f"environments/{self.name}")
        pairs = TrainingPairs.from_loader(self.train_data, device)
        negatives = negative_sampler(config, self.train_data, self.model.n_items, self.generator)
        self.identifier = EnvironmentIdentifier(
            pairs.users,
            pairs.items,
            self.model.item_features,
            self.workspace.mask,
            self.model.graph,
            self.model.weights,
            negatives,
            identification_options(config),
            None if config["him_scratch"] else self.workspace.tables,
            self.label_generator,
        )
        self.loader = ShuffledBatches(len(pairs.users), config["train_batch_size"], self.generator)
        self.identifier.begin_round()

    def batches(self) -> ShuffledBatches:
        """Return this epoch's batches of row numbers."""
        return self.loader

    def step(self, batch: Tensor) -> dict[str, Tensor]:
        """Train every environment's model on its rows of the batch."""
        return {"loss": self.identifier.step(batch)}

    def end_epoch(self, epoch: int) -> EpochEnd:
        """Relabel at the end of a round."""
        if (epoch + 1) % self.epochs_a_round:
            return EpochEnd()
        report = self.identifier.relabel()
        values = {"environment_sizes": report.sizes, "labels_changed": report.changed}
        if not report.converged and epoch + 1 < self.epochs:
            self.identifier.begin_round()
        return EpochEnd(values, finished=report.converged)

    def end(self) -> None:
        """Write the labels into the interactions and the workspace."""
        self.workspace.labels = self.identifier.labels
        publish_labels(self.train_data, self.identifier.labels)

    def generators(self) -> dict[str, torch.Generator]:
        """Return the streams of batches and negatives, and of labels."""
        return {"generator": self.generator, "label_generator": self.label_generator}

    def state(self) -> dict[str, Any]:
        """Return labels, models, optimiser and random streams."""
        return {
            "labels": self.identifier.labels,
            "refilled": self.identifier.refilled,
            "models": dict(self.identifier.models.state_dict()),
            "optimizer": optimizer_state(self.identifier.optimizer),
            "generator": self.generator.get_state(),
            "label_generator": self.label_generator.get_state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        device = self.config["device"]
        self.identifier.labels = state["labels"].to(device)
        self.identifier.refilled = state["refilled"].to(device, torch.bool)
        self.identifier.models.load_state_dict(state["models"])
        self.identifier.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.label_generator.set_state(state["label_generator"])
