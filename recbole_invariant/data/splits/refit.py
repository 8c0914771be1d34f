"""Validation rows among the training rows, for a model whose epochs are known (`refit_epochs`)."""

from typing import Any

import numpy as np
from recbole.data.interaction import cat_interactions

from recbole_invariant.data.splits.base import OOD_VALID, Split

JOINED = "trained_on"
"""Note of a split: how many rows of each validation part are among the training rows."""

SELECTING = ("valid", OOD_VALID)
"""Parts that select weights where there is a selection."""


def join_validation(split: Split) -> Split:
    """Put the rows of `valid` and `ood_valid` into `train`; the tests keep their rows.

    Args:
        split: a whole cut; it stays as it is.

    Returns:
        A split without these parts, and a note that says how many rows each had.
    """
    joined = {name: split.parts[name] for name in SELECTING if name in split.parts}
    rows = np.sort(np.concatenate([split.parts["train"], *joined.values()]))
    rest = {name: part for name, part in split.parts.items() if name not in joined}
    counts = {name: len(part) for name, part in joined.items()}
    return Split({**rest, "train": rows}, {**split.notes, JOINED: counts}, split.cold_parts)


def join_rows(train: Any, valid: Any) -> Any:
    """Return a dataset of the rows of two, for a cut that RecBole made.

    Args:
        train: RecBole's training dataset; histories of a sequential model are made already.
        valid: its validation dataset.
    """
    return train.copy(cat_interactions([train.inter_feat, valid.inter_feat]))
