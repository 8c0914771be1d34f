"""What every protocol takes and gives: interactions in, named parts of their rows out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch

DROPPED = "dropped"
"""Part for rows that no model trained on this split could answer for; never evaluated."""


@dataclass(frozen=True)
class Interactions:
    """All positive interactions of a dataset, one row each.

    Attributes:
        users: internal user ids from 1, `(n,)` int64.
        items: internal item ids from 1, `(n,)` int64.
        times: `(n,)`, or None where the data has no times.
    """

    users: np.ndarray
    items: np.ndarray
    times: np.ndarray | None = None

    def __post_init__(self) -> None:
        lengths = {len(c) for c in (self.users, self.items, self.times) if c is not None}
        if len(lengths) != 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.users)


@dataclass
class Split:
    """Disjoint parts of the rows that together hold every row.

    Attributes:
        parts: name -> row numbers, sorted, int64: `train`, `valid`, `iid`, `ood_<protocol>` (or
            `ood_<protocol>_1`, ... where a protocol has several strengths) and `dropped`.
        notes: what the run's record should say of this split; JSON values.
    """

    parts: dict[str, np.ndarray]
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def tests(self) -> list[str]:
        """Names of the test sets, `iid` first."""
        return [name for name in self.parts if name == "iid" or name.startswith("ood_")]

    def check(self, n_rows: int) -> None:
        """Make sure that every row is in exactly one part.

        Raises:
            ValueError: a protocol has a mistake: rows are missing, repeated or out of range.
        """
        missing = {"train", "valid", "iid"} - set(self.parts)
        if missing:
            raise ValueError(f"the split lacks the parts {sorted(missing)}")
        rows = np.concatenate(list(self.parts.values()))
        if len(rows) and (rows.min() < 0 or rows.max() >= n_rows):
            raise ValueError(f"the split names rows outside [0, {n_rows})")
        counts = np.bincount(rows, minlength=n_rows)
        if (counts > 1).any():
            raise ValueError(f"{(counts > 1).sum()} rows are in more than one part")
        if (counts == 0).any():
            raise ValueError(f"{(counts == 0).sum()} rows are in no part")


class SplitFunction(Protocol):
    """How a protocol cuts: `split` of each module in this folder."""

    def __call__(
        self,
        interactions: Interactions,
        options: Mapping[str, Any],
        seed: int,
        features: torch.Tensor | None,
    ) -> Split:
        """Cut the interactions.

        Args:
            interactions: all rows.
            options: the run's options; each protocol reads its own.
            seed: the run's seed.
            features: `(n_items, d)`, or None where the dataset has none.
        """


def drop_unseen(split: Split, interactions: Interactions) -> Split:
    """Move held-out rows whose user or item has no training row to the part `dropped`.

    A cold item or user is a question of its own (protocol `cold`); here it would only blur the
    comparison, since no model can answer it. `notes["dropped"]` counts them by part.
    """
    train = split.parts["train"]
    users = np.isin(interactions.users, interactions.users[train])
    items = np.isin(interactions.items, interactions.items[train])
    known = users & items
    parts, dropped, counts = {"train": train}, [split.parts.get(DROPPED, train[:0])], {}
    for name, rows in split.parts.items():
        if name in ("train", DROPPED):
            continue
        parts[name] = rows[known[rows]]
        dropped.append(rows[~known[rows]])
        counts[name] = len(rows) - len(parts[name])
    parts[DROPPED] = np.sort(np.concatenate(dropped))
    return Split(parts, {**split.notes, DROPPED: counts})


def keep_a_row_of_each_user(
    taken: np.ndarray, users: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Give back one row to every user all of whose rows were taken.

    Args:
        taken: mask of the rows taken out of the training pool, `(n,)` bool.
        users: `(n,)`.
        rng: chooses the row.

    Returns:
        The rows to put back, one for each such user.
    """
    left = np.bincount(users[~taken], minlength=int(users.max(initial=0)) + 1)
    rows = rng.permutation(np.flatnonzero(taken & (left[users] == 0)))
    _, first = np.unique(users[rows], return_index=True)
    return rows[first]
