"""Small fold models with clicks, a dense NumPy reference for them, and clicks drawn from a law."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import log_softmax
from torch import Tensor

from recbole_invariant.stability.overdispersion import standardise
from recbole_invariant.stability.reference import (
    FoldTables,
    HeldOut,
    HeldOutReference,
    ItemSample,
    sample_items,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def all_items(n_items: int) -> ItemSample:
    return sample_items(torch.ones(n_items), 0, generator())


@dataclass(frozen=True)
class World:
    """Fold models, features and training rows in random order."""

    tables: FoldTables
    features: Tensor
    users: Tensor
    items: Tensor
    folds: Tensor

    def reference(
        self,
        sample: ItemSample | Callable[[int, int], ItemSample] | None = None,
        block_size: int = 64,
    ) -> HeldOutReference:
        """Hold the clicks out, with one sample for all blocks (all items) or one for each."""
        one = all_items(len(self.features)) if sample is None else sample
        each = one if callable(one) else lambda fold, first: one
        rows = (self.users, self.items, self.folds)
        return HeldOutReference(self.tables, self.features, *rows, each, block_size)

    def scores(self, fold: int) -> np.ndarray:
        """All scores of one fold's model, -inf on padding and on what it was trained on."""
        parts = (self.tables.user, self.tables.item, self.tables.user_content)
        user, item, content = (part[fold].double().numpy() for part in parts)
        projection = self.tables.projection[fold].double().numpy()
        item_content = self.features.double().numpy() @ projection.T
        item_content += self.tables.bias[fold].double().numpy()
        scores = user @ item.T + content @ item_content.T
        scores[:, 0] = -np.inf
        for u, i, f in zip(*self.rows(), strict=True):
            if f != fold:
                scores[u, i] = -np.inf
        return scores

    def log_preference(self, fold: int, temperature: float) -> np.ndarray:
        return log_softmax(temperature * self.scores(fold), axis=1)

    def rows(self) -> tuple[list[int], list[int], list[int]]:
        return self.users.tolist(), self.items.tolist(), self.folds.tolist()

    def held_out(self) -> list[int]:
        """Rows whose user has not clicked the same item in another fold."""
        rows = list(zip(*self.rows(), strict=True))
        return [
            k
            for k, (u, i, f) in enumerate(rows)
            if not any((v, j) == (u, i) and g != f for v, j, g in rows)
        ]


def draw_world(
    seed: int,
    n_users: int = 7,
    n_items: int = 12,
    n_clicks: int = 25,
    scale: float = 1.0,
    repeats: int = 0,
) -> World:
    """Draw a world of 3 folds; user 0 and item 0 are padding.

    No pair is clicked twice, but for the first `repeats` ones: these are, in any folds.
    """
    g, d = generator(seed), 5
    tables = FoldTables(
        scale * torch.randn(3, n_users, 2, generator=g),
        scale * torch.randn(3, n_users, 3, generator=g),
        torch.randn(3, n_items, 2, generator=g),
        torch.randn(3, 3, d, generator=g) / d**0.5,
        torch.randn(3, 3, generator=g),
    )
    pairs = torch.randperm((n_users - 1) * (n_items - 1), generator=g)[:n_clicks]
    pairs = torch.cat([pairs, pairs[:repeats]])
    return World(
        tables,
        torch.randn(n_items, d, generator=g),
        1 + pairs // (n_items - 1),
        1 + pairs % (n_items - 1),
        torch.randint(3, (len(pairs),), generator=g),
    )


def draw_features(
    n_items: int, n_causes: int, a_cause: int, g: torch.Generator, noise: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Draw independent causes and features, `a_cause` noisy copies of each cause in turn.

    Returns:
        Causes `(n_items, n_causes)` and features `(n_items, n_causes * a_cause)`, standardised.
    """
    causes = standardise(torch.randn(n_items, n_causes, generator=g))
    copies = causes.repeat_interleave(a_cause, dim=1)
    return causes, standardise(copies + noise * torch.randn(copies.shape, generator=g))


def one_fold(preference: Tensor, law: Tensor, n_clicks: int, g: torch.Generator) -> HeldOut:
    """Let every user click `n_clicks` items of a law, and set a reference against it.

    Args:
        preference: of the reference, over the items from 1 `(n_users, n_items - 1)`.
        law: what clicks are drawn from, `(n_users, n_items - 1)`, or one for each click
            `(n_users * n_clicks, n_items - 1)`.
        n_clicks: clicks a user, independent of each other.
        g: generator of the clicks.
    """
    n_users = len(preference)
    each = n_clicks if len(law) == n_users else 1
    item = torch.multinomial(law, each, replacement=True, generator=g).flatten()
    user = torch.arange(n_users).repeat_interleave(n_clicks)
    sample, rows = all_items(preference.shape[1] + 1), torch.arange(len(user))
    return HeldOut(0, 0, sample, preference, rows, user, item + 1, preference[user, item].log())
