"""The top items of scored rows, without seen ones, among candidates."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recbole_invariant.evaluation.top import top_k

Places = tuple[Tensor, Tensor]
"""Rows `(p,)` and items `(p,)`."""


@dataclass(frozen=True)
class Top:
    """Ranked items of some rows, the rows one after the other.

    Attributes:
        rows: `(p,)`, ascending.
        ranks: `(p,)`, from 1 in each row.
        items: internal ids `(p,)`.
        scores: `(p,)` float32, falling in each row.
    """

    rows: np.ndarray
    ranks: np.ndarray
    items: np.ndarray
    scores: np.ndarray

    @classmethod
    def joined(cls, parts: list["Top"]) -> "Top":
        """Put rankings below each other, by row."""
        columns = {
            name: np.concatenate([getattr(cls.empty(), name), *(getattr(p, name) for p in parts)])
            for name in ("rows", "ranks", "items", "scores")
        }
        order = np.argsort(columns["rows"], kind="stable")
        return cls(**{name: column[order] for name, column in columns.items()})

    @classmethod
    def empty(cls) -> "Top":
        """Return a ranking of nothing."""
        nothing = np.empty(0, dtype=np.int64)
        return cls(nothing, nothing, nothing, np.empty(0, dtype=np.float32))


def rank(
    scores: Tensor, k: int, rows: np.ndarray, left_out: Places | None, candidates: Tensor | None
) -> Top:
    """Rank the items of a batch.

    Args:
        scores: `(n, n_items)`, minus infinity for what is never ranked; overwritten.
        k: length of a ranking, shorter where fewer items are left.
        rows: what the result calls these rows `(n,)`.
        left_out: places in the batch and items that are not ranked; None ranks all.
        candidates: internal ids `(m,)`, each once; None for the whole catalogue.
    """
    if left_out is not None:
        scores[left_out[0].to(scores.device), left_out[1].to(scores.device)] = -torch.inf
    if candidates is not None:
        candidates = candidates.to(scores.device)
        scores = scores.index_select(1, candidates)
    values, items = top_k(scores, min(k, scores.shape[1]))
    if candidates is not None:
        items = candidates[items]
    values, items = values.float().cpu(), items.cpu()
    kept = (values > -torch.inf).numpy()
    places, ranks = np.nonzero(kept)
    return Top(rows[places], ranks + 1, items.numpy()[kept], values.numpy()[kept])


def popularity_order(counts: np.ndarray) -> tuple[np.ndarray, Tensor]:
    """Order items by falling count, those of equal count by id; padding is left out.

    Args:
        counts: training rows of each item `(n_items,)`.

    Returns:
        Items in order `(n_items - 1,)`, and a score of each item that falls along it
        `(n_items,)`, minus infinity for padding: no two are equal.
    """
    order = np.argsort(-counts[1:], kind="stable") + 1
    scores = torch.full((len(counts),), -torch.inf, dtype=torch.float64)
    scores[torch.from_numpy(order)] = -torch.arange(len(order), dtype=torch.float64)
    return order, scores
