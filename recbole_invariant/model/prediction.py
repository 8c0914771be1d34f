"""What a representation says of the targets, and the loss of it: pairwise or over all items."""

from abc import ABC, abstractmethod
from math import log
from typing import Protocol

import torch
from recbole.model.loss import BPRLoss
from torch import Tensor
from torch.nn.functional import cross_entropy

from recbole_invariant.model.sequence_encoder import Examples


class ScoresItems(Protocol):
    """An encoder, as far as it scores items."""

    def scores(self, encoded: Tensor) -> Tensor:
        """Score the catalogue: `(rows, n_items)`."""

    def item_scores(self, encoded: Tensor, items: Tensor) -> Tensor:
        """Score one item a row: `(rows,)`."""


class Prediction(ABC):
    """Evidence on the targets and its loss.

    Evidence is linear in scores, so that the evidence of two representations together is the sum
    of theirs: a product of experts.

    Attributes:
        chance: loss of no evidence, in nats.
    """

    chance: float

    @abstractmethod
    def evidence(
        self, scored_by: ScoresItems, representation: Tensor, examples: Examples
    ) -> Tensor:
        """Return what a representation `(n_targets, size)` says of the targets of a batch."""

    @abstractmethod
    def loss(self, evidence: Tensor, examples: Examples) -> Tensor:
        """Return the mean loss of evidence, in nats: 0-d."""


class PairwisePrediction(Prediction):
    """BPR's: each target against one sampled item."""

    def __init__(self) -> None:
        self.chance, self.bpr_loss = log(2), BPRLoss()

    def evidence(
        self, scored_by: ScoresItems, representation: Tensor, examples: Examples
    ) -> Tensor:
        """Return the score of each target less that of its negative `(n_targets,)`."""
        if examples.negatives is None:
            raise ValueError("BPR's loss needs a negative of each target")
        targets = scored_by.item_scores(representation, examples.targets)
        return targets - scored_by.item_scores(representation, examples.negatives)

    def loss(self, evidence: Tensor, examples: Examples) -> Tensor:
        """Return RecBole's BPR loss: 0-d."""
        loss: Tensor = self.bpr_loss(evidence, torch.zeros_like(evidence))
        return loss


class CataloguePrediction(Prediction):
    """Cross entropy over all items.

    Args:
        n_items: in the catalogue, padding included, which RecBole's models score too.
    """

    def __init__(self, n_items: int) -> None:
        self.chance = log(n_items)

    def evidence(
        self, scored_by: ScoresItems, representation: Tensor, examples: Examples
    ) -> Tensor:
        """Return the scores of the catalogue `(n_targets, n_items)`."""
        return scored_by.scores(representation)

    def loss(self, evidence: Tensor, examples: Examples) -> Tensor:
        """Return the cross entropy: 0-d."""
        return cross_entropy(evidence, examples.targets)
