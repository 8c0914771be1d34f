"""Scores are N(0, 1) where the reference is right, flags keep their level, mixtures are found."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from torch import Tensor

from recbole_invariant.stability.flags import (
    calibrated_scores,
    correlation_smoothing,
    flag,
    stability_of,
)
from recbole_invariant.stability.overdispersion import Dispersion, dispersion
from tests.stability.held_out import draw_features, generator, one_fold


def drawn_scores(seed: int, environment_tilt: float, smooth: bool) -> Tensor:
    """Scores of 5 causes of 3 dimensions each, users preferring causes 0 and 1.

    The reference knows half of the users' preference for cause 0 and all of that for cause 1. The
    taste for cause 4 has the sign of the click's environment: a mixture of which it knows nothing.
    """
    g, n_users, n_clicks = generator(seed), 250, 4
    causes, features = draw_features(80, 5, 3, g)
    # a bounded cause, so that to prefer it more narrows what is clicked
    known = torch.stack([2 * (causes[1:, 0] > 0).float(), causes[1:, 1]])
    tastes = 0.5 * torch.rand(n_users, 2, generator=g) + 0.5
    truth = tastes @ known
    half = torch.tensor([0.5, 1.0]) if environment_tilt else torch.ones(2)
    environment = torch.randint(2, (n_users * n_clicks, 1), generator=g) * 2.0 - 1
    law = truth.repeat_interleave(n_clicks, 0) + environment_tilt * environment * causes[1:, 4]
    reference = ((tastes * half) @ known).softmax(1)
    block = one_fold(reference, law.softmax(1), n_clicks, g)
    found = dispersion([block], features, n_users)
    return calibrated_scores(found, correlation_smoothing(features) if smooth else None)


@pytest.mark.parametrize("smooth", [False, True])
def test_scores_are_standard_normal_where_the_reference_is_right(smooth: bool) -> None:
    scores = torch.stack([drawn_scores(seed, 0.0, smooth) for seed in range(80)])
    # 80 repetitions: deviation of a dimension's mean 1 / sqrt(80), of its deviation 1 / sqrt(160)
    assert scores.mean(dim=0).abs().max() < 4 / 80**0.5
    assert (scores.square().mean(dim=0).sqrt() - 1).abs().max() < 0.4
    assert 0.85 < float(scores.square().mean().sqrt()) < 1.15
    assert float((scores > 1.645).float().mean()) < 0.09
    false = torch.stack([flag(row, 0.1).any() for row in scores]).float().mean()
    assert float(false) < 0.1 + 3 * (0.1 * 0.9 / 80) ** 0.5


def test_a_mixture_is_flagged_and_neither_a_cause_that_always_acts_nor_noise() -> None:
    flagged = torch.stack([flag(drawn_scores(seed, 1.0, True), 0.1) for seed in range(20)])
    shares = flagged.float().mean(dim=0).view(5, 3).mean(dim=1)
    assert float(shares[4]) > 0.9
    assert float(shares[0]) == 0
    assert float(shares[1:4].max()) < 0.25  # of 20 worlds; the level lets some through


def test_smoothing_finds_what_no_dimension_shows_by_itself() -> None:
    g, n = generator(8), 400
    excess = torch.randn(n, 30, generator=g)
    excess[:, :10] += 1.7 / n**0.5  # 1.7 standard errors, in 10 dimensions of one cause
    found = Dispersion(excess, torch.ones(n), torch.ones(30))
    shared = torch.block_diag(*[torch.full((10, 10), 0.1)] * 3)
    assert not flag(calibrated_scores(found, None), 0.05)[:10].any()
    # what all of them share counts sqrt(10) times as much
    assert flag(calibrated_scores(found, shared), 0.05).tolist() == [True] * 10 + [False] * 20


def test_scores_equal_a_loop_and_the_median_is_off() -> None:
    g = generator(3)
    clicks = torch.tensor([0.0, 2, 3, 2, 5, 4])
    excess = torch.randn(6, 5, generator=g) * clicks.unsqueeze(1)
    smoothing = torch.rand(5, 5, generator=g)
    smoothing = smoothing / smoothing.sum(dim=1, keepdim=True)
    e, n, a = (part.double().numpy() for part in (excess, clicks, smoothing))
    for weights, given_weights in ((np.eye(5), None), (a, smoothing)):
        mean = e.sum(0) / n.sum()
        single = np.array(
            [sum((e[u, k] - n[u] * mean[k]) ** 2 for u in range(6)) ** 0.5 for k in range(5)]
        )
        z = mean * n.sum() / single
        smoothed = weights @ z
        expected = []
        for k in range(5):
            parts = [
                sum(weights[k, j] * (e[u, j] - n[u] * mean[j]) / single[j] for j in range(5))
                for u in range(6)
            ]
            expected.append((smoothed[k] - np.median(smoothed)) / np.linalg.norm(parts))
        found = calibrated_scores(Dispersion(excess, clicks, torch.ones(5)), given_weights)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        assert sorted(found.tolist())[2] == pytest.approx(0, abs=1e-6)


def test_a_dimension_without_variance_has_score_0() -> None:
    excess = torch.randn(9, 4, generator=generator())
    excess[:, 2] = 0
    scores = calibrated_scores(Dispersion(excess, torch.full((9,), 2.0), torch.ones(4)), None)
    assert scores[2] == 0
    assert (scores[[0, 1, 3]] != 0).sum() == 2  # one is the median
    none = calibrated_scores(Dispersion(0 * excess, torch.zeros(9), torch.zeros(4)), torch.eye(4))
    assert none.tolist() == [0.0] * 4


SCORES = st.lists(st.floats(-6, 8, width=32), min_size=1, max_size=25)


@settings(max_examples=100, deadline=None)
@given(SCORES, st.sampled_from([0.01, 0.1, 0.3]))
def test_flags_are_those_of_benjamini_and_hochberg(scores: list[float], level: float) -> None:
    # the largest k such that the k-th smallest p-value is at most k / d of the level
    p = [1 - norm.cdf(s) if s < 4 else norm.cdf(-s) for s in scores]
    ranked, d = sorted(p), len(p)
    passing = [k for k in range(1, d + 1) if ranked[k - 1] <= level * k / d]
    largest = ranked[passing[-1] - 1] if passing else -1.0
    found = flag(torch.tensor(scores), level)
    assert found.dtype == torch.bool
    assert found.tolist() == [value <= largest for value in p]


@pytest.mark.parametrize("level", [0.05, 0.2])
def test_false_discoveries_keep_their_level(level: float) -> None:
    g, n = generator(5), 400
    nothing, some = [], []
    for _ in range(n):
        score = torch.randn(40, generator=g)
        nothing.append(float(flag(score, level).any()))
        score[:10] += 3
        found = flag(score, level)
        some.append(float(found[10:].sum() / found.sum().clamp_min(1)))
    # exact for independent scores: the level times the share of stable dimensions
    for proportions, expected in ((nothing, level), (some, level * 30 / 40)):
        error = np.std(proportions) / n**0.5
        assert abs(np.mean(proportions) - expected) < 4 * error


def test_flags_do_not_depend_on_the_order() -> None:
    scores = 2 * torch.randn(30, generator=generator())
    order = torch.randperm(30, generator=generator(1))
    assert torch.equal(flag(scores, 0.3)[order], flag(scores[order], 0.3))
    assert flag(scores, 0.3).any()


def test_a_large_negative_score_is_stable() -> None:
    assert flag(torch.tensor([-9.0, 0.0, 9.0]), 0.1).tolist() == [False, False, True]


@settings(max_examples=60, deadline=None)
@given(SCORES, st.sampled_from([0.01, 0.3]), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_a_share_leaves_the_flags_of_enough_of_the_largest_score(
    scores: list[float], level: float, share: float
) -> None:
    largest = max(scores)
    found = flag(torch.tensor(scores), level, share).tolist()
    by_level = flag(torch.tensor(scores), level).tolist()
    assert found == [f and s >= share * largest for f, s in zip(by_level, scores, strict=True)]
    # what is flagged at all has the largest score among it
    assert any(found) == any(by_level)


def misfit(n_users: int) -> Dispersion:
    """Dimension 0 has a small true excess, dimension 1 one 8 times as large, 8 others none."""
    excess = torch.randn(n_users, 10, generator=generator(n_users))
    excess[:, 0] += 0.05
    excess[:, 1] += 0.4
    return Dispersion(excess, torch.ones(n_users), torch.ones(10))


def test_with_many_clicks_a_small_misfit_is_significant_and_yet_not_flagged() -> None:
    others = [False] * 8
    few, many = misfit(400), misfit(40000)
    # expected scores: 1 and 8 for few users, 10 and 80 for many
    assert stability_of(few, None, 0.05, 0.0, 0.2).flagged.tolist() == [False, True, *others]
    assert stability_of(many, None, 0.05, 0.0, 0.2).flagged.tolist() == [True, True, *others]
    for found in (few, many):
        result = stability_of(found, None, 0.05, 0.25, 0.2)
        assert result.flagged.tolist() == [False, True, *others]
        assert result.gate.tolist() == pytest.approx([1, 0.2, *[1] * 8])


def test_the_gate_is_the_floor_where_flagged() -> None:
    g = generator(6)
    excess = torch.randn(200, 6, generator=g)
    excess[:, 4] += 2
    found = Dispersion(excess, torch.full((200,), 2.0), torch.tensor([1.0, 2, 1, 1, 4, 0]))
    result = stability_of(found, None, 0.05, 0.0, 0.2)
    assert result.flagged.tolist() == [False] * 4 + [True, False]
    assert result.gate.tolist() == pytest.approx([1, 1, 1, 1, 0.2, 1])
    assert result.gate.dtype == excess.dtype
    torch.testing.assert_close(result.score, calibrated_scores(found, None))
    # mean excess a click over the expected variance
    np.testing.assert_allclose(
        result.excess[:5], excess.mean(0)[:5] / 2 / found.expected[:5], rtol=1e-4
    )
