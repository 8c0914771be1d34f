"""How IDEA makes the environments of a batch."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from recbole_invariant.environment.attribute_shift import draw_tilts, transition_weights
from recbole_invariant.environment.simulated import (
    draw_mixing,
    draw_pairs,
    mix_gates,
    relaxed_bernoulli,
    sequence_descriptor,
)
from recbole_invariant.model.attribute_cue import ItemAttribute
from recbole_invariant.model.sequence_encoder import Examples
from recbole_invariant.model.subsequence import SubsequenceExtractors
from recbole_invariant.objective.environment_risk import environment_losses
from recbole_invariant.seeding import torch_generator

SUBSEQUENCE, RANDOM, ATTRIBUTE_SHIFT, NONE = "subsequence", "random", "attribute_shift", "none"


@dataclass(frozen=True)
class Environments:
    """Environments of a batch.

    Attributes:
        gates: of each version of the sequences `(n_versions, batch, length)`, in [0, 1].
        extractors: of each extractor's subsequence `(n_extractors, batch, length)`; None where
            there are no extractors.
        weights: of the targets in each environment `(n_environments, n_targets)`, of mean 1; None
            where each version is an environment.
    """

    gates: Tensor
    extractors: Tensor | None = None
    weights: Tensor | None = None

    def risks(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross entropy in each environment `(n_environments,)`.

        Args:
            logits: `(n_versions, n_targets, n_items)`.
            targets: `(n_targets,)`.
        """
        losses = environment_losses(logits, targets)
        return (losses if self.weights is None else self.weights * losses).mean(dim=1)


class EnvironmentSimulation(nn.Module):
    """Makes environments as the option `environments` says.

    `subsequence` is IDEA's: K extractors gate the places of a sequence, and two of them at a time
    are mixed into one of N environments. `random` draws the extractors' gates by chance, a control.
    `attribute_shift` leaves the sequences whole and weighs the rows instead. `none` is training as
    it was.

    Args:
        config: options of IDEA.
        length: of the sequences.
        attribute: for `attribute_shift`.
    """

    def __init__(self, config: Any, length: int, attribute: ItemAttribute | None) -> None:
        super().__init__()
        self.kind, self.n_environments = config["environments"], config["n_environments"]
        self.n_extractors, self.temperature = config["n_extractors"], config["temperature"]
        self.alpha, self.lambda_level = config["mixup_alpha"], config["lambda_level"]
        self.shift_scale = config["shift_scale"]
        self.attribute = attribute
        generator = torch_generator(config["seed"], "init/extractors")
        self.extractors = SubsequenceExtractors(
            self.n_extractors, length, config["extractor_hidden"], generator
        )

    @property
    def explores(self) -> bool:
        """Whether there is anything that exploration can move."""
        return bool(self.kind == SUBSEQUENCE)

    def forward(
        self, item_embeddings: Tensor, examples: Examples, generator: torch.Generator
    ) -> Environments:
        """Make the environments of a batch.

        Args:
            item_embeddings: `(batch, length, size)`; no gradient goes into them.
            examples: the batch.
            generator: of all draws.
        """
        ungated = torch.ones_like(item_embeddings[..., 0]).unsqueeze(0)
        if self.kind == NONE:
            return Environments(ungated)
        if self.kind == ATTRIBUTE_SHIFT and self.attribute is not None:
            n_values = self.attribute.n_values
            tilts = draw_tilts(self.n_environments, n_values, self.shift_scale, generator)
            before, after = self.attribute.before(examples), self.attribute.after(examples)
            weights = transition_weights(tilts.to(before.device), before, after)
            return Environments(ungated, weights=weights)
        return self._subsequences(item_embeddings.detach(), examples, generator)

    def _subsequences(
        self, item_embeddings: Tensor, examples: Examples, generator: torch.Generator
    ) -> Environments:
        """Gate the places of the sequences; places without an item keep a gate of 1."""
        descriptor = sequence_descriptor(item_embeddings)
        if self.kind == RANDOM:
            logits = descriptor.new_zeros(self.n_extractors, *descriptor.shape)
        else:
            logits = self.extractors(descriptor)
        gates = relaxed_bernoulli(logits, self.temperature, generator)
        gates = torch.where(examples.is_item, gates, 1.0)
        pairs = draw_pairs(self.n_environments, self.n_extractors, generator)
        mixing = draw_mixing(
            self.n_environments, len(descriptor), self.alpha, self.lambda_level, generator
        )
        return Environments(mix_gates(gates, pairs, mixing), gates)
