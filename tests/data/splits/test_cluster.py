from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.data.splits import Interactions, make_split
from recbole_invariant.data.splits.cluster import split
from recbole_invariant.errors import InputError
from tests.data.splits.strategies import OPTIONS, interactions, long_tailed, pool, same


def options(**changes: Any) -> dict[str, Any]:
    return {**OPTIONS, **{f"cluster_{key}": value for key, value in changes.items()}}


def blobs(n_items: int, n_kinds: int) -> torch.Tensor:
    """Features of items of kinds far apart: item i is of kind i mod n_kinds."""
    noise = torch.randn(n_items, n_kinds, generator=torch.Generator().manual_seed(0))
    features = torch.eye(n_kinds)[torch.arange(n_items) % n_kinds] * 50 + noise
    features[0] = 0
    return features


@settings(max_examples=25)  # k-means takes milliseconds
@given(
    interactions(),
    st.sampled_from(["items", "users"]),
    st.sampled_from([0, 0.05, 0.3]),
    st.integers(0, 99),
)
def test_held_out_members_keep_what_they_should(
    data: Interactions, by: str, kept: float, seed: int
) -> None:
    features = blobs(16, 4)
    asked = options(by=by, kept_share=kept)
    histories = {frozenset(data.items[data.users == user].tolist()) for user in data.users}
    if len(histories if by == "users" else set(data.items.tolist())) < 2:
        with pytest.raises(InputError, match="told apart"):
            split(data, asked, seed, features)
        return
    first = split(data, asked, seed, features)
    first.check(len(data))
    assert same(first, split(data, asked, seed, features))
    notes, shifted = first.notes, first.parts["ood_cluster"]
    assert notes["held_out_rows"] == len(shifted) + notes["kept_rows"]
    assert sum(notes["clusters"]) == len(data)
    members = data.items if by == "items" else data.users
    held_out = set(members[shifted].tolist())
    if kept == 0:
        assert not held_out & set(members[pool(first)].tolist())
        assert first.cold_parts == {"ood_cluster"}
    else:
        assert held_out <= set(members[first.parts["train"]].tolist())
        assert set(data.users) == set(data.users[first.parts["train"]])
        assert not first.cold_parts


def test_whole_kinds_of_items_are_held_out() -> None:
    data, features = long_tailed(300, 40), blobs(41, 10)
    split_ = make_split("cluster", data, options(count=10), 3, features)
    kinds = data.items % 10
    held_out = np.unique(kinds[split_.parts["ood_cluster"]])
    rows = np.isin(kinds, held_out)
    assert 1 <= len(held_out) < 10
    assert rows.mean() == pytest.approx(0.2, abs=0.1)
    # every row of another kind is on the training side, a fifth of the held-out kinds' rows as well
    assert not np.isin(kinds[pool(split_)], held_out).all()
    assert np.isin(np.flatnonzero(rows), pool(split_)).mean() == pytest.approx(0.2, abs=0.05)
    assert split_.notes["held_out_rows"] == rows.sum()


def test_users_of_one_taste_are_one_cluster() -> None:
    rng = np.random.default_rng(0)
    rows = [
        (user, item + 20 * (user % 3))
        for user in range(1, 61)
        for item in rng.choice(np.arange(1, 21), 12, replace=False)
    ]
    users, items = np.array(rows, dtype=np.int64).T
    found = make_split("cluster", Interactions(users, items), options(count=3), 0)
    assert found.notes["by"] == "users"
    assert found.notes["clusters"] == [240, 240, 240]
    assert len(np.unique(users[found.parts["ood_cluster"]] % 3)) == 1
    assert found.notes["held_out_members"] == 20


def test_items_without_features_stay_in_the_pool() -> None:
    data, features = long_tailed(50, 30), blobs(31, 4)
    features[5:15] = 0
    found = split(data, options(), 0, features)
    without = np.isin(data.items, np.arange(5, 15))
    assert found.notes["rows_in_no_cluster"] == without.sum()
    assert np.isin(np.flatnonzero(without), pool(found)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"by": "items"}, "needs item features"),
        ({"by": "genre"}, "cluster_by"),
        ({"count": 1}, "cluster_count"),
        ({"kept_share": 1}, "cluster_kept_share"),
        ({"held_out_share": 0}, "cluster_held_out_share"),
    ],
)
def test_wrong_options_are_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        split(long_tailed(10), options(**wrong), 0)
