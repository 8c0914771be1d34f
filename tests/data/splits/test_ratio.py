from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.data.splits.ratio import (
    position_in_group,
    round_at_random,
    split_users_by_ratio,
)

users_of_rows = st.lists(st.integers(0, 9), max_size=80).map(lambda u: np.array(u, dtype=np.int64))


@given(users_of_rows)
def test_positions_count_up_within_each_group(groups: np.ndarray) -> None:
    seen: Counter[int] = Counter()
    expected = []
    for group in groups.tolist():
        expected.append(seen[group])
        seen[group] += 1
    assert position_in_group(groups).tolist() == expected


@given(users_of_rows, st.integers(0, 2**31), st.lists(st.floats(0.1, 10), min_size=3, max_size=3))
def test_parts_are_disjoint_whole_and_leave_each_user_a_training_row(
    users: np.ndarray, seed: int, ratio: list[float]
) -> None:
    rows = np.flatnonzero(np.arange(len(users)) % 3 != 1)
    parts = split_users_by_ratio(users, rows, ratio, np.random.default_rng(seed))
    again = split_users_by_ratio(users, rows, ratio, np.random.default_rng(seed))
    assert sorted(np.concatenate(parts).tolist()) == rows.tolist()
    assert set(users[parts[0]]) == set(users[rows])
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
    for user in set(users[rows].tolist()):
        n = int((users[rows] == user).sum())
        for k in (1, 2):
            share = ratio[k] / sum(ratio) * n
            got = int((users[parts[k]] == user).sum())
            assert got < share + 1
            training = int((users[parts[0]] == user).sum())
            assert got > share - 1 or training == 1  # less only where training needs the row


def test_users_with_few_rows_give_the_asked_share_on_average() -> None:
    users = np.repeat(np.arange(3000), 4)
    rng = np.random.default_rng(3)
    train, valid, test = split_users_by_ratio(users, np.arange(len(users)), [8, 1, 1], rng)
    # 0.4 rows a user are wanted of each held-out part: binomial with 3,000 trials, 5 deviations
    slack = 5 * np.sqrt(3000 * 0.4 * 0.6)
    assert abs(len(valid) - 1200) < slack
    assert abs(len(test) - 1200) < slack
    assert len(train) + len(valid) + len(test) == 12000


@given(st.lists(st.floats(0, 5), min_size=1, max_size=6), st.integers(0, 2**31))
def test_rounding_is_within_one_and_never_falls(steps: list[float], seed: int) -> None:
    cumulative = np.cumsum(steps)[:, None]
    rounded = round_at_random(cumulative, np.random.default_rng(seed))
    assert (np.abs(rounded - cumulative) < 1 + 1e-6).all()
    assert (np.diff(rounded[:, 0]) >= 0).all()


def test_rounding_keeps_whole_numbers_and_the_mean() -> None:
    rng = np.random.default_rng(0)
    whole = round_at_random(np.full((1, 1000), 0.1 + 0.2 + 0.7), rng)
    assert (whole == 1).all()
    drawn = round_at_random(np.full((1, 40000), 2.3), rng)
    assert abs(drawn.mean() - 2.3) < 5 * np.sqrt(0.3 * 0.7 / 40000)
