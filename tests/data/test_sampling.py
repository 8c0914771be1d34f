"""Batches hold every row, negatives have the right shape and range."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.data.sampling import (
    EnvironmentBatches,
    ShuffledBatches,
    StackedBatches,
    UniformNegatives,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(st.integers(1, 50), st.integers(1, 20))
def test_an_epoch_holds_every_row_once(n_rows: int, batch_size: int) -> None:
    batches = ShuffledBatches(n_rows, batch_size, generator())
    parts = list(batches)
    assert len(parts) == len(batches)
    assert sorted(torch.cat(parts).tolist()) == list(range(n_rows))
    assert all(len(part) == batch_size for part in parts[:-1])


def test_epochs_differ_and_seeds_repeat() -> None:
    batches = ShuffledBatches(100, 100, generator())
    first, second = next(iter(batches)), next(iter(batches))
    assert first.tolist() != second.tolist()
    assert next(iter(ShuffledBatches(100, 100, generator()))).tolist() == first.tolist()


def test_uniform_negatives_cover_the_catalogue_evenly_and_never_the_padding() -> None:
    sampler = UniformNegatives(5, 4000, generator())
    drawn = sampler.draw(torch.tensor([1, 2]))
    assert drawn.shape == (2, 4000)
    counts = torch.bincount(drawn.flatten(), minlength=5)
    assert counts[0] == 0
    # 8000 draws over 4 items: 2000 each with standard deviation 39.
    assert (counts[1:] - 2000).abs().max() < 5 * 39


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(1, 8))
def test_every_step_has_a_full_batch_of_every_environment(
    labels: list[int], batch_size: int
) -> None:
    environment = torch.tensor(labels)
    batches = EnvironmentBatches(environment, 4, batch_size, generator())
    present = environment.unique().tolist()
    steps = list(batches)
    assert len(steps) == len(batches)
    for step in steps:
        assert step.shape == (len(present), batch_size)
    rows = torch.cat(steps, dim=1)
    for row, e in zip(rows, present, strict=True):
        own = torch.nonzero(environment == e).flatten()
        counts = torch.bincount(row, minlength=len(labels))
        assert counts[environment != e].sum() == 0
        # Whole passes: no row is seen twice before every other was seen once.
        assert counts[own].max() - counts[own].min() <= 1
        assert counts[own].min() >= 1


ROW_SETS = st.lists(st.lists(st.integers(0, 99), max_size=20, unique=True), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(ROW_SETS.filter(any), st.integers(1, 8))
def test_stacked_batches_pass_over_every_set_until_the_largest_is_done(
    sets: list[list[int]], batch_size: int
) -> None:
    batches = StackedBatches([torch.tensor(rows) for rows in sets], batch_size, generator())
    present = [rows for rows in sets if rows]
    for _ in range(2):
        steps = list(batches)
        assert len(steps) == len(batches) == -(-max(map(len, sets)) // batch_size)
        assert all(step.shape == (len(present), batch_size) for step in steps)
        for row, own in zip(torch.cat(steps, dim=1).tolist(), present, strict=True):
            for first in range(0, len(row), len(own)):
                passed = row[first : first + len(own)]
                assert len(set(passed)) == len(passed)
                assert set(passed) <= set(own)
            assert set(row) == set(own)


def test_stacked_batches_repeat_with_their_seed_and_shuffle_every_pass() -> None:
    sets = [torch.arange(30), torch.arange(100, 110)]
    one, again = (torch.cat(list(StackedBatches(sets, 10, generator(4))), 1) for _ in range(2))
    assert torch.equal(one, again)
    passes = one[1].view(3, 10)
    assert passes.sort(dim=1).values.unique(dim=0).shape == (1, 10)
    assert passes.unique(dim=0).shape == (3, 10)
