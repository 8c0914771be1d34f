"""Experts: likelihood by brute force, gradient by differences, planted environments found."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from recbole_invariant.stability.experts import Experts, FoldClicks, flagged_subspace
from recbole_invariant.stability.overdispersion import standardise
from recbole_invariant.stability.reference import HeldOut, ItemSample
from tests.stability.held_out import all_items, draw_features, generator, one_fold


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3))
def test_the_subspace_is_white_over_the_items(
    seed: int, n_causes: int, a_cause: int, n_others: int
) -> None:
    g = generator(seed)
    _, features = draw_features(60, n_causes + n_others, a_cause, g, noise=0.3)
    flagged = torch.arange(features.shape[1]) < n_causes * a_cause
    found = flagged_subspace(features, flagged)
    assert found[0].abs().sum() == 0
    real = found[1:].double().numpy()
    r = real.shape[1]
    assert 1 <= r <= int(flagged.sum())
    np.testing.assert_allclose(real.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(real.T).reshape(r, r), np.eye(r), atol=2e-3)


def test_the_subspace_has_the_causes_and_nothing_of_what_is_not_flagged() -> None:
    causes, features = draw_features(400, 4, 6, generator())
    flagged = torch.arange(24) < 12
    found = flagged_subspace(features, flagged)
    assert found.shape == (400, 2)
    # regression of each cause on the coordinates: 1 - noise / copies of the variance is explained
    explained = (found[1:].T @ causes[1:] / 398).square().sum(dim=0)
    assert (explained[:2] > 0.9).all()
    assert (explained[2:] < 0.1).all()


def test_one_flagged_dimension_is_its_own_subspace() -> None:
    features = standardise(torch.randn(30, 3, generator=generator()))
    found = flagged_subspace(features, torch.tensor([False, True, False]))
    torch.testing.assert_close(found.abs(), features[:, 1:2].abs())


def test_copies_of_one_dimension_give_one_coordinate() -> None:
    features = standardise(torch.randn(30, 1, generator=generator())).repeat(1, 5)
    assert flagged_subspace(features, torch.ones(5, dtype=torch.bool)).shape == (30, 1)


def small(seed: int) -> tuple[Experts, FoldClicks, Tensor, ItemSample]:
    """3 starts, 2 environments, 2 coordinates; 4 users, 9 items, 12 clicks."""
    g = generator(seed)
    experts = Experts(3, 2, 2, g)
    with torch.no_grad():
        experts.share.copy_(torch.randn(3, 2, generator=g))
    coordinates = torch.randn(10, 2, generator=g)
    preference = torch.randn(4, 9, generator=g).softmax(1)
    block = one_fold(preference.log(), preference, 3, g)
    return experts, FoldClicks(preference, block.user, block.item), coordinates, all_items(10)


def brute_force(
    experts: Experts, fold: FoldClicks, coordinates: Tensor
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
    experts, fold, coordinates, sample = small(seed)
    gains, labels = brute_force(experts, fold, coordinates)
    found = experts.likelihood(fold, coordinates, coordinates[sample.items])
    np.testing.assert_allclose(found.detach(), gains, atol=1e-5)
    rows = torch.arange(len(fold.item))
    block = HeldOut(0, 0, fold.preference.log(), rows, fold.user, fold.item, rows.float())
    for start in range(3):
        given_labels = experts.labels(block, coordinates, sample.items, start)
        np.testing.assert_array_equal(given_labels, labels[:, start])


def test_the_gradient_is_that_of_finite_differences() -> None:
    experts, fold, coordinates, sample = small(1)
    experts.double()
    fold = FoldClicks(fold.preference.double(), fold.user, fold.item)
    coordinates, step = coordinates.double(), 1e-5

    def gain() -> Tensor:
        return experts.likelihood(fold, coordinates, coordinates[sample.items]).sum()

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
    experts, fold, coordinates, sample = small(2)
    coordinates[5] = 300.0  # a rare value of a standardised dimension
    preference = fold.preference.clone()
    preference[:, 4] = 0  # that no user is expected to click: item 5
    kept = fold.item != 5
    preference = preference / preference.sum(1, keepdim=True)
    fold = FoldClicks(preference, fold.user[kept], fold.item[kept])
    found = experts.likelihood(fold, coordinates, coordinates[sample.items])
    found.sum().backward()
    assert torch.isfinite(found).all()
    for parameter in experts.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


def mixture(seed: int, tilt: float) -> tuple[FoldClicks, Tensor, Tensor]:
    """Clicks of 150 users in 2 environments that tilt one of 2 coordinates either way."""
    g, n_users, n_clicks = generator(seed), 150, 8
    coordinates = standardise(torch.randn(201, 2, generator=g))
    log_preference = torch.randn(n_users, 200, generator=g).log_softmax(1)
    environment = torch.randint(2, (n_users * n_clicks,), generator=g)
    sign = (2.0 * environment - 1).unsqueeze(1)
    law = log_preference.repeat_interleave(n_clicks, 0) + tilt * sign * coordinates[1:, 0]
    block = one_fold(log_preference, law.softmax(1), n_clicks, g)
    return FoldClicks(log_preference.exp(), block.user, block.item), coordinates, environment


def fit(fold: FoldClicks, coordinates: Tensor) -> tuple[float, Tensor]:
    """Fit the way the stage does; likelihood gain and labels of the best start."""
    experts = Experts(2, 2, 2, generator(9))
    optimizer = torch.optim.Adam(experts.parameters(), lr=0.1)
    for _ in range(50):
        gain = experts.likelihood(fold, coordinates, coordinates[1:])
        optimizer.zero_grad()
        (0.01 * experts.direction.square().sum() - gain.sum()).backward()
        optimizer.step()
    gain = experts.likelihood(fold, coordinates, coordinates[1:]).detach()
    rows = torch.arange(len(fold.item))
    block = HeldOut(0, 0, fold.preference.log(), rows, fold.user, fold.item, rows.float())
    labels = experts.labels(block, coordinates, all_items(201).items, int(gain.argmax()))
    return float(gain.max()), labels


def test_planted_environments_are_found_as_well_as_by_the_true_experts() -> None:
    tilt = 1.5
    fold, coordinates, environment = mixture(0, tilt)
    gain, labels = fit(fold, coordinates)
    truth = Experts(1, 2, 2, generator())
    truth.direction.data = torch.tensor([[[-tilt, 0.0], [tilt, 0.0]]])
    best = float(truth.likelihood(fold, coordinates, coordinates[1:]).detach())
    rows = torch.arange(len(fold.item))
    block = HeldOut(0, 0, fold.preference.log(), rows, fold.user, fold.item, rows.float())
    ideal = truth.labels(block, coordinates, all_items(201).items, 0)
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
