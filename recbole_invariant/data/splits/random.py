"""The control: a test drawn at random, so that no shift is there to be found."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from recbole_invariant.data.splits.base import Interactions, Split, keep_a_row_of_each_user
from recbole_invariant.data.splits.held_out import read_share
from recbole_invariant.data.splits.ratio import split_users_by_ratio
from recbole_invariant.seeding import numpy_generator


def split(
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None = None,
) -> Split:
    """Draw `random_ood_share` of all rows as the test, then cut the rest for each user.

    A protocol whose test differs from `iid` no more than this one's does shows no shift.

    Options read: `random_ood_share` (in (0, 1)), `pool_ratio`.

    Returns:
        train, valid, iid and `ood_random`.

    Raises:
        InputError: the share is out of range.
    """
    share = read_share(options, "random_ood_share")
    rng = numpy_generator(seed, "data")
    n_rows = len(interactions)
    taken = np.zeros(n_rows, dtype=bool)
    taken[rng.permutation(n_rows)[: round(share * n_rows)]] = True
    back = keep_a_row_of_each_user(taken, interactions.users, rng)
    taken[back] = False
    train, valid, iid = split_users_by_ratio(
        interactions.users, np.flatnonzero(~taken), options["pool_ratio"], rng
    )
    parts = {"train": train, "valid": valid, "iid": iid, "ood_random": np.flatnonzero(taken)}
    return Split(parts, {"share": share, "given_back_to_users": len(back)})


def options_for_share(
    interactions: Interactions, options: Mapping[str, Any], share: float
) -> dict[str, Any]:
    """Give the options under which this share of the rows is held out."""
    return {"random_ood_share": share}
