"""The UltraGCN ranking loss (PaInvRL Eq. 3-8; UltraGCN, CIKM 2021).

Everything here is a sum over the batch and a mean over the negatives of a pair, the reduction
of the public code: the invariant penalty is of degree four in the loss, so its balance with
the ranking loss depends on that choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus


@dataclass(frozen=True)
class RankingWeights:
    """The scalar weights of the loss.

    Attributes:
        positive: weight w1 of a positive pair.
        positive_graph: weight w2 of `beta_user * beta_item` on a positive pair (eta of Eq. 3).
        negative: weight w3 of a negative pair.
        negative_graph: weight w4 of `beta_user * beta_item` on a negative pair.
        negative_total: weight of the whole negative term.
        neighbour: weight kappa of the item-item term (Eq. 7).
    """

    positive: float = 1.0
    positive_graph: float = 1e-4
    negative: float = 1.0
    negative_graph: float = 1e-4
    negative_total: float = 1.0
    neighbour: float = 0.01

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "RankingWeights":
        """Read the weights by the names they have in the model's YAML."""
        return cls(
            positive=options["positive_weight"],
            positive_graph=options["positive_graph_weight"],
            negative=options["negative_weight_per_pair"],
            negative_graph=options["negative_graph_weight"],
            negative_total=options["negative_term_weight"],
            neighbour=options["neighbour_weight"],
        )


def ultragcn_weights(user_degree: Tensor, item_degree: Tensor) -> tuple[Tensor, Tensor]:
    """Split the graph weight of Eq. 6 into a user and an item factor.

    `beta_user[u] * beta_item[i] = sqrt((d_u + 1) / (d_i + 1)) / d_u`, the limit of infinitely
    many graph-convolution layers.

    Args:
        user_degree: training interactions a user, `(n_users,)`, >= 0.
        item_degree: training interactions an item, `(n_items,)`, >= 0.

    Returns:
        `(beta_user, beta_item)`, float, shapes `(n_users,)` and `(n_items,)`, all finite. A user
        without interactions gets 0: it is in no training pair (the public code divides by 1e-10).
    """
    degree = user_degree.to(torch.get_default_dtype())
    beta_user = torch.where(degree > 0, (degree + 1).sqrt() / degree.clamp_min(1), 0.0)
    beta_item = (item_degree.to(torch.get_default_dtype()) + 1).rsqrt()
    return beta_user, beta_item


def ultragcn_loss(
    positive_logits: Tensor,
    negative_logits: Tensor,
    positive_graph_weight: Tensor,
    negative_graph_weight: Tensor,
    weights: RankingWeights,
) -> Tensor:
    """Ranking loss of a batch without its item-item term, one value a pair (Eq. 4 and 5).

    Args:
        positive_logits: scores of the pairs `(batch,)`.
        negative_logits: scores of their negatives `(batch, n_negatives)`.
        positive_graph_weight: `beta_user * beta_item` of the pairs `(batch,)`.
        negative_graph_weight: the same of the negatives `(batch, n_negatives)`.
        weights: see `RankingWeights`.

    Returns:
        `(batch,)`; the loss is the sum.
    """
    positive = weights.positive + weights.positive_graph * positive_graph_weight
    negative = weights.negative + weights.negative_graph * negative_graph_weight
    negative_loss = (negative * softplus(negative_logits)).mean(dim=-1)
    return positive * softplus(-positive_logits) + weights.negative_total * negative_loss


def neighbour_loss(neighbour_logits: Tensor, similarity: Tensor) -> Tensor:
    """The item-item term L_I (Eq. 7), one value a pair.

    Args:
        neighbour_logits: scores of the user with the item's neighbours `(batch, n_neighbours)`.
        similarity: `s_ij` of those neighbours `(batch, n_neighbours)`, 0 where there is none.

    Returns:
        `(batch,)`; to be scaled by `RankingWeights.neighbour` and summed.
    """
    return (similarity * softplus(-neighbour_logits)).sum(dim=-1)


def ultragcn_score_gradient(
    positive_logits: Tensor,
    negative_logits: Tensor,
    neighbour_logits: Tensor | None,
    positive_graph_weight: Tensor,
    negative_graph_weight: Tensor,
    similarity: Tensor | None,
    weights: RankingWeights,
) -> Tensor:
    """Derivative of the summed loss with respect to every score, in closed form.

    The mask stage needs the loss gradient with respect to the projection as a differentiable
    quantity; writing dL/dscore out spares a double backward pass.

    Args:
        positive_logits: `(batch,)`.
        negative_logits: `(batch, n_negatives)`.
        neighbour_logits: `(batch, n_neighbours)` or None when the item-item term is off.
        positive_graph_weight: `(batch,)`.
        negative_graph_weight: `(batch, n_negatives)`.
        similarity: `(batch, n_neighbours)` or None.
        weights: see `RankingWeights`.

    Returns:
        `(batch, 1 + n_negatives [+ n_neighbours])`, in that order.
    """
    positive = weights.positive + weights.positive_graph * positive_graph_weight
    negative = weights.negative + weights.negative_graph * negative_graph_weight
    scale = weights.negative_total / negative_logits.shape[-1]
    parts = [
        (-positive * torch.sigmoid(-positive_logits)).unsqueeze(-1),
        scale * negative * torch.sigmoid(negative_logits),
    ]
    if neighbour_logits is not None and similarity is not None:
        parts.append(-weights.neighbour * similarity * torch.sigmoid(-neighbour_logits))
    return torch.cat(parts, dim=-1)
