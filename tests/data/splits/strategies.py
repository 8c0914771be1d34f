"""Interactions for property tests."""

import numpy as np
from hypothesis import strategies as st

from recbole_invariant.data.splits import Interactions


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


def long_tailed(n_users: int = 400, n_items: int = 200, seed: int = 0) -> Interactions:
    """Interactions whose items are Zipf-popular, about 60 a user at most."""
    rng = np.random.default_rng(seed)
    weight = 1.0 / np.arange(1, n_items + 1)
    weight /= weight.sum()
    pairs = [
        (user, item + 1)
        for user in range(1, n_users + 1)
        for item in rng.choice(n_items, size=rng.integers(3, 60), replace=False, p=weight)
    ]
    users, items = np.array(pairs, dtype=np.int64).T
    return Interactions(users, items)
