"""What the protocols that hold out whole groups of rows (clusters, values, ids) have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recbole_invariant.data.splits.ratio import position_in_group, round_at_random
from recbole_invariant.errors import InputError


def read_share(options: Mapping[str, Any], key: str) -> float:
    """Read an option that is a share.

    Raises:
        InputError: it is not a number in (0, 1).
    """
    share = options[key]
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise InputError(f"{key}: expected a number in (0, 1), not {share}")
    return float(share)


def choose_groups(sizes: Sequence[int] | np.ndarray, order: np.ndarray, target: float) -> list[int]:
    """Choose groups whose rows together come near a number of rows.

    Going through the groups in order, each is taken if it brings the sum nearer. At least one
    is taken (the smallest, where each is more than twice the target) and one is left.

    Args:
        sizes: rows of each group, `(groups,)`, at least two groups.
        order: group numbers, `(groups,)`.
        target: wanted rows.

    Returns:
        Sorted group numbers.
    """
    chosen: list[int] = []
    total = 0
    for group in order.tolist():
        size = int(sizes[group])
        if len(chosen) < len(order) - 1 and abs(total + size - target) < abs(total - target):
            chosen.append(group)
            total += size
    return sorted(chosen) or [min(order.tolist(), key=lambda group: sizes[group])]


def keep_share_of_each(
    taken: np.ndarray, groups: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """Give back a share of the taken rows of every group, and at least one.

    Args:
        taken: mask of the rows taken out, `(n,)` bool.
        groups: group of every row, `(n,)`, non-negative.
        share: in (0, 1).
        rng: chooses the rows and rounds the counts.

    Returns:
        The rows to put back.
    """
    rows = rng.permutation(np.flatnonzero(taken))
    owner = groups[rows]
    counts = np.bincount(owner)
    wanted = np.maximum(round_at_random((share * counts)[None], rng)[0], 1)
    return rows[position_in_group(owner) < wanted[owner]]


def give_training_rows(
    parts: dict[str, np.ndarray],
    groups: np.ndarray,
    needy: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Move a row to training for every group that has rows in valid or iid and none in train.

    Args:
        parts: holds train, valid and iid.
        groups: group of every row, `(n,)`.
        needy: the groups that need a training row.
        rng: chooses the row.

    Returns:
        The parts with the rows moved.
    """
    trained = groups[parts["train"]]
    others = rng.permutation(np.concatenate([parts["valid"], parts["iid"]]))
    lacking = np.isin(groups[others], needy) & ~np.isin(groups[others], trained)
    rows = others[lacking]
    moved = rows[np.unique(groups[rows], return_index=True)[1]]
    return {
        **parts,
        "train": np.sort(np.concatenate([parts["train"], moved])),
        "valid": np.setdiff1d(parts["valid"], moved),
        "iid": np.setdiff1d(parts["iid"], moved),
    }
