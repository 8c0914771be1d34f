"""Interactions and options for property tests of protocols."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from recbole_invariant.data.splits import Interactions, Split

OPTIONS: dict[str, Any] = {
    "selection": "valid",
    "pool_ratio": [0.8, 0.1, 0.1],
    "popularity_gamma": [1.0],
    "popularity_n_max": 12,
    "temporal_share": 0.2,
    "temporal_gap": 0,
    "cluster_by": None,
    "cluster_count": 4,
    "cluster_held_out_share": 0.2,
    "cluster_kept_share": 0.2,
    "cold_kind": "items",
    "cold_share": 0.1,
    "column_field": "place",
    "column_held_out": None,
    "column_share": 0.2,
    "column_bins": 10,
    "random_ood_share": 0.2,
}
"""Every protocol's options, the clusters fewer than by default."""


@st.composite
def interactions(draw: st.DrawFn, max_users: int = 12, max_items: int = 15) -> Interactions:
    """Distinct user-item pairs in any order, ids from 1, popularity as skewed as it comes."""
    pairs = draw(
        st.sets(
            st.tuples(st.integers(1, max_users), st.integers(1, max_items)),
            min_size=1,
            max_size=max_users * max_items,
        )
    )
    shuffled = draw(st.permutations(sorted(pairs)))
    users, items = np.array(shuffled, dtype=np.int64).T
    return Interactions(users, items)


@st.composite
def full_interactions(draw: st.DrawFn, max_users: int = 12, max_items: int = 15) -> Interactions:
    """Interactions with clock times (ties as they come), benchmark files and two columns."""
    rows = draw(interactions(max_users, max_items))
    n = len(rows)

    def column(values: st.SearchStrategy[Any]) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=n, max_size=n)))

    return replace(
        rows,
        times=column(st.integers(10**9, 10**9 + draw(st.sampled_from([3, 100, 10**6])))),
        files=column(st.sampled_from(["train", "train", "test", "valid"])),
        columns={
            "place": column(st.sampled_from(["here", "there", "north", "south", ""])),
            "price": column(st.floats(-5, 5, width=32)),
        },
    )


def dressed(rows: Interactions, seed: int = 0) -> Interactions:
    """Add times, files and columns to interactions at random."""
    rng, n = np.random.default_rng(seed), len(rows)
    return replace(
        rows,
        times=rng.integers(10**9, 10**9 + 10**7, n),
        files=rng.choice(["train", "test", "valid"], n, p=[0.7, 0.2, 0.1]),
        columns={
            "place": rng.choice(["here", "there", "north", "south"], n, p=[0.5, 0.3, 0.15, 0.05]),
            "price": rng.normal(size=n),
        },
    )


def pool(split: Split) -> np.ndarray:
    """Rows of train, valid and iid."""
    return np.concatenate([split.parts[name] for name in ("train", "valid", "iid")])


def same(one: Split, other: Split) -> bool:
    """Whether two splits have the same parts and rows."""
    return one.parts.keys() == other.parts.keys() and all(
        np.array_equal(rows, other.parts[name]) for name, rows in one.parts.items()
    )


def long_tailed(n_users: int = 400, n_items: int = 200, seed: int = 0) -> Interactions:
    """Interactions whose items are Zipf-popular, about 60 a user at most."""
    rng = np.random.default_rng(seed)
    weight = 1.0 / np.arange(1, n_items + 1)
    weight /= weight.sum()
    pairs = [
        (user, item + 1)
        for user in range(1, n_users + 1)
        for item in rng.choice(
            n_items, size=rng.integers(3, min(60, n_items)), replace=False, p=weight
        )
    ]
    users, items = np.array(pairs, dtype=np.int64).T
    return Interactions(users, items)
