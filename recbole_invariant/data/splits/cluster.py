"""Cluster shift: some kinds of items (or of users) are rare in training and fill the test.

k-means finds the kinds, on the item features or on the users' histories. Clusters drawn at random
are held out. A held-out cluster that left training entirely would be a question for models that
score unseen ids only (protocol `cold`), so each of its items (or users) keeps a small share of its
rows in training: the domain shifts, and every model still can answer. With `cluster_kept_share: 0`
nothing is kept, and the test is about cold items (or users) of kinds never seen.

Clusters of users are found from all rows, test rows too: they define the question, and no model
sees them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from recbole_invariant.data.splits.base import Interactions, Split, keep_a_row_of_each_user
from recbole_invariant.data.splits.held_out import (
    choose_groups,
    give_training_rows,
    keep_share_of_each,
    read_share,
)
from recbole_invariant.data.splits.ratio import split_users_by_ratio
from recbole_invariant.errors import InputError
from recbole_invariant.seeding import derive_seed, numpy_generator

HISTORY_DIMENSIONS = 32
N_STARTS = 3


def split(
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None = None,
) -> Split:
    """Hold out clusters but for a share of each member's rows, then cut the rest for each user.

    Options read: `cluster_by` (items, users, or None: items where there are features),
    `cluster_count`, `cluster_held_out_share` (of the rows, about), `cluster_kept_share` (of the
    held-out members' rows, in [0, 1); at least one row of each where it is above 0),
    `pool_ratio`. Items without features are in no cluster and stay in the pool.

    Returns:
        train, valid, iid and `ood_cluster`.

    Raises:
        InputError: an option is out of range, there are no features to cluster items by, or
            fewer than two clusters can be told apart.
    """
    by, kept_share = _read(options, features)
    rng = numpy_generator(seed, "data")
    members = interactions.items if by == "items" else interactions.users
    label = _labels(interactions, features if by == "items" else None, options, seed)[members]
    sizes = np.bincount(label[label >= 0])
    target = read_share(options, "cluster_held_out_share") * len(interactions)
    held_out = choose_groups(sizes, rng.permutation(len(sizes)), target)
    inside = np.isin(label, held_out)
    taken = _without_kept_rows(inside, members, interactions.users, kept_share, rng)
    names, pool = ("train", "valid", "iid"), np.flatnonzero(~taken)
    cut = split_users_by_ratio(interactions.users, pool, options["pool_ratio"], rng)
    parts = dict(zip(names, cut, strict=True))
    if kept_share:
        parts = give_training_rows(parts, members, np.unique(members[inside]), rng)
    parts["ood_cluster"] = np.flatnonzero(taken)
    notes = {
        "by": by,
        "clusters": sizes.tolist(),
        "held_out": held_out,
        "held_out_members": len(np.unique(members[inside])),
        "held_out_rows": int(inside.sum()),
        "kept_rows": int(inside.sum() - taken.sum()),
        "rows_in_no_cluster": int((label < 0).sum()),
    }
    return Split(parts, notes, frozenset() if kept_share else frozenset({"ood_cluster"}))


def _without_kept_rows(
    inside: np.ndarray,
    members: np.ndarray,
    users: np.ndarray,
    kept_share: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Mask the held-out rows: those of the clusters but for what members and users keep."""
    taken = inside.copy()
    if kept_share:
        taken[keep_share_of_each(inside, members, kept_share, rng)] = False
        taken[keep_a_row_of_each_user(taken, users, rng)] = False
    return taken


def options_for_share(
    interactions: Interactions, options: Mapping[str, Any], share: float
) -> dict[str, Any]:
    """Give the options under which about this share of the rows is held out."""
    return {"cluster_held_out_share": min(share / (1 - options["cluster_kept_share"]), 0.5)}


def _read(options: Mapping[str, Any], features: torch.Tensor | None) -> tuple[str, float]:
    """Check the options; return what is clustered and the share that is kept."""
    by, count, kept = (options[f"cluster_{name}"] for name in ("by", "count", "kept_share"))
    if by is None:
        by = "users" if features is None else "items"
    if by not in ("items", "users"):
        raise InputError(f"cluster_by: expected items, users or null, not {by!r}")
    if by == "items" and features is None:
        raise InputError(
            "cluster_by: items needs item features, and this dataset has none; give some under "
            "'modalities', or set cluster_by: users."
        )
    if not isinstance(count, int) or count < 2:
        raise InputError(f"cluster_count: expected a whole number >= 2, not {count}")
    if isinstance(kept, bool) or not isinstance(kept, int | float) or not 0 <= kept < 1:
        raise InputError(f"cluster_kept_share: expected a number in [0, 1), not {kept}")
    return by, float(kept)


def _labels(
    interactions: Interactions,
    features: torch.Tensor | None,
    options: Mapping[str, Any],
    seed: int,
) -> np.ndarray:
    """Cluster of every item id (where features are given) or user id, -1 for none."""
    # threads add up floats in another order, and then the split depends on the machine
    with threadpool_limits(limits=1):
        if features is None:
            points, ids = user_histories(interactions, seed)
            n_ids = int(interactions.users.max()) + 1
        else:
            points = features.numpy().astype(np.float64)
            ids = np.unique(interactions.items)
            ids = ids[points[ids].any(axis=1)]
            points, n_ids = points[ids], int(interactions.items.max()) + 1
        clusters = _kmeans(points, options["cluster_count"], seed)
    label = np.full(n_ids, -1, dtype=np.int64)
    label[ids] = clusters
    return label


def user_histories(interactions: Interactions, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Describe each user by the items of the history.

    Rows of the user-item matrix, of length 1, are projected on their first singular vectors
    (at most 32) and scaled to length 1 again.

    Returns:
        Points `(users with rows, dimensions)` and the ids of their users.
    """
    ids, row = np.unique(interactions.users, return_inverse=True)
    column = np.unique(interactions.items, return_inverse=True)[1]
    shape = len(ids), max(int(column.max()) + 1, 2)  # TruncatedSVD takes two columns or more
    matrix = normalize(csr_matrix((np.ones(len(row)), (row, column)), shape))
    size = min(HISTORY_DIMENSIONS, *matrix.shape)
    svd = TruncatedSVD(size, random_state=derive_seed(seed, "clusters") % 2**32)
    with np.errstate(invalid="ignore"):  # equal histories have no variance to explain a share of
        return normalize(svd.fit_transform(matrix)), ids


def _kmeans(points: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Cluster points `(n, d)`; fewer clusters where there are fewer distinct points."""
    count = min(count, len(np.unique(points.round(9), axis=0)))
    if count < 2:
        raise InputError(
            f"cluster_count: {len(points)} items (with features) or users can be told apart into "
            f"{count} cluster; two are needed. Other features, or cluster_by, may help."
        )
    found = KMeans(count, n_init=N_STARTS, random_state=derive_seed(seed, "clusters") % 2**32)
    return np.unique(found.fit_predict(points), return_inverse=True)[1]
