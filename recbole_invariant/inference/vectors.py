"""Vectors of users and items whose dot products are a model's scores, for a search index."""

import inspect
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recbole_invariant.errors import InputError
from recbole_invariant.files import write_atomically
from recbole_invariant.inference.scoring import Scorer

TOLERANCE = 1e-4
"""Of the largest score, between a model's scores and the dot products."""
CHECKED_USERS = 4

Tables = tuple[Tensor, Tensor]
"""Vectors of users `(n_users, size)` and items `(n_items, size)` by internal id."""


@dataclass(frozen=True, repr=False)
class Vectors:
    """Two tables: the score of a user and an item is the dot product of their rows.

    Attributes:
        users, items: raw tokens of the rows.
        user_vectors: `(len(users), size)` float32.
        item_vectors: `(len(items), size)` float32.
    """

    users: list[str]
    user_vectors: np.ndarray
    items: list[str]
    item_vectors: np.ndarray

    def __repr__(self) -> str:
        size = self.user_vectors.shape[1]
        return f"Vectors({len(self.users)} users, {len(self.items)} items, {size} dimensions)"

    def save(self, path: str | Path) -> None:
        """Write the four attributes as one `.npz` file, which `numpy.load` reads.

        Raises:
            InputError: the name ends otherwise.
        """
        if Path(path).suffix != ".npz":
            raise InputError(f"path: {path}: expected a name that ends in .npz.")
        buffer = io.BytesIO()
        texts = {name: np.array(getattr(self, name), dtype=np.str_) for name in ("users", "items")}
        numbers = {"user_vectors": self.user_vectors, "item_vectors": self.item_vectors}
        np.savez(buffer, allow_pickle=False, **texts, **numbers)
        write_atomically(Path(path), buffer.getvalue())


@torch.no_grad()
def find_tables(scorer: Scorer, users: np.ndarray) -> Tables:
    """Find the tables of a model whose scores are dot products.

    Args:
        scorer: of the model.
        users: internal ids that it can rank for; the scores of some are compared.

    Raises:
        InputError: none of what the model shows gives its scores.
    """
    for user_table, item_table in _shown(scorer):
        if _gives_scores(scorer, users[:CHECKED_USERS], user_table, item_table):
            return user_table.detach().float().cpu(), item_table.detach().float().cpu()
    raise InputError(
        f"vectors: the scores of {scorer.config['model']} are not dot products of a vector of the "
        "user and one of the item that it shows; recommend() serves it."
    )


def _shown(scorer: Scorer) -> Iterator[Tables]:
    """List what a model shows as tables of users and items."""
    model = scorer.model
    if scorer.is_sequential:
        return
    if hasattr(model, "user_vectors") and hasattr(model, "item_vectors"):
        everyone = torch.arange(scorer.dataset.user_num, device=scorer.device)
        yield model.user_vectors(everyone), model.item_vectors()
    if not inspect.signature(model.forward).parameters:
        # graph models of RecBole propagate whole tables
        made = model.forward()
        if isinstance(made, tuple) and len(made) >= 2:
            yield made[0], made[1]
    tables = [getattr(model, f"{kind}_embedding", None) for kind in ("user", "item")]
    weights: list[Any] = [getattr(table, "weight", None) for table in tables]
    if all(isinstance(weight, Tensor) for weight in weights):
        yield weights[0], weights[1]


def _gives_scores(scorer: Scorer, users: np.ndarray, user_table: Any, item_table: Any) -> bool:
    """Whether dot products are the model's scores of some users."""
    sizes = (scorer.dataset.user_num, scorer.tot_item_num)
    tables = (user_table, item_table)
    if not all(isinstance(t, Tensor) and t.dim() == 2 for t in tables):
        return False
    if (len(user_table), len(item_table)) != sizes or user_table.shape[1] != item_table.shape[1]:
        return False
    scores = scorer.score(scorer.user_rows(users))[:, 1:]
    products = (user_table[torch.from_numpy(users)] @ item_table.T)[:, 1:]
    scale = max(float(scores.abs().max()), 1e-6)
    return bool(((scores - products).abs() <= TOLERANCE * scale).all())
