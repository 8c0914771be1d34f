"""A random split of each user's rows by ratio."""

from collections.abc import Sequence

import numpy as np

from recbole_invariant.errors import InputError


def position_in_group(groups: np.ndarray) -> np.ndarray:
    """Number the members of each group 0, 1, 2, ... in the order in which they stand, `(n,)`."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    new_group = np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)]
    starts = np.flatnonzero(new_group)
    begin = np.repeat(starts, np.diff(np.r_[starts, len(ordered)]))
    position = np.empty(len(groups), dtype=np.int64)
    position[order] = np.arange(len(groups)) - begin
    return position


def split_users_by_ratio(
    users: np.ndarray, rows: np.ndarray, ratio: Sequence[float], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut each user's rows into training, validation and test rows at random.

    A user with n rows has `ratio[k] * n` rows of part k in expectation, whatever n: fractions
    are rounded up or down at random, so that users with few rows neither lose a large share of
    them (RecBole rounds fractions up) nor drop out of the test (rounding down). Every user
    keeps at least one training row.

    Args:
        users: user of every row of the data, `(n,)`.
        rows: the rows to cut.
        ratio: of training, validation and test; any positive scale.
        rng: source of randomness.

    Returns:
        Sorted training, validation and test rows.

    Raises:
        InputError: the ratio is not three shares, none negative, the first above 0.
    """
    if len(ratio) != 3 or min(ratio) < 0 or ratio[0] <= 0:
        raise InputError(
            f"pool_ratio: expected three shares, of train, valid and iid, such as "
            f"[0.8, 0.1, 0.1]; it is {list(ratio)}"
        )
    shuffled = rng.permutation(rows)
    owner = users[shuffled]
    n_users = int(owner.max(initial=0)) + 1
    counts = np.bincount(owner, minlength=n_users)
    share = np.asarray(ratio, dtype=np.float64) / np.sum(ratio)
    n_valid, n_both = round_at_random(np.outer([share[1], share[1] + share[2]], counts), rng)
    n_both = np.minimum(n_both, np.maximum(counts - 1, 0))
    n_valid = np.minimum(n_valid, n_both)
    position = position_in_group(owner)
    valid = position < n_valid[owner]
    held_out = position < n_both[owner]
    return (
        np.sort(shuffled[~held_out]),
        np.sort(shuffled[valid]),
        np.sort(shuffled[held_out & ~valid]),
    )


def round_at_random(cumulative: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Round cumulative expected counts `(parts, groups)` to whole ones with the same mean.

    One draw a group serves all its parts (systematic sampling): a part, the difference of two
    neighbours, keeps its expectation, and no sum is above its expectation rounded up.

    Args:
        cumulative: `(parts, groups)`, not falling along the first axis.
        rng: source of randomness.

    Returns:
        `(parts, groups)` int64.
    """
    # the small number keeps sums such as 0.1 + 0.2 + 0.7 from falling under a whole number, and
    # the bound on the draw keeps it from lifting one
    draw = np.minimum(rng.random(cumulative.shape[1]), 1 - 1e-8)
    return np.floor(cumulative + draw + 1e-9).astype(np.int64)
