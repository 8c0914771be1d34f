import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.data.splits import Interactions
from recbole_invariant.data.splits.random import split
from recbole_invariant.errors import InputError
from tests.data.splits.strategies import interactions, long_tailed


def options(share: float) -> dict[str, object]:
    return {"random_ood_share": share, "pool_ratio": [0.8, 0.1, 0.1]}


@given(interactions(), st.floats(0.01, 0.99), st.integers(0, 1000))
def test_the_split_is_whole_repeatable_and_of_the_asked_size(
    data: Interactions, share: float, seed: int
) -> None:
    first = split(data, options(share), seed)
    first.check(len(data))
    second = split(data, options(share), seed)
    assert all(np.array_equal(rows, second.parts[name]) for name, rows in first.parts.items())
    assert set(data.users[first.parts["train"]]) == set(data.users)
    asked = round(share * len(data))
    given_back = first.notes["given_back_to_users"]
    assert len(first.parts["ood_random"]) + given_back == asked


def test_popularity_of_the_test_is_that_of_training() -> None:
    data = long_tailed(2000)
    parts = split(data, options(0.2), 0).parts
    counts = {name: np.bincount(data.items[rows], minlength=201) for name, rows in parts.items()}
    ratio = counts["ood_random"][1:20] / counts["train"][1:20]
    # the 20 most popular items: thousands of rows each, so all ratios are near one value
    assert ratio.max() / ratio.min() < 1.35


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_a_share_outside_the_unit_interval_is_named(share: float) -> None:
    with pytest.raises(InputError, match="random_ood_share"):
        split(long_tailed(10), options(share), 0)
