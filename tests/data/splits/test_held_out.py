import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.data.splits.held_out import (
    choose_groups,
    give_training_rows,
    keep_share_of_each,
    read_share,
)
from recbole_invariant.errors import InputError


@given(
    st.lists(st.integers(1, 50), min_size=2, max_size=8), st.floats(0.05, 0.6), st.integers(0, 99)
)
def test_chosen_groups_come_near_the_target_and_leave_one(
    sizes: list[int], share: float, seed: int
) -> None:
    target = share * sum(sizes)
    order = np.random.default_rng(seed).permutation(len(sizes))
    chosen = choose_groups(sizes, order, target)
    assert 1 <= len(chosen) < len(sizes)
    total = sum(sizes[group] for group in chosen)
    if min(sizes) >= 2 * target:
        assert total == min(sizes)
        return
    # a group too many is too many by half of itself at most
    assert abs(total - target) <= max(max(sizes) / 2, target - total)
    best = min(
        abs(sum(group) - target)
        for k in range(1, len(sizes))
        for group in itertools.combinations(sizes, k)
    )
    assert abs(total - target) >= best - 1e-9


def test_groups_of_equal_size_make_up_the_share() -> None:
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(10)
        chosen = choose_groups([30] * 10, order, 60)
        assert chosen == sorted(order[:2].tolist())


@given(st.lists(st.integers(0, 5), min_size=1), st.floats(0.01, 0.9), st.integers(0, 99))
def test_each_group_keeps_its_share_and_one_row_at_least(
    groups: list[int], share: float, seed: int
) -> None:
    owner, rng = np.array(groups), np.random.default_rng(seed)
    taken = rng.random(len(owner)) < 0.7
    kept = keep_share_of_each(taken, owner, share, rng)
    assert taken[kept].all()
    assert len(np.unique(kept)) == len(kept)
    for group in set(owner[taken].tolist()):
        n = int((taken & (owner == group)).sum())
        got = int((owner[kept] == group).sum())
        assert got >= 1
        assert got == 1 or abs(got - share * n) < 1


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1), st.integers(0, 99))
def test_needy_groups_get_a_training_row_and_nothing_is_lost(
    rows: list[tuple[int, int]], seed: int
) -> None:
    groups, part = np.array(rows).T
    parts = {name: np.flatnonzero(part == k) for k, name in enumerate(("train", "valid", "iid"))}
    needy = np.array([0, 1, 2])
    after = give_training_rows(parts, groups, needy, np.random.default_rng(seed))
    assert sorted(np.concatenate(list(after.values())).tolist()) == list(range(len(groups)))
    for group in set(groups.tolist()):
        before = int((groups[parts["train"]] == group).sum())
        wanted = 1 if group in needy and not before else before
        assert (groups[after["train"]] == group).sum() == wanted


@pytest.mark.parametrize("wrong", [0, 1, -0.1, True, None, "half"])
def test_a_share_is_a_number_between_0_and_1(wrong: object) -> None:
    with pytest.raises(InputError, match="some_share"):
        read_share({"some_share": wrong}, "some_share")
