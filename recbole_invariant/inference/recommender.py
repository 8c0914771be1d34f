"""A trained model that recommends: raw tokens in and out, no data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.loader import RowItems
from recbole_invariant.inference.histories import read_histories
from recbole_invariant.inference.probe import take_rows
from recbole_invariant.inference.questions import (
    POPULARITY,
    Questions,
    choose_candidates,
    read_length,
    read_users,
    require_choice,
)
from recbole_invariant.inference.ranking import Top, popularity_order, rank
from recbole_invariant.inference.scoring import Scorer
from recbole_invariant.inference.tokens import Tokens
from recbole_invariant.inference.vectors import Vectors, find_tables

COLUMNS = ("user_id", "rank", "item_id", "score")


@dataclass(frozen=True)
class Known:
    """What a run folder says of users and items.

    Attributes:
        users, items: tokens.
        seen: items of each user's training and validation rows, by internal id.
        user_counts, item_counts: training rows of each id, padding included.
        histories: latest items of each user in time order; None for models that read none.
        scores_cold_users, scores_cold_items: whether the model can say anything about ids
            without a training row.
        reads_users: whether the model reads the user beside a history.
    """

    users: Tokens
    items: Tokens
    seen: RowItems
    user_counts: np.ndarray
    item_counts: np.ndarray
    histories: RowItems | None
    reads_users: bool
    scores_cold_users: bool
    scores_cold_items: bool


class Recommender:
    """A finished run's model; `recbole_invariant.load` makes one.

    Attributes:
        name: name of the model.
        model: the RecBole model, in the mode of evaluation.
        users, items: raw tokens of all that `recommend` answers for, and of the catalogue.
    """

    def __init__(self, name: str, scorer: Scorer, known: Known) -> None:
        self.name, self.model = name, scorer.model
        self._scorer, self._known = scorer, known
        self._popular = popularity_order(known.item_counts)[1]
        self.items: list[str] = known.items.names.tolist()
        self.users: list[str] = known.users.of(np.flatnonzero(self._answered)).tolist()

    def __repr__(self) -> str:
        kind = "sequential, " if self.is_sequential else ""
        return f"<{self.name}: {kind}{len(self.users)} users, {len(self.items)} items>"

    @property
    def is_sequential(self) -> bool:
        """Whether the model recommends from histories."""
        return self._known.histories is not None

    @property
    def batch(self) -> int:
        """Rows scored at a time."""
        return self._scorer.batch

    @property
    def _answered(self) -> np.ndarray:
        """Which internal user ids the model can rank for `(n_users,)`."""
        known = self._known
        if known.histories is not None:
            return np.diff(known.histories.starts) > 0
        answered = known.user_counts > 0
        if known.scores_cold_users:
            answered[:] = True
        answered[0] = False
        return answered

    def recommend(
        self,
        users: Any = None,
        k: int = 10,
        exclude_seen: bool = True,
        candidates: Any = None,
        *,
        histories: Sequence[Any] | None = None,
        unknown: str = "error",
        unknown_items: str = "error",
    ) -> pd.DataFrame:
        """Rank items for users, or for histories.

        Args:
            users: raw tokens, text or whole numbers; a token that comes twice is answered once.
                With `histories`, one for each of them.
            k: length of a ranking, >= 1; shorter where fewer items are left.
            exclude_seen: leave out what a user has in training and validation, and what stands
                in a given history.
            candidates: raw tokens of the items to rank, each counted once; None for all.
            histories: for sequential models: lists of raw item tokens, oldest first.
            unknown: what to do for users without a training row and for empty histories: `error`,
                or `popularity`: items by their training rows, which are then the scores.
            unknown_items: what to do with items in histories and candidates that there are not:
                `error` or `drop`. A candidate without a training row counts as one where the
                model has no features to score it by.

        Returns:
            `user_id`, `rank` (from 1), `item_id`, `score`, users in the order asked. Histories
            without users are numbered "0", "1", ... in `user_id`. Empty for empty lists.

        Raises:
            InputError: something given is wrong or unknown.
        """
        require_choice("unknown", unknown, ("error", POPULARITY))
        require_choice("unknown_items", unknown_items, ("error", "drop"))
        length = read_length(k, len(self.items))
        drop = unknown_items == "drop"
        asked = self._read(users, histories, unknown == POPULARITY, drop)
        chosen = self._candidates(candidates, drop)
        left_out = asked.seen if exclude_seen else None
        parts = [self._rank_popular(asked, length, left_out, chosen)]
        rows = np.flatnonzero(asked.known)
        for start in range(0, len(rows), self._scorer.batch):
            batch = rows[start : start + self._scorer.batch]
            scores = self._score(asked, batch)
            places = None if left_out is None else left_out.take(batch)
            parts.append(rank(scores, length, batch, places, chosen))
        return self._table(asked, Top.joined(parts))

    def vectors(self) -> Vectors:
        """Return vectors whose dot products are the scores, for models that have such.

        Raises:
            InputError: the model scores otherwise.
        """
        ids = np.flatnonzero(self._answered)
        users, items = find_tables(self._scorer, ids)
        return Vectors(
            self.users, users[torch.from_numpy(ids)].numpy(), self.items, items[1:].numpy()
        )

    def _read(self, users: Any, histories: Any, by_popularity: bool, drop: bool) -> Questions:
        """Read whom is asked for."""
        known = self._known
        if histories is None:
            if users is None:
                raise InputError("recommend: give users, or histories to a sequential model.")
            return read_users(users, known, self._answered, by_popularity)
        if known.histories is None:
            raise InputError(f"histories: {self.name} reads none; give users.")
        return read_histories(histories, users, known, by_popularity, drop)

    def _candidates(self, given: Any, drop: bool) -> Tensor | None:
        """Return internal ids of the candidates, None for all."""
        if given is None:
            return None
        trained = None if self._known.scores_cold_items else self._known.item_counts > 0
        return torch.from_numpy(choose_candidates(given, self._known.items, trained, drop))

    def _score(self, asked: Questions, batch: np.ndarray) -> Tensor:
        """Score all items for some rows."""
        users = None if asked.users is None else asked.users[batch]
        if asked.histories is None:
            assert users is not None
            return self._scorer.score(self._scorer.user_rows(users))
        rows = self._scorer.history_rows(users, take_rows(asked.histories, batch))
        return self._scorer.score(rows)

    def _rank_popular(
        self, asked: Questions, k: int, left_out: RowItems | None, candidates: Tensor | None
    ) -> Top:
        """Rank by training rows for the rows of which nothing is known."""
        rows = np.flatnonzero(~asked.known)
        parts = []
        for start in range(0, len(rows), self._scorer.batch):
            batch = rows[start : start + self._scorer.batch]
            places = None if left_out is None else left_out.take(batch)
            scores = self._popular.repeat(len(batch), 1)
            parts.append(rank(scores, k, batch, places, candidates))
        top = Top.joined(parts)
        counts = self._known.item_counts[top.items].astype(np.float32)
        return Top(top.rows, top.ranks, top.items, counts)

    def _table(self, asked: Questions, top: Top) -> pd.DataFrame:
        """Put tokens to a ranking."""
        columns = (
            asked.labels[top.rows],
            top.ranks,
            self._known.items.of(top.items),
            top.scores,
        )
        return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
