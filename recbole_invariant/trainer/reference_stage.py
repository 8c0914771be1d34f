"""The stage that trains models without some of each user's interactions (cross-fitting)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from torch import Tensor

from recbole_invariant.data.interaction_graph import InteractionGraph
from recbole_invariant.data.sampling import StackedBatches, UniformNegatives
from recbole_invariant.environment.models import EnvironmentModels
from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF
from recbole_invariant.seeding import torch_generator
from recbole_invariant.stability.folds import held_in_batches, user_folds
from recbole_invariant.stability.gate import make_reference
from recbole_invariant.stability.reference import FoldTables, HeldOutReference
from recbole_invariant.trainer.optimizer import optimizer_state
from recbole_invariant.trainer.ranking_stage import TrainingPairs
from recbole_invariant.trainer.reference_selection import LikelihoodSelection
from recbole_invariant.trainer.stage import EpochEnd, Stage
from recbole_invariant.trainer.workspace import Workspace


@torch.no_grad()
def held_out_reference(
    model: UltraGCNF, config: Config, pairs: TrainingPairs, folds: Tensor, tables: FoldTables
) -> HeldOutReference:
    """Make what fold models say of the clicks that they have not seen, at its best temperature."""
    rows = (pairs.users, pairs.items, folds)
    sample, seed = config["reference_items"], config["seed"]
    return make_reference(tables, model.item_features, rows, sample, seed)


class ReferenceStage(Stage):
    """Train F backbones as one batched model, each without its fold of every user's rows.

    The loss and the decay are those of pretraining, always by Adam and on whole tables (`learner`
    and `weight_decay_scope` say nothing here). Each fold has an interaction graph of its own:
    the graph of all rows would tell a model of the clicks it must not know. No validation row is
    looked at. It trains for as many epochs as pretraining needed (option `reference_epochs`), or
    until its held-out clicks are most likely (`reference_selection: likelihood`).

    Args:
        model: the backbone, for its features and weights.
        config: resolved options.
        train_data: RecBole's training loader.
        workspace: gives the epochs of pretraining, takes the fold models.
        on_end: called at `end`, with the fold models in the workspace.
    """

    def __init__(
        self,
        model: UltraGCNF,
        config: Config,
        train_data: AbstractDataLoader,
        workspace: Workspace,
        on_end: Callable[[], None],
    ) -> None:
        super().__init__("reference", config["reference_epochs"] or config["pretrain_epochs"])
        self.model, self.config, self.train_data = model, config, train_data
        self.workspace, self.on_end, self.n_folds = workspace, on_end, config["reference_folds"]
        by_likelihood = config["reference_selection"] == "likelihood"
        self.selection = LikelihoodSelection() if by_likelihood else None

    def begin(self) -> None:
        """Deal out the folds, make models, graphs, batches and optimiser."""
        config, device = self.config, self.config["device"]
        if not (config["reference_epochs"] or self.epochs_given or self.selection):
            self.epochs = min(self.epochs, self.workspace.pretrain_epochs)
        self.generator = torch_generator(config["seed"], f"sampling/{self.name}", device)
        self.pairs = TrainingPairs.from_loader(self.train_data, device)
        drawn = torch_generator(config["seed"], f"folds/{self.name}")
        self.folds = user_folds(self.pairs.users, self.n_folds, drawn)
        self.loader = held_in_batches(
            self.folds, self.n_folds, config["train_batch_size"], self.generator
        )
        # whatever `negative_sampler` says: RecBole's spares the clicks that a fold must not know
        self.negatives = UniformNegatives(self.model.n_items, config["n_negatives"], self.generator)
        self.graphs = [self._graph(fold) for fold in range(self.n_folds)]
        features = self.model.item_features
        self.models = EnvironmentModels(
            features,
            torch.ones(features.shape[1], device=device),
            self.n_folds,
            None,
            (self.model.n_users, self.model.n_items),
            (config["embedding_size"], config["content_embedding_size"]),
            config["init_std"],
            torch_generator(config["seed"], f"init/{self.name}"),
        )
        self.optimizer = torch.optim.Adam(
            self._parameter_groups(), lr=config["learning_rate"], fused=True
        )

    def _graph(self, fold: int) -> InteractionGraph:
        """Make the interaction graph of all rows but a fold's."""
        kept = (self.folds != fold).cpu().numpy()
        users, items = np.asarray(self.pairs.users.cpu()), np.asarray(self.pairs.items.cpu())
        shape = (self.model.n_users, self.model.n_items)
        graph = InteractionGraph(users[kept], items[kept], shape, self.model.graph.n_neighbours)
        return graph.to(self.config["device"])

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Decay each kind of parameter as pretraining does."""
        config, models = self.config, self.models
        users = 2.0 * config["embedding_decay"]
        projection = 2.0 * config["pretrain_projection_decay"]
        return [
            {"params": [models.user, models.user_content], "weight_decay": users},
            {"params": [models.item], "weight_decay": users * config["pretrain_item_decay_ratio"]},
            {"params": [models.projection, models.bias], "weight_decay": projection},
        ]

    def batches(self) -> StackedBatches:
        """Return this epoch's batches: row numbers `(folds, batch)`."""
        return self.loader

    def step(self, batch: Tensor) -> dict[str, Tensor]:
        """Take one step of every fold's model on its own rows."""
        users, items = self.pairs.users[batch], self.pairs.items[batch]
        negatives = self.negatives.draw(users.reshape(-1)).view(*batch.shape, -1)
        columns = torch.stack(
            [graph.columns(items[k], negatives[k]) for k, graph in enumerate(self.graphs)]
        )
        fold = torch.arange(len(batch), device=batch.device).repeat_interleave(batch.shape[1])
        logits = self.models(users.reshape(-1), columns.flatten(0, 1), fold).view_as(columns)
        losses = [
            graph.losses(logits[k], users[k], columns[k], self.model.weights).sum()
            for k, graph in enumerate(self.graphs)
        ]
        loss = torch.stack(losses).sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.detach() / len(losses)}

    def end_epoch(self, epoch: int) -> EpochEnd:
        """Ask how likely the held-out clicks are, where that selects."""
        if self.selection is None:
            return EpochEnd()
        tables = self._tables()
        found = held_out_reference(self.model, self.config, self.pairs, self.folds, tables)
        likelihood = found.likelihood
        finished = self.selection.offer(epoch, likelihood, self.models)
        return EpochEnd({"held_out_log_likelihood": round(likelihood, 6)}, finished)

    def _tables(self) -> FoldTables:
        """Return the fold models as tables."""
        models, n_folds = self.models, self.n_folds
        return FoldTables(
            models.user.detach().view(n_folds, models.n_users, -1),
            models.user_content.detach().view(n_folds, models.n_users, -1),
            models.item.detach().view(n_folds, models.n_items, -1),
            models.projection.detach(),
            models.bias.detach(),
        )

    def end(self) -> None:
        """Hand the fold models on, the selected ones where they are selected."""
        if self.selection is not None:
            self.selection.restore(self.models)
        self.workspace.folds, self.workspace.fold_tables = self.folds, self._tables()
        self.on_end()
        # the trainer keeps its stages: the workspace alone says how long the tables live
        del self.models, self.optimizer, self.graphs
        self.selection = None

    def generators(self) -> dict[str, torch.Generator]:
        """Return the stream of batches and negatives."""
        return {"generator": self.generator}

    def state(self) -> dict[str, Any]:
        """Return models, optimiser and random stream; the folds are drawn again."""
        return {
            "models": dict(self.models.state_dict()),
            "optimizer": optimizer_state(self.optimizer),
            "generator": self.generator.get_state(),
            "epochs": self.epochs,
            "selection": None if self.selection is None else self.selection.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.models.load_state_dict(state["models"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.epochs = state["epochs"]
        if self.selection is not None:
            self.selection.load_state(state["selection"])
