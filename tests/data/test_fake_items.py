"""Fake items: how many, which ids, what is left alone."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from recbole_invariant.data.fake_items import replace_items

seeds = st.integers(0, 10_000)


def stream(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def histories_of(rows: int, length: int, n_items: int, seed: int) -> Tensor:
    """Draw right-padded histories of one to `length` items."""
    generator = stream(seed)
    items = torch.randint(1, n_items, (rows, length), generator=generator)
    lengths = torch.randint(1, length + 1, (rows, 1), generator=generator)
    return torch.where(torch.arange(length) < lengths, items, 0)


@settings(deadline=None)
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 8), st.integers(2, 9)),
    st.floats(0, 0.999),
    st.integers(1, 5),
    seeds,
)
def test_positions_are_the_item_they_were_or_a_fake_and_padding_stays(
    size: tuple[int, int, int], ratio: float, n_fake: int, seed: int
) -> None:
    histories = histories_of(*size, seed)
    given_histories = histories.clone()
    n_items = size[2]
    replaced = replace_items(histories, n_items, ratio, n_fake, stream(seed))
    assert torch.equal(histories, given_histories)
    assert replaced.dtype == torch.int64
    changed = replaced != histories
    fakes = replaced[changed]
    assert bool(((fakes >= n_items) & (fakes < n_items + n_fake)).all())
    assert not bool((changed & (histories == 0)).any())


@settings(deadline=None)
@given(seeds)
def test_nothing_is_replaced_at_a_ratio_of_nothing(seed: int) -> None:
    histories = histories_of(5, 6, 9, seed)
    assert torch.equal(replace_items(histories, 9, 0.0, 3, stream(seed)), histories)


def test_the_share_is_the_ratio_and_all_fakes_are_used_alike() -> None:
    histories = histories_of(2_000, 20, 50, 0)
    n_real = int((histories != 0).sum())
    for ratio in (0.05, 0.2, 0.6):
        replaced = replace_items(histories, 50, ratio, 10, stream(1))
        fakes = replaced[replaced >= 50]
        assert stats.binomtest(len(fakes), n_real, ratio).pvalue > 1e-3
        assert stats.chisquare(torch.bincount(fakes - 50, minlength=10).numpy()).pvalue > 1e-3


def test_every_position_has_the_same_chance() -> None:
    replaced = replace_items(torch.ones(4_000, 6, dtype=torch.int64), 2, 0.3, 4, stream(2))
    counts = (replaced >= 2).sum(dim=0).numpy()
    assert stats.chisquare(counts).pvalue > 1e-3


def test_the_seed_repeats_it_and_the_global_state_is_left_alone() -> None:
    histories = histories_of(50, 10, 20, 3)
    before = torch.get_rng_state()
    first = replace_items(histories, 20, 0.3, 7, stream(4))
    assert torch.equal(first, replace_items(histories, 20, 0.3, 7, stream(4)))
    assert not torch.equal(first, replace_items(histories, 20, 0.3, 7, stream(5)))
    assert torch.equal(torch.get_rng_state(), before)
