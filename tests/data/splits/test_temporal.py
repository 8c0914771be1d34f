from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recbole_invariant.data.splits import Interactions, make_split
from recbole_invariant.data.splits.temporal import (
    are_positions,
    boundary_time,
    split,
    time_in_words,
)
from recbole_invariant.errors import InputError
from tests.data.splits.strategies import (
    OPTIONS,
    dressed,
    full_interactions,
    long_tailed,
    pool,
    same,
)


def options(share: float = 0.2, gap: float = 0) -> dict[str, Any]:
    return {**OPTIONS, "temporal_share": share, "temporal_gap": gap}


def times_of(data: Interactions) -> np.ndarray:
    assert data.times is not None
    return data.times


@given(
    full_interactions(),
    st.floats(0.01, 0.9),
    st.sampled_from([0, 0.5, 7, 5000]),
    st.integers(0, 99),
)
def test_nothing_of_the_training_side_is_at_or_after_the_boundary(
    data: Interactions, share: float, gap: float, seed: int
) -> None:
    times = times_of(data)
    try:
        first = split(data, options(share, gap), seed)
    except InputError:
        # an oracle of its own: then no row is early enough
        assert not (times < sorted(times)[-max(round(share * len(times)), 1)] - gap).any()
        return
    first.check(len(data))
    boundary = first.notes["boundary"]
    shifted = first.parts["ood_temporal"]
    assert (times[pool(first)] < boundary - gap).all()
    assert (times[shifted] >= boundary).all()
    between = times[first.parts["dropped"]]
    assert ((between >= boundary - gap) & (between < boundary)).all()
    assert first.notes["gap_rows"] == len(between)
    ties = int((times == boundary).sum())
    assert first.notes["rows_at_boundary"] == ties
    asked = max(round(share * len(data)), 1)
    assert asked <= len(shifted) < asked + ties
    assert same(first, split(data, options(share, gap), seed))
    assert set(data.users[first.parts["train"]]) == set(data.users[pool(first)])


@given(st.lists(st.integers(-5, 5), min_size=1), st.floats(0.01, 0.99))
def test_the_boundary_is_the_smallest_of_the_latest(times: list[int], share: float) -> None:
    found = boundary_time(np.array(times), share)
    latest = sorted(times, reverse=True)[: max(round(share * len(times)), 1)]
    assert found == latest[-1]


def test_seconds_beyond_float32_are_told_apart() -> None:
    base = 1_700_000_000
    data = Interactions(np.ones(10, np.int64), np.arange(1, 11), base + np.arange(10))
    parts = split(data, options(0.3), 0).parts
    assert parts["ood_temporal"].tolist() == [7, 8, 9]


def test_the_seed_moves_the_pool_and_not_the_boundary() -> None:
    data = dressed(long_tailed(60))
    one, other = (make_split("temporal", data, options(), seed) for seed in (0, 1))
    assert one.notes["boundary"] == other.notes["boundary"]
    assert not np.array_equal(one.parts["train"], other.parts["train"])


@given(full_interactions(), st.integers(0, 1), st.integers(0, 5))
def test_positions_within_users_are_found_and_clock_times_are_not(
    data: Interactions, start: int, holes: int
) -> None:
    order = np.argsort(times_of(data), kind="stable")
    position: dict[int, int] = {}
    times = np.zeros(len(data), np.int64)
    for row in order.tolist():
        user = int(data.users[row])
        times[row] = position[user] = position.get(user, start - 1) + 1
    several = np.bincount(data.users) >= 2
    assume(several.any())
    assert are_positions(data.users, times)
    assert not are_positions(data.users, times_of(data))
    with pytest.raises(InputError, match="positions 1, 2, 3"):
        split(replace(data, times=times), options(), 0)
    users = np.flatnonzero(several)[:holes]  # a filter took the first rows of some
    shifted = times + 2 * np.isin(data.users, users)
    assert are_positions(data.users, shifted) == (2 * len(users) < several.sum())


def test_data_without_times_or_with_missing_ones_is_refused() -> None:
    data = long_tailed(10)
    with pytest.raises(InputError, match=r"no times.*TIME_FIELD.*load_col"):
        split(data, options(), 0)
    times = np.full(len(data), 1e9)
    times[3] = np.nan
    with pytest.raises(InputError, match="1 interactions have no time"):
        split(replace(data, times=times), options(), 0)
    with pytest.raises(InputError, match="no row before the boundary"):
        split(replace(data, times=np.full(len(data), 10**9)), options(), 0)


@pytest.mark.parametrize(
    ("wrong", "key"),
    [({"share": 0}, "temporal_share"), ({"share": 1}, "temporal_share"), ({"gap": -1}, "gap")],
)
def test_wrong_options_are_named(wrong: dict[str, float], key: str) -> None:
    with pytest.raises(InputError, match=key):
        split(dressed(long_tailed(10)), options(**wrong), 0)


def test_times_are_dates_where_they_look_like_unix_time() -> None:
    assert time_in_words(893286638) == "1998-04-22 23:10:38 UTC"
    assert time_in_words(893286638000) == "1998-04-22 23:10:38 UTC"
    assert time_in_words(2014) == "2014"
