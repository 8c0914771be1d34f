"""The held-out reference equals dense NumPy; sampled items estimate it."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from recbole_invariant.stability import reference as module
from recbole_invariant.stability.reference import TEMPERATURES, ItemSample, sample_items
from tests.stability.held_out import World, all_items, draw_world, generator

WORLDS = st.builds(draw_world, st.integers(0, 999), n_clicks=st.integers(0, 40))


@settings(max_examples=20, deadline=None)
@given(WORLDS, st.sampled_from([1, 24, 40, 1 << 21]), st.sampled_from(TEMPERATURES))
def test_blocks_equal_the_dense_computation(world: World, cells: int, temperature: float) -> None:
    with patch.object(module, "CELLS_AT_A_TIME", cells):
        reference = world.reference(all_items(len(world.features)))
    reference.temperature = temperature
    met: list[int] = []
    users_met = np.zeros((3, world.tables.user.shape[1]), dtype=int)
    for block in reference.blocks():
        dense = world.log_preference(block.fold, temperature)
        own = dense[block.first : block.first + len(block.log_preference)]
        users_met[block.fold, block.first : block.first + len(own)] += 1
        np.testing.assert_allclose(block.log_preference, own[:, 1:], atol=2e-5)
        assert torch.equal(world.users[block.rows], block.first + block.user)
        assert torch.equal(world.items[block.rows], block.item)
        assert (world.folds[block.rows] == block.fold).all()
        clicked = dense[world.users[block.rows], block.item]
        np.testing.assert_allclose(block.log_likelihood, clicked, atol=2e-5)
        met += block.rows.tolist()
    assert sorted(met) == list(range(len(world.users)))
    assert (users_met == 1).all()


@settings(max_examples=15, deadline=None)
@given(WORLDS, st.sampled_from([1, 24, 1 << 21]))
def test_the_temperature_is_the_most_likely_of_the_grid(world: World, cells: int) -> None:
    likelihoods = []
    for temperature in TEMPERATURES:
        dense = [world.log_preference(fold, temperature) for fold in range(3)]
        rows = zip(*world.rows(), strict=True)
        likelihoods.append(sum(float(dense[f][u, i]) for u, i, f in rows))
    with patch.object(module, "CELLS_AT_A_TIME", cells):
        reference = world.reference(all_items(len(world.features)))
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
    assert drawn.reference(all_items(60)).calibrate() == pytest.approx(true, abs=0.11)


def test_every_other_block_is_half_of_the_users() -> None:
    world = draw_world(0)
    with patch.object(module, "CELLS_AT_A_TIME", 22):
        reference = world.reference(all_items(12))
    met = [(block.fold, block.first) for block in reference.blocks(every=2)]
    assert met == [(fold, first) for fold in range(3) for first in (0, 4)]


def test_a_small_catalogue_is_taken_whole() -> None:
    for n_sample in (0, 11, 50):
        sample = sample_items(torch.arange(12), n_sample, generator())
        assert sample.items.tolist() == list(range(1, 12))
        assert sample.log_weights.tolist() == [0.0] * 11


def test_draws_follow_popularity_and_their_weights_undo_it() -> None:
    popularity = torch.cat([torch.tensor([7]), torch.tensor([0, 1, 8, 29]).repeat(10)])
    clicks = popularity[1:].numpy() + 1.0
    chance = clicks / clicks.sum()
    counts, weighed = np.zeros(40), np.zeros(40)
    for seed in range(600):
        sample = sample_items(popularity, 20, generator(seed))
        assert sample.items.shape == sample.log_weights.shape == (20,)
        drawn = sample.items.numpy() - 1
        np.testing.assert_allclose(sample.log_weights.exp(), 1 / (20 * chance[drawn]), rtol=1e-4)
        np.add.at(counts, drawn, 1)
        np.add.at(weighed, drawn, sample.log_weights.exp().numpy())
    expected = 12000 * chance
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()
    # an item counts once on average, whatever its chance; deviation 1 / sqrt(its draws)
    assert (np.abs(weighed / 600 - 1) < 5 / np.sqrt(expected)).all()


def test_the_normaliser_is_unbiased_under_sampling() -> None:
    world = draw_world(3, n_users=5, n_items=80, n_clicks=40)
    popularity = torch.bincount(world.items, minlength=80)
    exact = logsumexp(world.scores(1), axis=1)
    ratios = []
    for seed in range(400):
        sample = sample_items(popularity, 30, generator(seed))
        reference = world.reference(sample)
        scores, _, _ = reference._scores(1, 0, 5)
        estimate = reference._log_normaliser(scores).double().numpy()
        ratios.append(np.exp(estimate - exact))
    error = np.std(ratios, axis=0) / 20
    assert (error < 0.1).all()
    assert (np.abs(np.mean(ratios, axis=0) - 1) < 5 * error).all()


def test_many_sampled_items_give_the_reference_of_all_items() -> None:
    world = draw_world(4, n_users=6, n_items=60, n_clicks=40)
    popularity = torch.bincount(world.items, minlength=60)
    draws = [sample_items(popularity, 50, generator(seed)) for seed in range(2000)]
    items = torch.cat([draw.items for draw in draws])
    weights = torch.cat([draw.log_weights for draw in draws]) - np.log(len(draws))
    exact = world.reference(all_items(60))
    for one, all_of_it in zip(
        world.reference(ItemSample(items, weights)).blocks(), exact.blocks(), strict=True
    ):
        summed = one.log_preference.new_zeros(6, 60)
        summed.index_add_(1, items, one.log_preference.exp())
        np.testing.assert_allclose(summed[:, 1:], all_of_it.log_preference.exp(), atol=0.02)
        np.testing.assert_allclose(one.log_likelihood, all_of_it.log_likelihood, atol=0.1)
        assert one.log_preference.logsumexp(1).abs().max() < 1e-4


def test_who_has_seen_the_whole_sample_leaves_sums_finite() -> None:
    world = draw_world(6, n_users=3, n_items=20, n_clicks=30)
    fold = int(world.folds[0])
    kept = ItemSample(world.items[:1], torch.zeros(1))  # trained on by both other models
    reference = world.reference(kept)
    reference.calibrate()
    blocks = list(reference.blocks())
    assert all(block.log_preference.abs().max() < 1e-6 for block in blocks)
    assert all(torch.isfinite(block.log_likelihood).all() for block in blocks)
    alone = world.scores((fold + 1) % 3)[int(world.users[0]), int(world.items[0])]
    assert alone == -np.inf
