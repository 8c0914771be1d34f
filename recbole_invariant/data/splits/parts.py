"""A dataset cut into parts that RecBole's loaders take."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from recbole.data.dataset import Dataset

from recbole_invariant.data.sequences import CutSequences


@dataclass
class Parts:
    """The parts of a run's data.

    Attributes:
        train: training rows.
        valid: validation rows; None where they are among the training rows (`refit_epochs`).
        tests: test sets by name, `iid` first.
        protocol: the protocol's name, or None for RecBole's own split and for files split
            beforehand.
        notes: what the run's record says of the cut.
        ood_valid: validation rows cut from training by the protocol itself, or None.
        cold: test sets about users or items without training rows.
        sequences: for a sequential model whose rows are single interactions: makes its
            histories. None where rows are what the model takes.
    """

    train: Dataset
    valid: Dataset | None
    tests: dict[str, Dataset]
    protocol: str | None
    notes: dict[str, Any] = field(default_factory=dict)
    ood_valid: Dataset | None = None
    cold: frozenset[str] = frozenset()
    sequences: CutSequences | None = None
    _fitted: Dataset | None = field(default=None, repr=False)

    @property
    def fitted(self) -> Dataset:
        """What a model is trained on: training rows, with histories if it is sequential."""
        if self.sequences is None:
            return self.train
        if self._fitted is None:
            self._fitted = self.sequences.training_set()
        return self._fitted

    @property
    def by_name(self) -> dict[str, Dataset]:
        """All parts that there are by name, train first."""
        selecting = {"valid": self.valid, "ood_valid": self.ood_valid}
        given = {name: part for name, part in selecting.items() if part is not None}
        return {"train": self.train, **given, **self.tests}

    def sizes(self) -> dict[str, dict[str, int]]:
        """Count users, items and interactions of each part."""
        return {
            name: {
                "n_users": len(np.unique(_users(part))),
                "n_items": len(np.unique(_items(part))),
                "n_interactions": len(part),
            }
            for name, part in self.by_name.items()
        }

    def checksum(self) -> str:
        """Hash which user-item pairs stand in which part, as SHA-256 in hexadecimal."""
        hashed = hashlib.sha256()
        for name, part in self.by_name.items():
            users, items = _users(part).astype(np.int64), _items(part).astype(np.int64)
            order = np.lexsort((items, users))
            hashed.update(name.encode())
            hashed.update(np.stack([users[order], items[order]]).tobytes())
        return hashed.hexdigest()

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Count the training rows of every user `(n_users,)` and item `(n_items,)`."""
        return (
            np.bincount(_users(self.train), minlength=self.train.user_num),
            np.bincount(_items(self.train), minlength=self.train.item_num),
        )


def _users(part: Dataset) -> np.ndarray:
    """Return the user of every row."""
    return np.asarray(part.inter_feat[part.uid_field])


def _items(part: Dataset) -> np.ndarray:
    """Return the item of every row."""
    return np.asarray(part.inter_feat[part.iid_field])
