"""RecBole's evaluation collector without its matrices of users by items."""

from typing import Any

import numpy as np
import torch
from recbole.evaluator.collector import Collector
from torch import Tensor

from recbole_invariant.evaluation.ranked import Ranked
from recbole_invariant.evaluation.top import top_k

HOST_ONLY = ("rec.meanrank", "rec.score", "data.label")
"""What GAUC and metrics of values need; RecBole collects it."""


class TopKCollector(Collector):  # type: ignore[misc]
    """Collects what RecBole's top-k metrics read: `rec.items` and `rec.topk`.

    RecBole's own collector takes the top k once for each of the two, marks the positives in a
    matrix as large as the scores and copies all earlier users at every batch. This one takes the
    top k once, equal scores in the same order, and looks the top items up among the positives.

    Args:
        config: RecBole's options.
        keep: keep the rankings for `ranked`, this many items long; 0 keeps none.
    """

    def __init__(self, config: Any, keep: int = 0) -> None:
        super().__init__(config)
        self.keep = max(keep, max(self.topk)) if keep else 0
        self._by_host = any(self.register.need(name) for name in HOST_ONLY)
        self._parts: dict[str, list[Tensor]] = {}
        self._n_rows = 0

    def eval_batch_collect(
        self, scores_tensor: Tensor, interaction: Any, positive_u: Tensor, positive_i: Tensor
    ) -> None:
        """Collect a batch.

        Args:
            scores_tensor: scores `(n_rows, n_items)`, minus infinity for items not to be ranked.
                Overwritten where rankings are kept.
            interaction: the batch.
            positive_u: row of each positive `(p,)`.
            positive_i: item of each positive `(p,)`.
        """
        if self._by_host:
            super().eval_batch_collect(scores_tensor, interaction, positive_u, positive_i)
        if scores_tensor.dim() != 2 or (self._by_host and not self.keep):
            return
        top = top_k(scores_tensor, max(self.topk))[1]
        positives = _keys(positive_u, positive_i, scores_tensor).unique()
        hits = _among(top, positives, scores_tensor.shape[1])
        if not self._by_host:
            self._collect(top, hits, positives, scores_tensor)
        if self.keep:
            self._keep(top, hits, positives, scores_tensor)
        self._n_rows += scores_tensor.shape[0]

    def _collect(self, top: Tensor, hits: Tensor, positives: Tensor, scores: Tensor) -> None:
        """Keep a batch's part of what the metrics read."""
        n_rows, n_items = scores.shape
        if self.register.need("rec.items"):
            self._add("rec.items", top)
        if self.register.need("rec.topk"):
            lengths = torch.bincount(positives // n_items, minlength=n_rows)
            self._add("rec.topk", torch.cat((hits.long(), lengths[:, None]), dim=1))

    def _keep(self, top: Tensor, hits: Tensor, positives: Tensor, scores: Tensor) -> None:
        """Keep a batch's rankings, gone on with after the items that the metrics read.

        What follows is ranked with these taken out. One call for a longer list could order equal
        scores another way.
        """
        n_items = scores.shape[1]
        more = min(self.keep, n_items) - top.shape[1]
        if more > 0:
            scores.scatter_(1, top, -torch.inf)
            values, following = top_k(scores, more)
            ranked = values > -torch.inf
            following = torch.where(ranked, following, 0)
            hits = torch.cat((hits, _among(following, positives, n_items) & ranked), dim=1)
            top = torch.cat((top, following), dim=1)
        self._add("top", top)
        self._add("hits", hits)
        self._add("rows", positives // n_items + self._n_rows)
        self._add("items", positives % n_items)

    def _add(self, name: str, part: Tensor) -> None:
        """Put a batch's part, on the CPU, to the others."""
        self._parts.setdefault(name, []).append(part.cpu())

    def get_data_struct(self) -> Any:
        """Return what RecBole's evaluator reads, and forget all but the kept rankings."""
        for name in ("rec.items", "rec.topk"):
            if name in self._parts:
                self.data_struct.set(name, torch.cat(self._parts.pop(name)))
        self._n_rows = 0
        return super().get_data_struct()

    def ranked(self, users: np.ndarray) -> Ranked | None:
        """Return the rankings kept since the last call.

        Args:
            users: internal user id of each row.

        Returns:
            The rankings; None where nothing was ranked.
        """
        if "top" not in self._parts:
            return None
        top, hits, rows, items = (
            torch.cat(self._parts.pop(name)).numpy() for name in ("top", "hits", "rows", "items")
        )
        return Ranked(np.asarray(users), top, hits, rows, items)


def _keys(rows: Tensor, items: Tensor, scores: Tensor) -> Tensor:
    """Number pairs of row and item, on the scores' device."""
    return rows.to(scores.device) * scores.shape[1] + items.to(scores.device)


def _among(top: Tensor, positives: Tensor, n_items: int) -> Tensor:
    """Say which top items `(n_rows, k)` are among the sorted numbers of the positives."""
    if positives.numel() == 0:
        return torch.zeros_like(top, dtype=torch.bool)
    keys = torch.arange(top.shape[0], device=top.device)[:, None] * n_items + top
    places = torch.searchsorted(positives, keys).clamp_(max=positives.numel() - 1)
    return positives[places] == keys
