"""One UltraGCN scorer an environment, all of them trained as one batched model."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from recbole_invariant.model.pair_functions import pair_scores

IdentificationMode = Literal["variant", "l1"]

PRODUCTS_A_NUMBER = 24
"""Multiplications in a product of matrices that take as long as reading one number of a pair."""


@dataclass(frozen=True)
class FrozenTables:
    """Pretrained embeddings that the environment models share and leave alone.

    Attributes:
        user: p, `(n_users, size)`.
        user_content: q, `(n_users, content_size)`.
        item: t, `(n_items, size)`.
    """

    user: Tensor
    user_content: Tensor
    item: Tensor


class EnvironmentModels(nn.Module):
    """E scorers `y = <p_u, t_i> + <q_u, W_e (gate * f_i) + b_e>` (PaInvRL Eq. 2 and 15).

    With frozen tables only W_e and b_e are learned (what InvRL's `init_frontmodel` was for, though
    its code never calls it): ten times cheaper, and scores are comparable across environments.
    Without them every environment has tables of its own, stacked so that one step moves all.

    Args:
        features: `(n_items, d)`.
        gate: what the features are multiplied by, `(d,)`: `1 - mask` for the paper's variant
            representation (Eq. 25), ones for InvRL's.
        n_environments: E.
        tables: pretrained tables, or None to learn them from scratch.
        shape: `(n_users, n_items)`.
        sizes: `(embedding_size, content_embedding_size)` of scratch tables.
        init_std: standard deviation of everything drawn.
        generator: CPU generator for the initial values; each environment draws its own.
    """

    features: Tensor
    gate: Tensor

    def __init__(
        self,
        features: Tensor,
        gate: Tensor,
        n_environments: int,
        tables: FrozenTables | None,
        shape: tuple[int, int],
        sizes: tuple[int, int],
        init_std: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.register_buffer("features", features, persistent=False)
        self.register_buffer("gate", gate, persistent=False)
        self.n_environments, self.scratch = n_environments, tables is None
        (self.n_users, self.n_items), (size, content_size) = shape, sizes
        if tables is not None:
            content_size = tables.user_content.shape[1]

        def drawn(*dims: int) -> nn.Parameter:
            values = torch.empty(*dims).normal_(std=init_std, generator=generator)
            return nn.Parameter(values.to(features.device))

        self.projection = drawn(n_environments, content_size, features.shape[1])
        self.bias = nn.Parameter(torch.zeros(n_environments, content_size, device=features.device))
        if tables is None:
            self.user = drawn(n_environments * self.n_users, size)
            self.user_content = drawn(n_environments * self.n_users, content_size)
            self.item = drawn(n_environments * self.n_items, size)
        else:
            self.user, self.user_content, self.item = (
                nn.Parameter(table, requires_grad=False)
                for table in (tables.user, tables.user_content, tables.item)
            )

    def forward(self, users: Tensor, columns: Tensor, environment: Tensor) -> Tensor:
        """Score each row by the model of its own environment.

        Args:
            users: `(batch,)`.
            columns: items of each user `(batch, n)`.
            environment: `(batch,)`, int64 in [0, E).

        Returns:
            `(batch, n)`.
        """
        user_rows, item_rows = users, columns
        if self.scratch:
            user_rows = users + environment * self.n_users
            item_rows = columns + (environment * self.n_items).unsqueeze(-1)
        lookup = nn.functional.embedding
        content = lookup(user_rows, self.user_content)
        if self.projects_items(columns.numel()):
            from_content = self._by_items(content, columns, environment)
        else:
            from_content = self._by_users(content, columns, environment)
        bias = (content * lookup(environment, self.bias)).sum(-1, keepdim=True)
        ids = lookup(user_rows, self.user)
        from_ids = pair_scores(ids, self.item.unsqueeze(1), item_rows)
        return (from_ids + from_content).squeeze(-1) + bias

    def projects_items(self, n_pairs: int) -> bool:
        """Whether so many pairs are cheaper with the catalogue projected by every environment.

        A pair then reads `content_size` numbers instead of d, but each environment multiplies the
        whole catalogue by its projection first.
        """
        products = self.projection.numel() * len(self.features)
        fewer = self.features.shape[1] - self.projection.shape[1]
        return products <= PRODUCTS_A_NUMBER * n_pairs * fewer

    def _by_items(self, content: Tensor, columns: Tensor, environment: Tensor) -> Tensor:
        """Score `<q_u, W_e f_i>` from the projected catalogue of each environment."""
        items = torch.einsum("nd,ecd->enc", self.features * self.gate, self.projection)
        rows = columns + (environment * len(self.features)).unsqueeze(-1)
        return pair_scores(content, items.flatten(0, 1).unsqueeze(1), rows)

    def _by_users(self, content: Tensor, columns: Tensor, environment: Tensor) -> Tensor:
        """Score `<W_e^T q_u, f_i>`: the features are read once, whatever the number of E."""
        every = torch.einsum("bc,ecd->bed", content, self.projection)
        own = environment.view(-1, 1, 1).expand(-1, 1, every.shape[-1])
        feature_side = every.gather(1, own).squeeze(1) * self.gate
        return pair_scores(feature_side, self.features.unsqueeze(1), columns)

    @torch.no_grad()
    def score_all(self, users: Tensor, items: Tensor, rows_at_a_time: int = 65536) -> Tensor:
        """Score every pair by every environment's model.

        Args:
            users: `(n_rows,)`.
            items: `(n_rows,)`.
            rows_at_a_time: bounds the memory.

        Returns:
            `(E, n_rows)`; with frozen tables without the part `<p_u, t_i>` that all share.
        """
        scores = torch.empty(self.n_environments, len(users), device=users.device)
        gated = self.features * self.gate
        for e in range(self.n_environments):
            items_e = linear(gated, self.projection[e], self.bias[e])
            for start in range(0, len(users), rows_at_a_time):
                rows = slice(start, start + rows_at_a_time)
                user_rows = users[rows] + (e * self.n_users if self.scratch else 0)
                score = (self.user_content[user_rows] * items_e[items[rows]]).sum(-1)
                if self.scratch:
                    item_rows = items[rows] + e * self.n_items
                    score = score + (self.user[user_rows] * self.item[item_rows]).sum(-1)
                scores[e, rows] = score
        return scores
