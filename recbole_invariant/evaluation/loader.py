"""Evaluation batches of users from arrays, in the place of RecBole's loops over users."""

from collections.abc import Sequence
from dataclasses import dataclass
from logging import getLogger
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.interaction import Interaction
from recbole.utils import ModelType
from torch import Tensor

Pairs = tuple[np.ndarray, np.ndarray]
"""Rows `(p,)` and items `(p,)`."""


@dataclass(frozen=True)
class RowItems:
    """Items of each row, as compressed rows.

    Attributes:
        starts: where each row's items begin, and their number at the end, `(n_rows + 1,)`.
        items: items by row, ascending in each, `(p,)`.
    """

    starts: np.ndarray
    items: np.ndarray

    @classmethod
    def from_pairs(cls, pairs: Pairs, n_rows: int) -> "RowItems":
        """Sort pairs by row and item; a pair that comes twice is kept once."""
        rows, items = (np.asarray(side, dtype=np.int64) for side in pairs)
        width = int(items.max()) + 1 if items.size else 1
        keys = np.sort(rows * width + items)
        keys = keys[np.diff(keys, prepend=-1) > 0]
        starts = np.searchsorted(keys, np.arange(n_rows + 1) * width)
        return cls(starts, keys % width)

    def take(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return the items of some rows as places in `rows` `(p,)` and items `(p,)`."""
        begins = self.starts[rows]
        lengths = self.starts[rows + 1] - begins
        places = np.repeat(np.arange(rows.size), lengths)
        shift = begins - (np.cumsum(lengths) - lengths)
        items = self.items[np.arange(places.size) + shift[places]]
        return torch.from_numpy(places), torch.from_numpy(items)

    def lists(self) -> list[Tensor]:
        """Return each row's items as a tensor of its own."""
        return [torch.from_numpy(items) for items in np.split(self.items, self.starts[1:-1])]


class UserRankingLoader(FullSortEvalDataLoader):  # type: ignore[misc]
    """RecBole's loader for full ranking over given rows, one ranking a row.

    Gives what RecBole's gives for a batch: the rows, the items that are out of the ranking and
    the positives, each as places in the batch and items. Sequential models get their history in
    `rows` and pass through the option `transform`. The batch is `eval_batch_size`, which RecBole
    divides by the catalogue for models that are not sequential.

    Args:
        config: RecBole's options.
        dataset: the dataset that the rows are of.
        rows: one row a ranking, `n` in all; the user's fields, and the sequences of a sequential
            model.
        history: rows `(p,)` from 0 and items `(p,)` that are left out of the ranking; an item
            that is also a positive of the row is ranked.
        positives: rows `(p,)` and items `(p,)` that are to be found.
    """

    def __init__(
        self, config: Any, dataset: Any, rows: Interaction, history: Pairs, positives: Pairs
    ) -> None:
        self.logger = getLogger()
        self.uid_field, self.iid_field = dataset.uid_field, dataset.iid_field
        self.is_sequential = config["MODEL_TYPE"] == ModelType.SEQUENTIAL
        self.user_df = rows
        self.uid_list = rows[self.uid_field]
        self.positives = RowItems.from_pairs(positives, len(rows))
        self.history = RowItems.from_pairs(_without(history, positives), len(rows))
        self.sample_size = len(rows)
        # past RecBole's own constructor, which builds all of this in Python
        AbstractDataLoader.__init__(self, config, dataset, None, shuffle=False)

    def collate_fn(self, index: Sequence[int]) -> tuple[Interaction, Any, Tensor, Tensor]:
        """Return rows, (places, items) of the history, places and items of the positives."""
        chosen = np.asarray(index)
        rows = self.user_df[chosen]
        if self.is_sequential:
            rows = self.transform(self._dataset, rows)
        positive_rows, positive_items = self.positives.take(chosen)
        return rows, self.history.take(chosen), positive_rows, positive_items

    @property
    def uid2history_item(self) -> np.ndarray:
        """Items left out of the ranking by internal user id, as RecBole's case study reads."""
        return self._by_user(self.history)

    @property
    def uid2positive_item(self) -> np.ndarray:
        """Positives by internal user id, as RecBole's loader has them."""
        return self._by_user(self.positives)

    def _by_user(self, items: RowItems) -> np.ndarray:
        """Place each row's items at its user."""
        table = np.full(self._dataset.user_num, None, dtype=object)
        for user, own in zip(self.uid_list.tolist(), items.lists(), strict=True):
            table[user] = own
        return table


def rank_users(config: Any, test: Any, seen: Sequence[Any]) -> UserRankingLoader:
    """Make the loader that RecBole would make of a test set, for models that are not sequential.

    Args:
        config: RecBole's options.
        test: dataset of the test rows; its users are ranked for, in ascending order.
        seen: datasets of the rows that are left out of the ranking.

    Returns:
        One ranking a user.
    """
    users, places = np.unique(_column(test, test.uid_field), return_inverse=True)
    row_of = np.full(test.user_num, -1, dtype=np.int64)
    row_of[users] = np.arange(users.size)
    known = [(row_of[_column(d, d.uid_field)], _column(d, d.iid_field)) for d in seen]
    rows = np.concatenate([side[0] for side in known]) if known else np.empty(0, np.int64)
    items = np.concatenate([side[1] for side in known]) if known else np.empty(0, np.int64)
    tested = rows >= 0
    table = test.join(Interaction({test.uid_field: torch.from_numpy(users)}))
    positives = (places.reshape(-1), _column(test, test.iid_field))
    return UserRankingLoader(config, test, table, (rows[tested], items[tested]), positives)


def _column(dataset: Any, field: str) -> np.ndarray:
    """Return a column of a dataset's interactions."""
    return np.asarray(dataset.inter_feat[field], dtype=np.int64)


def _without(pairs: Pairs, others: Pairs) -> Pairs:
    """Leave out the pairs that are among others."""
    rows, items = (np.asarray(side, dtype=np.int64) for side in pairs)
    other_rows, other_items = (np.asarray(side, dtype=np.int64) for side in others)
    width = max(items.max(initial=0), other_items.max(initial=0)) + 1
    kept = ~np.isin(rows * width + items, other_rows * width + other_items)
    return rows[kept], items[kept]
