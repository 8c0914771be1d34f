"""Sampled items estimate sums over the whole catalogue."""

import numpy as np
import torch
from scipy.special import logsumexp

from recbole_invariant.stability.reference import ItemSample, log_normaliser, sample_items
from tests.stability.held_out import draw_world, generator


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
    reference = world.reference()
    ratios = []
    for seed in range(400):
        sample = sample_items(popularity, 30, generator(seed))
        scores, _, _ = reference._scores(1, 0, 5, sample)
        estimate = log_normaliser(scores, sample).double().numpy()
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
    sampled, exact = world.reference(ItemSample(items, weights)), world.reference()
    for one, all_of_it in zip(sampled.blocks(), exact.blocks(), strict=True):
        summed = one.preference.new_zeros(6, 60)
        summed.index_add_(1, items, one.preference)
        np.testing.assert_allclose(summed[:, 1:], all_of_it.preference, atol=0.02)
        np.testing.assert_allclose(one.log_likelihood, all_of_it.log_likelihood, atol=0.1)
        assert (one.preference.sum(1) - 1).abs().max() < 1e-4
