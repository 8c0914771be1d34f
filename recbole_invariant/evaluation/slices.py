"""A test's metrics on parts of its items, users and environments, always with their n.

Slices are cut by training rows alone, so that a slice holds the same items or users in every
test of a run:

* items: sorted by training rows, `head` holds the first third of all training rows, `mid` the
  second and `tail` the rest. Equal counts are never parted: an item is where the rows of all
  more frequent items end.
* warmth: an item with fewer than 5 training rows is `cold`, any other `warm`.
* users: with more training rows than the median of all users that have any, `active`; else
  `inactive`.
* environment: the label of the test row, where the test's rows have one.

A slice of items or of an environment counts those positives only; the rankings stay as they are,
and a user without such a positive is left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recbole_invariant.evaluation.ranked import Ranked
from recbole_invariant.evaluation.topk_metrics import is_topk_metric, mean_values

COLD_BELOW = 5
"""Training rows from which on an item is warm."""
MIN_USERS = 30
"""A slice of fewer users is shown but never named the worst: its mean is mostly chance."""
Slice = dict[str, Any]


def slice_metrics(
    ranked: Ranked,
    item_counts: np.ndarray,
    user_counts: np.ndarray,
    metrics: Sequence[str],
    topk: Sequence[int],
    environments: np.ndarray | None = None,
    worst_by: str | None = None,
    min_users: int = MIN_USERS,
) -> dict[str, Any]:
    """Compute RecBole's top-k metrics on every slice.

    Args:
        ranked: the test's rankings.
        item_counts: training rows of each item `(n_items,)`.
        user_counts: training rows of each user `(n_users,)`.
        metrics: RecBole's names.
        topk: lengths of the lists.
        environments: label of each positive `(p,)`, or None.
        worst_by: metric that finds the worst slice, e.g. `recall@20`; None is the first metric
            at the shortest length.
        min_users: least number of users of a slice that may be the worst.

    Returns:
        `items`, `warmth`, `users` and, with labels, `environment` -> slice -> `n_users`,
        `n_positives` and `metrics`; empty slices are left out. `worst` and, with labels,
        `worst_environment`: group, slice, metric, value, n_users and min_users; left out where
        no slice has enough users.
    """
    groups = _memberships(ranked, item_counts, user_counts, environments)
    found = {
        group: {
            name: _measure(ranked, labels == name, metrics, topk)
            for name in _present(labels, order)
        }
        for group, (labels, order) in groups.items()
    }
    named = [name for name in metrics if is_topk_metric(name)]
    if worst_by is None and named:
        worst_by = f"{named[0]}@{min(topk)}"
    result: dict[str, Any] = dict(found)
    if worst_by is not None:
        worst = _worst(found, worst_by.lower(), min_users)
        alone = {"environment": found.get("environment", {})}
        worst_environment = _worst(alone, worst_by.lower(), min_users)
        result |= {"worst": worst} if worst else {}
        result |= {"worst_environment": worst_environment} if worst_environment else {}
    return result


def item_thirds(counts: np.ndarray) -> np.ndarray:
    """Name each item's third of the training rows: `head`, `mid` or `tail`, `(n_items,)`."""
    values, place, n_items = np.unique(-counts, return_inverse=True, return_counts=True)
    rows = -values * n_items
    before = np.cumsum(rows) - rows  # rows of all items with more
    third = np.minimum(3 * before // max(int(counts.sum()), 1), 2)[place]
    third[counts == 0] = 2
    return np.array(["head", "mid", "tail"])[third]


def user_activity(counts: np.ndarray) -> np.ndarray:
    """Name each user `active` or `inactive`, `(n_users,)`."""
    trained = counts[counts > 0]
    median = np.median(trained) if trained.size else 0.0
    return np.where(counts > median, "active", "inactive")


def _memberships(
    ranked: Ranked,
    item_counts: np.ndarray,
    user_counts: np.ndarray,
    environments: np.ndarray | None,
) -> dict[str, tuple[np.ndarray, list[str]]]:
    """Name the slice of every positive in each group, and the order of the slices."""
    items, users = ranked.positive_items, ranked.users[ranked.positive_rows]
    warmth = np.where(item_counts < COLD_BELOW, "cold", "warm")
    groups = {
        "items": (item_thirds(item_counts)[items], ["head", "mid", "tail"]),
        "warmth": (warmth[items], ["warm", "cold"]),
        "users": (user_activity(user_counts)[users], ["active", "inactive"]),
    }
    if environments is not None:
        order = [str(label) for label in np.unique(environments)]
        groups["environment"] = (np.asarray(environments).astype(str), order)
    return groups


def _present(labels: np.ndarray, order: list[str]) -> list[str]:
    """Return the slices that hold a positive, in their order."""
    there = set(labels.tolist())
    return [name for name in order if name in there]


def _measure(
    ranked: Ranked, kept: np.ndarray, metrics: Sequence[str], topk: Sequence[int]
) -> Slice:
    """Measure the rankings on some of the positives."""
    hits, n_positives = ranked.restricted(kept)
    return {
        "n_users": len(hits),
        "n_positives": int(n_positives.sum()),
        "metrics": mean_values(metrics, topk, hits, n_positives),
    }


def _worst(
    found: Mapping[str, Mapping[str, Slice]], metric: str, min_users: int
) -> dict[str, Any] | None:
    """Find the slice of enough users with the lowest value; None where there is none."""
    values = [
        (content["metrics"][metric], group, name, content["n_users"])
        for group, slices in found.items()
        for name, content in slices.items()
        if content["n_users"] >= min_users and metric in content["metrics"]
    ]
    if not values:
        return None
    value, group, name, n_users = min(values, key=lambda one: one[0])
    return {
        "group": group,
        "slice": name,
        "metric": metric,
        "value": value,
        "n_users": n_users,
        "min_users": min_users,
    }
