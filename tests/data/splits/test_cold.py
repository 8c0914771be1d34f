from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.data.splits import Interactions, make_split
from recbole_invariant.data.splits.cold import split
from recbole_invariant.errors import InputError
from tests.data.splits.strategies import OPTIONS, interactions, long_tailed, pool, same


def options(kind: str = "items", share: float = 0.1) -> dict[str, Any]:
    return {**OPTIONS, "cold_kind": kind, "cold_share": share}


@given(
    interactions(), st.sampled_from(["items", "users"]), st.floats(0.01, 0.99), st.integers(0, 99)
)
def test_cold_ids_are_in_the_test_alone(
    data: Interactions, kind: str, share: float, seed: int
) -> None:
    ids = data.items if kind == "items" else data.users
    present = len(set(ids.tolist()))
    if present < 2:
        with pytest.raises(InputError, match="two are needed"):
            split(data, options(kind, share), seed)
        return
    found = split(data, options(kind, share), seed)
    found.check(len(data))
    assert same(found, split(data, options(kind, share), seed))
    cold = set(ids[found.parts["ood_cold"]].tolist())
    assert not cold & set(ids[pool(found)].tolist())
    assert (
        len(cold) == found.notes[f"cold_{kind}"] == min(max(round(share * present), 1), present - 1)
    )
    assert found.notes["cold_rows"] == len(found.parts["ood_cold"])


@pytest.mark.parametrize("kind", ["items", "users"])
def test_a_cold_row_stays_where_its_other_side_is_known(kind: str) -> None:
    rng = np.random.default_rng(0)
    data = Interactions(rng.integers(1, 60, 150), rng.integers(1, 60, 150))  # many single rows
    before, after = (
        split(data, options(kind, 0.4), 1),
        make_split("cold", data, options(kind, 0.4), 1),
    )
    train = after.parts["train"]
    other = data.users if kind == "items" else data.items
    rows = before.parts["ood_cold"]
    expected = rows[np.isin(other[rows], other[train])]
    assert 0 < len(expected) < len(rows)
    assert np.array_equal(after.parts["ood_cold"], expected)
    assert after.notes["dropped"]["ood_cold"] == len(rows) - len(expected)


def test_every_seed_draws_other_items_and_none_is_preferred() -> None:
    data = long_tailed(100, 50)
    drawn = np.zeros(51)
    for seed in range(200):
        drawn[np.unique(data.items[split(data, options(share=0.2), seed).parts["ood_cold"]])] += 1
    # binomial, 200 draws at 0.2: mean 40, standard deviation 5.7
    assert drawn[1:].min() > 15
    assert drawn[1:].max() < 65
    assert drawn.sum() == 200 * 10


@pytest.mark.parametrize(
    ("wrong", "key"), [({"kind": "genres"}, "cold_kind"), ({"share": 1.0}, "cold_share")]
)
def test_wrong_options_are_named(wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError, match=key):
        split(long_tailed(10), options(**wrong), 0)
