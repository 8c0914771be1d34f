"""Experts: likelihood by brute force, gradient by differences, planted environments found."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from recbole_invariant.stability.experts import Experts
from recbole_invariant.stability.overdispersion import standardise
from recbole_invariant.stability.reference import HeldOut, ItemSample
from tests.stability.held_out import draw_world, generator, one_fold


def small(seed: int) -> tuple[Experts, HeldOut, Tensor]:
    """3 starts, 2 environments, 2 coordinates; 4 users, 9 items, 12 clicks."""
    g = generator(seed)
    experts = Experts(3, 2, 2, g)
    with torch.no_grad():
        experts.share.copy_(torch.randn(3, 2, generator=g))
    coordinates = torch.randn(10, 2, generator=g)
    preference = torch.randn(4, 9, generator=g).softmax(1)
    return experts, one_fold(preference, preference, 3, g), coordinates


def brute_force(
    experts: Experts, fold: HeldOut, coordinates: Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """Likelihood gain of each start and label of each click, one click after another."""
    w, x = experts.direction.detach().double().numpy(), coordinates.double().numpy()
    logits = experts.share.detach().double().numpy()
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p, n = fold.preference.double().numpy(), len(fold.item)
    gains, labels = np.zeros(len(w)), np.zeros((n, len(w)), dtype=int)
    for c, (user, item) in enumerate(zip(fold.user.tolist(), fold.item.tolist(), strict=True)):
        for j in range(len(w)):
            chances = []
            for k in range(w.shape[1]):
                tilted = p[user] * np.exp(x[1:] @ w[j, k])
                chances.append(shares[j, k] * tilted[item - 1] / tilted.sum())
            gains[j] += np.log(sum(chances) / p[user, item - 1]) / n
            labels[c, j] = int(np.argmax(chances))
    return gains, labels


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999))
def test_likelihood_and_labels_equal_brute_force(seed: int) -> None:
    experts, fold, coordinates = small(seed)
    gains, labels = brute_force(experts, fold, coordinates)
    found = experts.likelihood([fold], coordinates)
    np.testing.assert_allclose(found.detach(), gains, atol=1e-5)
    for start in range(3):
        given_labels = experts.labels(fold, coordinates, start)
        np.testing.assert_array_equal(given_labels, labels[:, start])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.permutations(range(18)))
def test_items_in_another_order_and_twice_at_half_the_preference_change_nothing(
    seed: int, order: list[int]
) -> None:
    experts, fold, coordinates = small(seed)
    sample = ItemSample(fold.sample.items.repeat(2)[order], torch.zeros(18))
    sampled = replace(fold, sample=sample, preference=0.5 * fold.preference.repeat(1, 2)[:, order])
    torch.testing.assert_close(
        experts.joint(sampled, coordinates), experts.joint(fold, coordinates), atol=1e-5, rtol=1e-5
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(1, 8), st.integers(0, 30))
def test_the_likelihood_of_blocks_is_the_mean_over_all_of_their_clicks(
    seed: int, block_size: int, n_clicks: int
) -> None:
    world = draw_world(seed, n_clicks=n_clicks, repeats=3)
    experts, _, _ = small(seed)
    coordinates = torch.randn(12, 2, generator=generator(seed))
    clicks = [list(world.reference(block_size=size).blocks()) for size in (64, block_size)]
    whole, parts = (experts.likelihood(blocks, coordinates).detach() for blocks in clicks)
    torch.testing.assert_close(whole, parts, atol=1e-5, rtol=1e-4)
    labelled: dict[int, int] = {}
    for blocks in clicks:
        pairs = [(b.rows.tolist(), experts.labels(b, coordinates, 0).tolist()) for b in blocks]
        found = {row: e for rows, own in pairs for row, e in zip(rows, own, strict=True)}
        assert set(found) == set(world.held_out())
        assert labelled in ({}, found)
        labelled = found


def test_a_fold_without_clicks_gains_nothing_and_moves_nothing() -> None:
    experts, fold, coordinates = small(3)
    none = torch.zeros(0, dtype=torch.int64)
    empty = replace(fold, rows=none, user=none, item=none, log_likelihood=torch.zeros(0))
    for blocks in ([], [empty], [empty, empty]):
        experts.zero_grad()
        found = experts.likelihood(blocks, coordinates)
        assert found.tolist() == [0, 0, 0]
        # the penalty of the stage is all that moves the experts
        (experts.direction.square().sum() - found.sum()).backward()
        torch.testing.assert_close(experts.direction.grad, 2 * experts.direction.detach())
        assert experts.share.grad is None or not experts.share.grad.any()
    both = experts.likelihood([empty, fold], coordinates)
    assert torch.equal(both, experts.likelihood([fold], coordinates))
    assert experts.labels(empty, coordinates, 0).shape == (0,)


def test_the_gradient_is_that_of_finite_differences() -> None:
    experts, fold, coordinates = small(1)
    experts.double()
    fold = replace(fold, preference=fold.preference.double())
    coordinates, step = coordinates.double(), 1e-5

    def gain() -> Tensor:
        return experts.likelihood([fold], coordinates).sum()

    gain().backward()
    for parameter in experts.parameters():
        assert parameter.grad is not None
        values = parameter.data.view(-1)
        for place, slope in enumerate(parameter.grad.flatten().tolist()):
            value = float(values[place])
            values[place] = value + step
            above = float(gain().detach())
            values[place] = value - step
            below = float(gain().detach())
            values[place] = value
            assert slope == pytest.approx((above - below) / (2 * step), abs=1e-7)


def test_far_items_leave_likelihood_and_gradient_finite() -> None:
    experts, fold, coordinates = small(2)
    coordinates[5] = 300.0  # a rare value of a standardised dimension
    preference = fold.preference.clone()
    preference[:, 4] = 0  # that no user is expected to click: item 5
    preference = preference / preference.sum(1, keepdim=True)
    kept = fold.item != 5
    fold = replace(fold, preference=preference, user=fold.user[kept], item=fold.item[kept])
    found = experts.likelihood([fold], coordinates)
    found.sum().backward()
    assert torch.isfinite(found).all()
    for parameter in experts.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


def mixture(seed: int, tilt: float) -> tuple[HeldOut, Tensor, Tensor]:
    """Clicks of 150 users in 2 environments that tilt one of 2 coordinates either way."""
    g, n_users, n_clicks = generator(seed), 150, 8
    coordinates = standardise(torch.randn(201, 2, generator=g))
    log_preference = torch.randn(n_users, 200, generator=g).log_softmax(1)
    environment = torch.randint(2, (n_users * n_clicks,), generator=g)
    sign = (2.0 * environment - 1).unsqueeze(1)
    law = log_preference.repeat_interleave(n_clicks, 0) + tilt * sign * coordinates[1:, 0]
    return one_fold(log_preference.exp(), law.softmax(1), n_clicks, g), coordinates, environment


def fit(fold: HeldOut, coordinates: Tensor) -> tuple[float, Tensor]:
    """Fit the way the stage does; likelihood gain and labels of the best start."""
    experts = Experts(2, 2, 2, generator(9))
    optimizer = torch.optim.Adam(experts.parameters(), lr=0.1)
    for _ in range(50):
        gain = experts.likelihood([fold], coordinates)
        optimizer.zero_grad()
        (0.01 * experts.direction.square().sum() - gain.sum()).backward()
        optimizer.step()
    gain = experts.likelihood([fold], coordinates).detach()
    return float(gain.max()), experts.labels(fold, coordinates, int(gain.argmax()))


def test_planted_environments_are_found_as_well_as_by_the_true_experts() -> None:
    tilt = 1.5
    fold, coordinates, environment = mixture(0, tilt)
    gain, labels = fit(fold, coordinates)
    truth = Experts(1, 2, 2, generator())
    truth.direction.data = torch.tensor([[[-tilt, 0.0], [tilt, 0.0]]])
    best = float(truth.likelihood([fold], coordinates).detach())
    ideal = truth.labels(fold, coordinates, 0)
    agreement = adjusted_rand_score(environment, labels)
    assert agreement > 0.4
    assert agreement > adjusted_rand_score(environment, ideal) - 0.05
    assert gain == pytest.approx(best, abs=0.03)
    assert best > 0.2


def test_where_there_is_no_mixture_nothing_is_gained() -> None:
    fold, coordinates, environment = mixture(1, 0.0)
    gain, labels = fit(fold, coordinates)
    # 5 free parameters over 1200 clicks
    assert -0.005 < gain < 10 / 1200
    assert abs(adjusted_rand_score(environment, labels)) < 0.02


def test_starts_repeat_with_their_seed_and_differ_from_each_other() -> None:
    one, again = Experts(3, 2, 4, generator(1)), Experts(3, 2, 4, generator(1))
    assert torch.equal(one.direction, again.direction)
    assert not torch.equal(one.direction[0], one.direction[1])
    assert (one.share == 0).all()
