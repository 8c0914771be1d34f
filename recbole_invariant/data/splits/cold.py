"""Cold start: some items (or users) have no training row at all, and the test is about them.

Only models that score ids they never trained on have an answer: from item features where items are
cold; hardly any where users are. For all others the test is a measurement of their initial values.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from recbole_invariant.data.splits.base import Interactions, Split
from recbole_invariant.data.splits.held_out import read_share
from recbole_invariant.data.splits.ratio import split_users_by_ratio
from recbole_invariant.errors import InputError
from recbole_invariant.seeding import numpy_generator


def split(
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None = None,
) -> Split:
    """Draw cold items (or users), all of whose rows are the test; cut the rest for each user.

    A test row whose other side has no training row either (a user who only knows cold items) is
    dropped by `drop_unseen`: nothing is known of the pair.

    Options read: `cold_kind` (items or users), `cold_share` (of these, in (0, 1)), `pool_ratio`.

    Returns:
        train, valid, iid and `ood_cold`, whose items (or users) are in no other part.

    Raises:
        InputError: an option is out of range, or there are fewer than two items (or users).
    """
    kind, share = options["cold_kind"], read_share(options, "cold_share")
    if kind not in ("items", "users"):
        raise InputError(f"cold_kind: expected items or users, not {kind!r}")
    ids = interactions.items if kind == "items" else interactions.users
    present = np.unique(ids)
    if len(present) < 2:
        raise InputError(f"cold_kind: {kind}: there are {len(present)}, and two are needed.")
    rng = numpy_generator(seed, "data")
    n_cold = min(max(round(share * len(present)), 1), len(present) - 1)
    cold = np.isin(ids, rng.choice(present, n_cold, replace=False))
    pool = np.flatnonzero(~cold)
    train, valid, iid = split_users_by_ratio(interactions.users, pool, options["pool_ratio"], rng)
    notes = {
        "kind": kind,
        f"cold_{kind}": n_cold,
        f"all_{kind}": len(present),
        "cold_rows": int(cold.sum()),
    }
    parts = {"train": train, "valid": valid, "iid": iid, "ood_cold": np.flatnonzero(cold)}
    return Split(parts, notes, frozenset({"ood_cold"}))


def options_for_share(
    interactions: Interactions, options: Mapping[str, Any], share: float
) -> dict[str, Any]:
    """Give the options under which about this share of the items (or users) is cold."""
    return {"cold_share": share}
