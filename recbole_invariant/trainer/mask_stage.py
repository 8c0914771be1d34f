"""The stage that learns the invariant mask (PaInvRL 3.4, Eq. 10-19)."""

from typing import Any

import torch
from recbole.config import Config
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from torch import Tensor

from recbole_invariant.data.sampling import EnvironmentBatches
from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF
from recbole_invariant.model.layers import ClippedGaussianGate, RepresentationAttention
from recbole_invariant.model.mask import EnvironmentRisks, MaskModel
from recbole_invariant.objective.invariance import gradient_variance_penalty
from recbole_invariant.seeding import torch_generator
from recbole_invariant.trainer.identify_stage import publish_labels
from recbole_invariant.trainer.mask_options import MaskOptions
from recbole_invariant.trainer.optimizer import optimizer_state
from recbole_invariant.trainer.ranking_stage import TrainingPairs, negative_sampler
from recbole_invariant.trainer.stage import EpochEnd, Stage
from recbole_invariant.trainer.two_objectives import combine_gradients, objective_weights
from recbole_invariant.trainer.workspace import Workspace

Gradients = tuple[Tensor | None, ...]


class MaskStage(Stage):
    """Move the mask along the Pareto direction, projection and attention with the same weights.

    Each step takes one batch of every environment. Algorithm 1 of the paper does not say how the
    projection is trained: here by Adam on the weighted sum of the two objectives.

    Args:
        name: name of the stage.
        model: the backbone, for its features and graph.
        config: resolved options.
        train_data: RecBole's training loader.
        workspace: gives labels and tables, takes the mask.
        outer: number of the outer iteration, from 0.
    """

    def __init__(
        self,
        name: str,
        model: UltraGCNF,
        config: Config,
        train_data: AbstractDataLoader,
        workspace: Workspace,
        outer: int,
    ) -> None:
        super().__init__(name, config["mask_epochs"])
        self.model, self.config, self.train_data = model, config, train_data
        self.workspace, self.outer = workspace, outer
        self.options = MaskOptions.from_config(config, outer)

    def begin(self) -> None:
        """Draw mask, projection and attention anew (or warm), make batches and optimisers."""
        config, device, options = self.config, self.config["device"], self.options
        self.generator = torch_generator(config["seed"], f"sampling/{self.name}", device)
        self.pairs = TrainingPairs.from_loader(self.train_data, device)
        self.negatives = negative_sampler(
            config, self.train_data, self.model.n_items, self.generator
        )
        labels = self.workspace.labels
        if labels is None or self.workspace.tables is None:
            raise RuntimeError(f"stage '{self.name}' needs labels and pretrained tables first")
        publish_labels(self.train_data, labels)  # again, for a resumed run
        self.loader = EnvironmentBatches(
            labels, int(labels.max()) + 1, config["train_batch_size"], self.generator
        )
        self.mask_model = self._mask_model(torch_generator(config["seed"], f"init/{self.name}"))
        kinds: dict[str, Any] = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
        self.mask = self.mask_model.gate.mask
        rate = options.mask_learning_rate
        self.mask_optimizer = kinds[options.optimizer]([self.mask], lr=rate)
        self.others = [p for p in self.mask_model.parameters() if p is not self.mask]
        self.optimizer = torch.optim.Adam(self.others, lr=options.learning_rate)
        self.erm_weights: list[float] = []
        self.first_length: Tensor | None = None

    def _mask_model(self, generator: torch.Generator) -> MaskModel:
        """Make the mask model with its initial values."""
        options, features, tables = self.options, self.model.item_features, self.workspace.tables
        if tables is None:
            raise RuntimeError(f"stage '{self.name}' needs pretrained tables first")
        device, content_size = features.device, tables.user_content.shape[1]
        gate = ClippedGaussianGate(features.shape[1], options.initial, options.noise)
        projection = torch.empty(content_size, features.shape[1])
        projection = projection.normal_(std=options.init_std, generator=generator).to(device)
        kept = self.workspace.projection
        if self.config["warm_start_mask"] and self.outer and kept is not None:
            gate.mask.data.copy_(self.workspace.mask)
            projection = kept.clone()
        elif options.projection_start == "pretrained":
            if self.workspace.pretrained_projection is None:
                raise RuntimeError(f"stage '{self.name}' needs the pretrained projection first")
            projection = self.workspace.pretrained_projection.clone()
        attention = None
        if options.attention:
            user_size = tables.user.shape[1] + content_size
            item_size = tables.item.shape[1] + features.shape[1]
            hidden, output = options.attention_hidden, options.attention_output
            attention = RepresentationAttention(user_size, item_size, hidden, output, generator)
        graph, weights = self.model.graph, self.model.weights
        model = MaskModel(features, tables, graph, weights, gate, projection, attention)
        return model.to(device)

    def batches(self) -> EnvironmentBatches:
        """Return this epoch's batches: row numbers `(environments, batch)`."""
        return self.loader

    def step(self, batch: Tensor) -> dict[str, Tensor]:
        """Take one step of mask, projection and attention."""
        options = self.options
        users, items = self.pairs.users[batch], self.pairs.items[batch]
        negatives = self.negatives.draw(users.reshape(-1))
        with_penalty = options.rule != "erm" and options.irm_weight > 0
        out = self.mask_model(users, items, negatives, self.generator, with_penalty)
        erm, irm = self._objectives(out, with_penalty)
        parameters = [self.mask, *self.others]
        erm_gradients, irm_gradients = self._gradients(erm, irm, with_penalty)
        if self.first_length is None:
            self.first_length = erm_gradients[0].norm()
        weights = objective_weights(
            options,
            erm_gradients[0],
            irm_gradients[0],
            erm.detach(),
            irm.detach(),
            self.first_length,
        )
        combined = combine_gradients(parameters, erm_gradients, irm_gradients, weights)
        if options.projection_objective == "erm":
            combined[1:] = [
                torch.zeros_like(p) if g is None else g
                for p, g in zip(self.others, erm_gradients[1:], strict=True)
            ]
        for parameter, gradient in zip(parameters, combined, strict=True):
            parameter.grad = gradient
        pull = options.regularisation * (self.mask.detach() - options.centre)
        self.mask.grad = combined[0] + pull
        self.mask_optimizer.step()
        self.optimizer.step()
        if options.project:
            self.mask_model.gate.project()
        self.erm_weights.append(float(weights.share))
        size = torch.stack([gradient.norm() for gradient in combined]).norm()
        return {"loss": erm.detach(), "irm": irm.detach(), "gradient": size}

    def _gradients(
        self, erm: Tensor, irm: Tensor, with_penalty: bool
    ) -> tuple[tuple[Tensor, ...], Gradients]:
        """Differentiate both objectives; None where a parameter does not move with one of them."""
        parameters = [self.mask, *self.others]
        of_erm = torch.autograd.grad(erm, parameters, retain_graph=with_penalty, allow_unused=True)
        # what follows the empirical risk alone costs the penalty's backward pass nothing
        followers = parameters if self.options.projection_objective == "both" else parameters[:1]
        of_irm: Gradients = (None,) * len(followers)
        if with_penalty:
            of_irm = torch.autograd.grad(irm, followers, allow_unused=True)
        return of_erm, (*of_irm, *(None,) * (len(parameters) - len(followers)))

    def _objectives(self, out: EnvironmentRisks, with_penalty: bool) -> tuple[Tensor, Tensor]:
        """Return L_ERM and L_IRM (Eq. 11).

        The decay of W is a part of every environment's loss; its gradient is the same in all of
        them, so it stands in L_ERM only and cancels in the variance.
        """
        options = self.options
        decay = options.projection_decay * self.mask_model.projection.square().sum()
        erm = out.risks.mean() + decay
        if not with_penalty:
            return erm, torch.zeros_like(erm)
        gate = out.gate if options.penalty_gate == "sampled" else self.mask
        irm = gradient_variance_penalty(out.gradients, gate, options.variance_reduction)
        return erm, irm

    def end_epoch(self, epoch: int) -> EpochEnd:
        """Report the weights of the epoch and the mask."""
        weights, self.erm_weights = self.erm_weights, []
        mask = self.mask_model.gate.hard()
        values = {
            "w_erm": sum(weights) / max(len(weights), 1),
            "w_erm_interior": sum(0 < w < 1 for w in weights) / max(len(weights), 1),
            "mask_mean": float(mask.mean()),
            "mask_std": float(mask.std()) if len(mask) > 1 else 0.0,
        }
        return EpochEnd({key: round(value, 6) for key, value in values.items()})

    def end(self) -> None:
        """Hand on the mask of this outer iteration, without noise."""
        self.workspace.mask = self.mask_model.gate.hard()
        self.workspace.projection = self.mask_model.projection.detach().clone()

    def generators(self) -> dict[str, torch.Generator]:
        """Return the stream of batches, negatives and noise."""
        return {"generator": self.generator}

    def state(self) -> dict[str, Any]:
        """Return the mask model, both optimisers, the random stream and the epoch's weights."""
        return {
            "mask_model": dict(self.mask_model.state_dict()),
            "mask_optimizer": optimizer_state(self.mask_optimizer),
            "optimizer": optimizer_state(self.optimizer),
            "generator": self.generator.get_state(),
            "first_length": self.first_length,
            "erm_weights": list(self.erm_weights),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.mask_model.load_state_dict(state["mask_model"])
        self.mask_optimizer.load_state_dict(state["mask_optimizer"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.first_length = state["first_length"]
        self.erm_weights = list(state["erm_weights"])
