"""Dispersion equals a slow loop; it is 0 on average under the reference, known under a mixture."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.stability.overdispersion import dispersion, standardise
from recbole_invariant.stability.reference import ItemSample
from tests.stability.held_out import (
    World,
    all_items,
    draw_features,
    draw_world,
    generator,
    one_fold,
)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(2, 20), st.integers(1, 5), st.floats(1e-3, 1e3))
def test_standardised_features_have_mean_0_and_deviation_1_over_real_items(
    seed: int, n_items: int, d: int, scale: float
) -> None:
    features = scale * (torch.randn(n_items + 1, d, generator=generator(seed)) + 2)
    features = torch.cat([features, torch.full((n_items + 1, 1), scale)], dim=1)
    features[0] = 1e6  # what padding has does not matter
    found = standardise(features).double().numpy()
    real = features[1:, :-1].double().numpy()
    np.testing.assert_allclose(
        found[1:, :-1], (real - real.mean(0)) / real.std(0, ddof=1), rtol=1e-2, atol=2e-3
    )
    assert (found[0] == 0).all()
    assert (found[:, -1] == 0).all()


def looped(world: World, temperature: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Excess, clicks and mean expected variance, one user and fold after another."""
    features = standardise(world.features).double().numpy()
    n_users, d = world.tables.user.shape[1], features.shape[1]
    excess, clicks, total = np.zeros((n_users, d)), np.zeros(n_users), np.zeros(d)
    all_rows = list(zip(*world.rows(), strict=True))
    rows = [all_rows[k] for k in world.held_out()]
    for fold in range(3):
        preference = np.exp(world.log_preference(fold, temperature))
        for user in range(n_users):
            items = [i for u, i, f in rows if (u, f) == (user, fold)]
            if len(items) < 2:
                continue
            n, p = len(items), preference[user]
            mean = (p[:, None] * features).sum(0)
            expected = (p[:, None] * (features - mean) ** 2).sum(0)
            excess[user] += n * (features[items].var(axis=0, ddof=1) - expected)
            clicks[user] += n
            total += n * expected
    return excess, clicks, total / max(clicks.sum(), 1)


@settings(max_examples=20, deadline=None)
@given(
    st.builds(
        draw_world, st.integers(0, 999), n_clicks=st.integers(0, 40), repeats=st.integers(0, 8)
    ),
    st.integers(1, 7),
    st.sampled_from([0.3, 1.0]),
)
def test_dispersion_equals_a_loop_over_users_and_folds(
    world: World, block_size: int, temperature: float
) -> None:
    reference = world.reference(block_size=block_size)
    reference.temperature = temperature
    n_users = world.tables.user.shape[1]
    found = dispersion(reference.blocks(), standardise(world.features), n_users)
    excess, clicks, expected = looped(world, temperature)
    np.testing.assert_allclose(found.excess, excess, atol=1e-3)
    np.testing.assert_array_equal(found.clicks, clicks)
    np.testing.assert_allclose(found.expected, expected, atol=1e-4)


def test_an_item_sampled_twice_at_half_the_weight_changes_nothing() -> None:
    world = draw_world(2)
    once = all_items(len(world.features))
    twice = ItemSample(once.items.repeat(2), once.log_weights.repeat(2) - float(np.log(2)))
    results = [
        dispersion(world.reference(s).blocks(), standardise(world.features), 7)
        for s in (once, twice)
    ]
    torch.testing.assert_close(results[0].excess, results[1].excess, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(results[0].expected, results[1].expected)


@pytest.mark.parametrize("n_clicks", [2, 5])
def test_clicks_of_the_reference_itself_have_no_excess_on_average(n_clicks: int) -> None:
    g = generator(1)
    _, features = draw_features(40, 3, 2, g)
    preference = (1.5 * torch.randn(3, 39, generator=g)).softmax(1).repeat(4000, 1)
    block = one_fold(preference, preference, n_clicks, g)
    found = dispersion([block], features, 12000)
    mean = found.excess.mean(0)
    error = found.excess.std(0) / 12000**0.5
    assert (mean.abs() < 4.5 * error).all()
    # the test can tell: a variance divided by n instead of n - 1 would miss the expected one
    assert (4.5 * error < found.expected / 2).all()


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_a_mixture_has_the_excess_of_its_law(share: float) -> None:
    # clicks come from one of two laws, the reference has the first: variance of a mixture
    g = generator(2)
    _, features = draw_features(40, 3, 1, g)
    base = 0.5 * torch.randn(39, generator=g)
    first = (base - 1.0 * features[1:, 0]).softmax(0).repeat(6000, 1)
    second = (base + 1.0 * features[1:, 0]).softmax(0).repeat(6000, 1)
    marginal = (1 - share) * first + share * second
    laws = (first[0], second[0])
    means = [law @ features[1:] for law in laws]
    variances = [law @ features[1:].square() - m**2 for law, m in zip(laws, means, strict=True)]
    mixed = (1 - share) * variances[0] + share * variances[1]
    mixed = mixed + share * (1 - share) * (means[1] - means[0]).square()
    block = one_fold(first, marginal, 4, g)
    found = dispersion([block], features, 6000)
    mean, error = found.excess.mean(0) / 4, found.excess.std(0) / 4 / 6000**0.5
    assert ((mean - (mixed - variances[0])).abs() < 4.5 * error).all()
    assert float(mean[0]) > 10 * float(error[0])


def test_a_click_by_itself_has_no_variance_and_counts_nothing() -> None:
    g = generator()
    preference = torch.randn(5, 9, generator=g).softmax(1)
    block = one_fold(preference, preference, 1, g)
    found = dispersion([block], standardise(torch.randn(10, 3, generator=g)), 5)
    for part in (found.excess, found.clicks, found.expected):
        assert part.abs().sum() == 0
