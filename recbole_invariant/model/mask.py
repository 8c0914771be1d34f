"""The mask model of PaInvRL and InvRL (PaInvRL Eq. 10-15): what the mask stage trains."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, linear

from recbole_invariant.data.interaction_graph import InteractionGraph
from recbole_invariant.environment.models import FrozenTables
from recbole_invariant.model.layers import ClippedGaussianGate, RepresentationAttention
from recbole_invariant.model.pair_functions import fixed_scores, fixed_sums, pair_scores
from recbole_invariant.objective.ranking import RankingWeights

PAIRS_AN_ITEM = 2
"""Pairs an item and representation below which reading features costs less than projecting."""


@dataclass(frozen=True)
class EnvironmentRisks:
    """Losses of one step and what the invariance penalty needs.

    Attributes:
        risks: summed ranking loss of each environment `(E,)`.
        gradients: its gradient with respect to the projection W, differentiable,
            `(E, content_size, d)`; empty when it was not asked for.
        gate: the sampled gate `(d,)`.
    """

    risks: Tensor
    gradients: Tensor
    gate: Tensor


class MaskModel(nn.Module):
    """Frozen embeddings, a gate on the features, a projection W without bias, two attentions.

    With attention the score is `<p, t> + <q, W (gate * h)>`,
    `h = a_inv * m * f + a_var * (1 - m) * f`, the weights a depending on the pair (Eq. 12-15);
    h is never built: `W (gate * m * f)` and `W (gate * (1 - m) * f)` are projected once an item.
    Without attention (InvRL) it is `<p, t> + <q, W (gate * f)>`.

    Args:
        features: `(n_items, d)`.
        tables: the pretrained embeddings.
        graph: degrees and neighbours.
        weights: of the ranking loss.
        gate: the mask.
        projection: initial W `(content_size, d)`.
        attention: the two heads, or None.
    """

    features: Tensor
    described: Tensor

    def __init__(
        self,
        features: Tensor,
        tables: FrozenTables,
        graph: InteractionGraph,
        weights: RankingWeights,
        gate: ClippedGaussianGate,
        projection: Tensor,
        attention: RepresentationAttention | None,
    ) -> None:
        super().__init__()
        self.register_buffer("features", features, persistent=False)
        described = features if attention is None else torch.cat([tables.item, features], dim=-1)
        self.register_buffer("described", described, persistent=False)
        self.tables, self.weights = tables, weights
        self._graph = (graph,)  # in a tuple: shared with the backbone, not a part of this module
        self.gate, self.attention = gate, attention
        self.projection = nn.Parameter(projection)

    @property
    def graph(self) -> InteractionGraph:
        """Degrees and neighbours, shared with the backbone."""
        return self._graph[0]

    def representation_gains(self, gate: Tensor) -> Tensor:
        """Factor of each feature dimension in each representation, `(1 or 2, d)`."""
        if self.attention is None:
            return gate.unsqueeze(0)
        mask = self.gate.mask
        return torch.stack([gate * mask, gate * (1.0 - mask)])

    def forward(
        self,
        users: Tensor,
        items: Tensor,
        negatives: Tensor,
        generator: torch.Generator,
        with_gradients: bool = True,
    ) -> EnvironmentRisks:
        """Compute every environment's risk and its gradient with respect to W.

        Args:
            users: `(E, batch)`.
            items: `(E, batch)`.
            negatives: `(E * batch, n_negatives)`.
            generator: of the gate's noise.
            with_gradients: leave the gradients out when no penalty needs them.
        """
        n_environments = users.shape[0]
        users = users.reshape(-1)
        columns = self.graph.columns(items.reshape(-1), negatives)
        ids, content = (
            embedding(users, self.tables.user),
            embedding(users, self.tables.user_content),
        )
        gate = self.gate(generator)
        gains = self.representation_gains(gate)
        by_representation = self._content_scores(columns, content, gains)
        attention = self._attention(columns, torch.cat([ids, content], dim=-1))
        logits = (by_representation * attention).sum(-1)
        logits = logits + pair_scores(ids, self.tables.item.unsqueeze(1), columns).squeeze(-1)
        losses = self.graph.losses(logits, users, columns, self.weights)
        risks = losses.view(n_environments, -1).sum(dim=1)
        if not with_gradients:
            return EnvironmentRisks(risks, risks.new_zeros(0), gate)
        slope = self.graph.score_gradient(logits, users, columns, self.weights)
        weighted = slope.unsqueeze(-1) * attention
        gradients = self._projection_gradients(columns, content, weighted, gains, n_environments)
        return EnvironmentRisks(risks, gradients, gate)

    def _different(self, columns: Tensor) -> tuple[Tensor | None, Tensor]:
        """Find the different items of the batch and where each pair's item is among them."""
        if columns.numel() >= len(self.features):
            return None, columns
        different, position = torch.unique(columns, return_inverse=True)
        return different, position

    def _content_scores(self, columns: Tensor, content: Tensor, gains: Tensor) -> Tensor:
        """Score each pair by each representation, `(batch, n, 1 or 2)`.

        With few pairs an item the projection goes to the users' side, `W^T q_u`, and the features
        of each pair are read; with many every item is projected.
        """
        few = columns.numel() < PAIRS_AN_ITEM * len(gains) * len(self.features)
        if few and columns.device.type == "cpu":
            feature_side = (content @ self.projection).unsqueeze(1) * gains
            return fixed_scores(feature_side, self.features, columns)
        different, position = self._different(columns)
        every = self.features
        features = every if different is None else every.index_select(0, different)
        stacked = (self.projection * gains.unsqueeze(1)).flatten(0, 1)
        projected = linear(features, stacked).view(len(features), len(gains), -1)
        return pair_scores(content, projected, position)

    def _attention(self, columns: Tensor, users: Tensor) -> Tensor:
        """Weights of the representations, `(batch, n, 2)`, or ones `(batch, n, 1)`."""
        if self.attention is None:
            return torch.ones(*columns.shape, 1, device=columns.device)
        different, position = self._different(columns)
        every = self.described
        items = every if different is None else every.index_select(0, different)
        weights: Tensor = self.attention(users, items, position)
        return weights

    def _projection_gradients(
        self, columns: Tensor, content: Tensor, weighted: Tensor, gains: Tensor, n_environments: int
    ) -> Tensor:
        """dL_e/dW in closed form: `sum_r gain_r * sum_pairs weighted_r q_u f_i^T`.

        Args:
            columns: `(E * batch, n)`.
            content: q_u `(E * batch, content_size)`.
            weighted: dL/dscore times the attention `(E * batch, n, representations)`.
            gains: `(representations, d)`.
            n_environments: E.
        """
        content = content.view(n_environments, -1, content.shape[-1])
        summed = fixed_sums(weighted, self.features, columns)
        summed = (summed * gains).sum(dim=1).view(n_environments, -1, summed.shape[-1])
        return torch.einsum("ebc,ebd->ecd", content, summed)
