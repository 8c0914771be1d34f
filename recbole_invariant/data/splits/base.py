"""What every protocol takes and gives: interactions in, named parts of their rows out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch

DROPPED = "dropped"
"""Part for rows that no model trained on this split could answer for; never evaluated."""

OOD_VALID = "ood_valid"
"""Part for selection under the protocol's own shift; see `nested`. Not a test."""


def is_test(name: str) -> bool:
    """Whether a part of this name is a test set; `ood_valid` is for selection."""
    return name == "iid" or (name.startswith("ood_") and name != OOD_VALID)


@dataclass(frozen=True)
class Interactions:
    """All positive interactions of a dataset, one row each.

    Attributes:
        users: internal user ids from 1, `(n,)` int64.
        items: internal item ids from 1, `(n,)` int64.
        times: `(n,)` as in the file, never scaled: int64 where all are whole numbers, else
            float64; None where the data has no times.
        files: benchmark file that each row stands in, `(n,)` of `benchmark_filename`'s names;
            None where the data is one file.
        columns: the file's other columns by name, `(n,)` each: raw tokens as text, floats.
    """

    users: np.ndarray
    items: np.ndarray
    times: np.ndarray | None = None
    files: np.ndarray | None = None
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = (self.users, self.items, self.times, self.files, *self.columns.values())
        lengths = {len(column) for column in columns if column is not None}
        if len(lengths) != 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: np.ndarray) -> "Interactions":
        """Return these rows, in this order."""

        def taken(column: np.ndarray | None) -> np.ndarray | None:
            return None if column is None else column[rows]

        return Interactions(
            self.users[rows],
            self.items[rows],
            taken(self.times),
            taken(self.files),
            {name: column[rows] for name, column in self.columns.items()},
        )


@dataclass
class Split:
    """Disjoint parts of the rows that together hold every row.

    Attributes:
        parts: name -> row numbers, sorted, int64: `train`, `valid`, `iid`, `ood_<protocol>` (or
            `ood_<protocol>_1`, ... where a protocol has several strengths), `dropped` and, where
            selection asks for it, `ood_valid`.
        notes: what the run's record should say of this split; JSON values.
        cold_parts: parts that are about users or items without training rows; such rows stay in
            them where the other side has some, see `drop_unseen`.
    """

    parts: dict[str, np.ndarray]
    notes: dict[str, Any] = field(default_factory=dict)
    cold_parts: frozenset[str] = frozenset()

    @property
    def tests(self) -> list[str]:
        """Names of the test sets, `iid` first."""
        return [name for name in self.parts if is_test(name)]

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
