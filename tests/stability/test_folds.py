"""Folds are even within every user, repeat with their seed, and stay out of their own batches."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.errors import InputError
from recbole_invariant.stability.folds import held_in_batches, user_folds
from tests.stability.held_out import generator

USERS = st.lists(st.integers(0, 6), max_size=50)


@settings(max_examples=60, deadline=None)
@given(USERS, st.integers(2, 6), st.integers(0, 99))
def test_the_folds_of_a_user_differ_by_one_row_at_most(
    users: list[int], n_folds: int, seed: int
) -> None:
    folds = user_folds(torch.tensor(users, dtype=torch.int64), n_folds, generator(seed)).tolist()
    assert len(folds) == len(users)
    counts = Counter(zip(users, folds, strict=True))
    assert {fold for _, fold in counts} <= set(range(n_folds))
    for user in set(users):
        own = [counts[user, fold] for fold in range(n_folds)]
        assert max(own) - min(own) <= 1


def test_a_seed_repeats_its_folds_and_another_deals_anew() -> None:
    users = torch.arange(200) % 9
    one, again, other = (user_folds(users, 4, generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_users_of_one_row_are_spread_over_all_folds() -> None:
    folds = user_folds(torch.arange(4000), 4, generator())
    # 1000 each with deviation sqrt(4000 * 3 / 16) = 27
    assert (torch.bincount(folds, minlength=4) - 1000).abs().max() < 5 * 27


def test_which_of_a_users_rows_are_held_out_is_drawn() -> None:
    users = torch.zeros(40, dtype=torch.int64)
    chosen = {tuple((user_folds(users, 4, generator(s)) == 0).tolist()) for s in range(10)}
    assert len(chosen) == 10


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=30), st.integers(1, 7))
def test_a_models_batches_have_all_rows_but_those_of_its_fold(
    dealt: list[int], batch_size: int
) -> None:
    folds = torch.tensor([0, 1, 2, *dealt])
    steps = list(held_in_batches(folds, 3, batch_size, generator()))
    for k, rows in enumerate(torch.cat(steps, dim=1).tolist()):
        assert set(rows) == {row for row, fold in enumerate(folds.tolist()) if fold != k}
    assert all(step.shape == (3, batch_size) for step in steps)


def test_a_fold_without_interactions_is_held_out_of_nothing() -> None:
    folds = torch.tensor([0, 2, 2, 0, 0])
    steps = torch.cat(list(held_in_batches(folds, 3, 2, generator())), dim=1)
    assert [set(rows) for rows in steps.tolist()] == [{1, 2}, {0, 1, 2, 3, 4}, {0, 3, 4}]


@pytest.mark.parametrize("dealt", [[], [1], [1, 1, 1]])
def test_a_fold_that_leaves_its_model_nothing_is_refused(dealt: list[int]) -> None:
    folds = torch.tensor(dealt, dtype=torch.int64)
    with pytest.raises(InputError, match=f"all {len(dealt)} training interactions"):
        held_in_batches(folds, 2, 4, generator())
