"""What UltraGCN takes from the user-item graph: degrees and item neighbours.

A batch is a matrix of items a user: column 0 the positive, then the negatives, then the
positive's neighbours. Every model of the family scores such a matrix and turns it into losses
here.
"""

import numpy as np
import torch
from torch import Tensor, nn

from recbole_invariant.data.item_graph import item_neighbours
from recbole_invariant.objective.ranking import (
    RankingWeights,
    neighbour_loss,
    ultragcn_loss,
    ultragcn_score_gradient,
    ultragcn_weights,
)


class InteractionGraph(nn.Module):
    """Weights and neighbours of the training interactions, as buffers that follow the device.

    Args:
        users: user of every training interaction `(n,)`.
        items: item of every training interaction `(n,)`.
        shape: `(n_users, n_items)`, padding included.
        n_neighbours: neighbours of an item in the item-item term; 0 leaves the term out.
    """

    beta_user: Tensor
    beta_item: Tensor
    neighbour_items: Tensor
    neighbour_similarity: Tensor

    def __init__(
        self, users: np.ndarray, items: np.ndarray, shape: tuple[int, int], n_neighbours: int
    ) -> None:
        super().__init__()
        n_users, n_items = shape
        self.n_neighbours = n_neighbours
        beta_user, beta_item = ultragcn_weights(
            torch.from_numpy(np.bincount(users, minlength=n_users)),
            torch.from_numpy(np.bincount(items, minlength=n_items)),
        )
        self.register_buffer("beta_user", beta_user, persistent=False)
        self.register_buffer("beta_item", beta_item, persistent=False)
        if n_neighbours:
            near = item_neighbours(users, items, n_users, n_items, n_neighbours)
            self.register_buffer("neighbour_items", near.items, persistent=False)
            self.register_buffer("neighbour_similarity", near.similarity, persistent=False)

    def columns(self, items: Tensor, negatives: Tensor) -> Tensor:
        """Put items `(batch,)`, negatives `(batch, n)` and neighbours side by side."""
        parts = [items.unsqueeze(-1), negatives]
        if self.n_neighbours:
            parts.append(self.neighbour_items[items])
        return torch.cat(parts, dim=-1)

    def losses(
        self, logits: Tensor, users: Tensor, columns: Tensor, weights: RankingWeights
    ) -> Tensor:
        """Loss of each pair `(batch,)` from the scores of `columns`; their sum is the loss."""
        positive, negative, near = self._split(logits)
        graph_positive, graph_negative = self._graph_weights(users, columns)
        losses = ultragcn_loss(positive, negative, graph_positive, graph_negative, weights)
        if near is not None:
            similarity = self.neighbour_similarity[columns[:, 0]]
            losses = losses + weights.neighbour * neighbour_loss(near, similarity)
        return losses

    def score_gradient(
        self, logits: Tensor, users: Tensor, columns: Tensor, weights: RankingWeights
    ) -> Tensor:
        """Derivative of the summed losses with respect to `logits`, the same shape."""
        positive, negative, near = self._split(logits)
        graph_positive, graph_negative = self._graph_weights(users, columns)
        similarity = None if near is None else self.neighbour_similarity[columns[:, 0]]
        return ultragcn_score_gradient(
            positive, negative, near, graph_positive, graph_negative, similarity, weights
        )

    def _split(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Take the scores of the positive, the negatives and the neighbours apart."""
        if not self.n_neighbours:
            return logits[:, 0], logits[:, 1:], None
        near = self.n_neighbours
        return logits[:, 0], logits[:, 1:-near], logits[:, -near:]

    def _graph_weights(self, users: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Return `beta_user * beta_item` of the positives and of the negatives."""
        end = columns.shape[1] - self.n_neighbours
        weights = self.beta_user[users].unsqueeze(-1) * self.beta_item[columns[:, :end]]
        return weights[:, 0], weights[:, 1:]
