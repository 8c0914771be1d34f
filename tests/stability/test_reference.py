"""The held-out reference equals dense NumPy, block by block."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.stability.reference import (
    TEMPERATURES,
    ItemSample,
    described_temperature,
    sample_items,
)
from tests.stability.held_out import World, draw_world, generator

WORLDS = st.builds(
    draw_world, st.integers(0, 999), n_clicks=st.integers(0, 40), repeats=st.integers(0, 8)
)
BLOCK_SIZES = st.sampled_from([1, 2, 3, 64])


@settings(max_examples=20, deadline=None)
@given(WORLDS, BLOCK_SIZES, st.sampled_from(TEMPERATURES))
def test_blocks_equal_the_dense_computation(
    world: World, block_size: int, temperature: float
) -> None:
    reference = world.reference(block_size=block_size)
    reference.temperature = temperature
    met: list[int] = []
    users_met = np.zeros((3, world.tables.user.shape[1]), dtype=int)
    for block in reference.blocks():
        dense = world.log_preference(block.fold, temperature)
        assert len(block.preference) <= block_size
        own = dense[block.first : block.first + len(block.preference)]
        users_met[block.fold, block.first : block.first + len(own)] += 1
        np.testing.assert_allclose(block.preference, np.exp(own[:, 1:]), rtol=1e-4, atol=1e-7)
        assert torch.equal(world.users[block.rows], block.first + block.user)
        assert torch.equal(world.items[block.rows], block.item)
        assert (world.folds[block.rows] == block.fold).all()
        clicked = dense[world.users[block.rows], block.item]
        np.testing.assert_allclose(block.log_likelihood, clicked, atol=2e-5)
        met += block.rows.tolist()
    assert sorted(met) == world.held_out()
    assert (users_met == 1).all()


@settings(max_examples=15, deadline=None)
@given(WORLDS, BLOCK_SIZES)
def test_the_temperature_is_the_most_likely_of_the_grid(world: World, block_size: int) -> None:
    rows = list(zip(*world.rows(), strict=True))
    held_out = [rows[k] for k in world.held_out()]
    likelihoods = []
    for temperature in TEMPERATURES:
        dense = [world.log_preference(fold, temperature) for fold in range(3)]
        likelihoods.append(sum(float(dense[f][u, i]) for u, i, f in held_out))
    reference = world.reference(block_size=block_size)
    chosen = reference.calibrate()
    assert chosen == reference.temperature
    assert likelihoods[TEMPERATURES.index(chosen)] >= max(likelihoods) - 1e-4


@pytest.mark.parametrize("true", [0.3, 0.7, 1.2])
def test_the_temperature_of_the_clicks_is_recovered(true: float) -> None:
    world = draw_world(1, n_users=400, n_items=60, n_clicks=0, scale=1.5)
    preference = torch.from_numpy(np.exp(world.log_preference(0, true)))
    items = torch.multinomial(preference, 4, replacement=True, generator=generator())
    users = torch.arange(400).repeat_interleave(4)
    # all in fold 0: its model has seen none of them
    drawn = World(world.tables, world.features, users, items.flatten(), torch.zeros_like(users))
    assert drawn.reference().calibrate() == pytest.approx(true, abs=0.11)


def test_a_click_that_another_fold_has_too_is_left_out_of_all_folds() -> None:
    world = draw_world(0)
    user, item = int(world.users[0]), int(world.items[0])
    others = (world.users != user) | (world.items != item)
    users, items, folds = (part[others] for part in (world.users, world.items, world.folds))
    twice = World(
        world.tables,
        world.features,
        torch.cat([users, torch.full((4,), user)]),
        torch.cat([items, torch.full((4,), item)]),
        torch.cat([folds, torch.tensor([0, 0, 1, 1])]),
    )
    blocks = list(twice.reference(block_size=3).blocks())
    met = torch.cat([block.rows for block in blocks])
    assert sorted(met.tolist()) == list(range(len(users)))
    # the models of folds 0 and 1 have seen it in each other's fold, that of 2 in both
    for block in blocks:
        if block.first <= user < block.first + 3:
            assert block.preference[user - block.first, item - 1] == 0
    assert all(torch.isfinite(block.log_likelihood).all() for block in blocks)


def test_a_click_twice_in_one_fold_counts_twice() -> None:
    world = draw_world(0)
    row = torch.arange(len(world.users))
    row = torch.cat([row, row[:1]])
    twice = World(
        world.tables, world.features, world.users[row], world.items[row], world.folds[row]
    )
    met = torch.cat([block.rows for block in twice.reference().blocks()])
    assert sorted(met.tolist()) == list(range(len(row)))


def test_every_other_block_is_half_of_the_users() -> None:
    reference = draw_world(0).reference(block_size=2)
    met = [(block.fold, block.first) for block in reference.blocks(every=2)]
    assert met == [(fold, first) for fold in range(3) for first in (0, 4)]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(2, 9), st.integers(1, 700))
def test_every_takes_as_many_scores_as_asked_for(n_users: int, block_size: int, most: int) -> None:
    world = draw_world(0, n_users=n_users + 1, n_items=12, n_clicks=5)
    reference = world.reference(block_size=block_size)
    every = reference.every(most)
    met = sum(block.preference.numel() for block in reference.blocks(every) if block.fold == 0)
    # whole blocks: one more at most than what is asked for
    assert met < most + 11 * block_size
    assert every == 1 or met > most / 2 - 11 * block_size
    assert reference.every((n_users + 1) * 11) == 1


def test_every_block_has_the_sample_of_its_fold_and_first_user() -> None:
    world = draw_world(2)

    def drawn(fold: int, first: int) -> ItemSample:
        return sample_items(torch.ones(12), 6, generator(100 * fold + first))

    asked: list[tuple[int, int]] = []

    def sample(fold: int, first: int) -> ItemSample:
        asked.append((fold, first))
        return drawn(fold, first)

    reference = world.reference(sample, block_size=3)
    reference.calibrate()
    places = [(fold, first) for fold in range(3) for first in (0, 3, 6)]
    assert asked == places
    for block, place in zip(reference.blocks(), places, strict=True):
        own = drawn(*place)
        assert (block.fold, block.first) == place
        assert torch.equal(block.sample.items, own.items)
        # as if all blocks had this block's sample
        shared = world.reference(own, block_size=3)
        shared.temperature = reference.temperature
        alone = list(shared.blocks())[places.index(place)]
        assert torch.equal(block.preference, alone.preference)
        assert torch.equal(block.log_likelihood, alone.log_likelihood)


def test_who_has_seen_the_whole_sample_leaves_sums_finite() -> None:
    world = draw_world(6, n_users=3, n_items=20, n_clicks=30)
    fold = int(world.folds[0])
    kept = ItemSample(world.items[:1], torch.zeros(1))  # trained on by both other models
    reference = world.reference(kept)
    reference.calibrate()
    blocks = list(reference.blocks())
    assert all((block.preference - 1).abs().max() < 1e-6 for block in blocks)
    assert all(torch.isfinite(block.log_likelihood).all() for block in blocks)
    alone = world.scores((fold + 1) % 3)[int(world.users[0]), int(world.items[0])]
    assert alone == -np.inf


def test_a_temperature_at_an_end_of_those_tried_is_marked() -> None:
    texts = [described_temperature(temperature) for temperature in TEMPERATURES]
    assert texts[0] == "0.3 (the smallest tried)"
    assert texts[1:-1] == [str(temperature) for temperature in TEMPERATURES[1:-1]]
    assert texts[-1] == "1.2 (the largest tried)"
