"""Intervals and paired tests against scipy, and against each definition written out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recbole_invariant.evaluation import paired_tests
from recbole_invariant.evaluation.paired_tests import (
    bootstrap_interval,
    effect_size,
    holm,
    mean_interval,
    over_seeds,
    over_users,
    sign_flip_p,
)


def zero_inflated(n, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    kept = rng.random(n) < 0.3
    return np.where(kept, rng.normal(shift, 0.2, n), 0.0)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=8, unique=True))
def test_the_interval_of_a_mean_is_that_of_scipy(values):
    array = np.array(values)
    if stats.sem(array) < 1e-9:
        return
    expected = stats.t.interval(0.9, len(values) - 1, array.mean(), stats.sem(array))

    found = mean_interval(array, level=0.9)

    assert found.n == len(values)
    assert found.mean == pytest.approx(array.mean())
    assert (found.low, found.high) == pytest.approx(expected)


def test_one_value_has_no_interval():
    found = mean_interval(np.array([0.25]))

    assert found.mean == 0.25
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_over_seeds_is_students_paired_test():
    rng = np.random.default_rng(1)
    model, baseline = rng.normal(0.30, 0.01, 6), rng.normal(0.29, 0.01, 6)

    found = over_seeds(model - baseline)

    expected = stats.ttest_rel(model, baseline)
    interval = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.effect_size == pytest.approx(expected.statistic / math.sqrt(6))
    assert found.better + found.worse == 1.0


@pytest.mark.parametrize("differences", [[0.1], [0.1, 0.1, 0.1], [0.0, 0.0], [0.3 - 0.2, 0.1]])
def test_without_variation_there_is_no_test_over_seeds(differences):
    found = over_seeds(np.array(differences))

    assert found.difference == pytest.approx(np.mean(differences))
    assert all(math.isnan(x) for x in (found.p, found.low, found.high, found.effect_size))


def test_few_pairs_go_through_all_sign_patterns_as_scipy_does():
    differences = np.stack([zero_inflated(9, 0.1), zero_inflated(9, 0.3, seed=4)], axis=1)

    found = sign_flip_p(differences)

    expected = stats.permutation_test(
        (differences,),
        lambda x, axis: x.mean(axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
        axis=0,
    )
    # scipy doubles the smaller tail; a flipped pattern is as likely as the pattern itself
    assert found == pytest.approx(expected.pvalue)


def test_many_pairs_agree_with_the_normal_approximation():
    differences = np.stack([zero_inflated(3000, shift, 7) for shift in (0.0, 0.02, 0.3)], axis=1)

    found = sign_flip_p(differences)

    expected = stats.ttest_1samp(differences, 0.0).pvalue
    assert found[:2] == pytest.approx(expected[:2], abs=0.02)
    assert found[2] == pytest.approx(1 / 10001)


def test_equal_models_differ_by_nothing():
    assert sign_flip_p(np.zeros((30, 2))).tolist() == [1.0, 1.0]
    assert math.isnan(over_users(np.zeros((30, 1)))[0].effect_size)


def test_p_values_under_the_null_are_uniform():
    columns = np.stack([zero_inflated(60, seed=seed) for seed in range(400)], axis=1)

    found = sign_flip_p(columns, n_flips=999)

    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert (found < 0.05).mean() < 0.09


def test_the_bootstrap_interval_is_that_of_scipy():
    differences = zero_inflated(400, 0.1)

    low, high = bootstrap_interval(differences[:, None], level=0.9, n_resamples=4000)

    expected = stats.bootstrap(
        (differences,), np.mean, method="percentile", confidence_level=0.9, n_resamples=4000
    ).confidence_interval
    width = expected.high - expected.low
    assert low[0] == pytest.approx(expected.low, abs=0.06 * width)
    assert high[0] == pytest.approx(expected.high, abs=0.06 * width)


def heavy_tailed(n=2000):
    """Columns of which no normal limit is any good for the largest values, or which are shifted."""
    rng = np.random.default_rng(5)
    rare = np.where(rng.random(n) < 0.004, rng.choice([1.0, 1.0, -0.5], n), 0.0)
    steps = rng.choice([0.0, 0.1, -0.1, 0.5], n, p=[0.7, 0.13, 0.14, 0.03])
    nearly_constant = np.where(rng.random(n) < 0.005, 0.0, 1.0)
    return np.stack([rare, steps - 0.013, rng.standard_t(3, n) * 0.05, nearly_constant], axis=1)


def test_flips_of_the_largest_alone_agree_with_flips_of_all():
    differences = heavy_tailed()

    plain = sign_flip_p(differences, seed=1, n_drawn=len(differences))
    found = sign_flip_p(differences, seed=2, n_drawn=150)

    # four standard errors of two times 10,000 draws
    assert found == pytest.approx(plain, abs=0.03)
    assert 0.01 < plain[1] < 0.9


def test_resamples_of_the_largest_alone_agree_with_resamples_of_all():
    differences = heavy_tailed()

    plain = bootstrap_interval(differences, seed=1, n_resamples=8000, n_drawn=len(differences))
    found = bootstrap_interval(differences, seed=2, n_resamples=8000, n_drawn=150)

    width = plain[1] - plain[0]
    assert np.all(np.abs(found[0] - plain[0]) < 0.06 * width)
    assert np.all(np.abs(found[1] - plain[1]) < 0.06 * width)


def test_many_users_are_drawn_no_more_often_than_few(monkeypatch):
    differences = zero_inflated(200_000, 0.001)
    drawn: list[int] = []
    original = paired_tests._random_signs

    def counted(n, n_flips, seed):
        drawn.append(n)
        return original(n, n_flips, seed)

    monkeypatch.setattr(paired_tests, "_random_signs", counted)

    (found,) = over_users(differences[:, None])

    assert drawn == [paired_tests.N_DRAWN]
    assert found.p == pytest.approx(stats.ttest_1samp(differences, 0.0).pvalue, abs=0.02)
    half = stats.sem(differences) * stats.norm.ppf(0.975)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_over_users_tells_each_column_and_repeats_itself():
    differences = np.stack([zero_inflated(300, 0.2), -zero_inflated(300, 0.2)], axis=1)

    first, second = over_users(differences, seed=3)

    assert first.p == second.p < 0.01
    assert (first.low, first.high) == pytest.approx((-second.high, -second.low))
    assert first.effect_size == pytest.approx(
        differences[:, 0].mean() / differences[:, 0].std(ddof=1)
    )
    assert (first.better, first.worse) == (second.worse, second.better)
    assert over_users(differences, seed=3) == [first, second]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_its_definition(p_values):
    m = len(p_values)

    found = holm(np.array(p_values))

    # adjusted: the largest of (m - j) p_(j) over all j up to one's own rank, at most 1
    order = sorted(range(m), key=lambda i: p_values[i])
    for rank, i in enumerate(order):
        largest = max((m - j) * p_values[order[j]] for j in range(rank + 1))
        assert found[i] == pytest.approx(min(1.0, largest))
    assert np.all(found >= np.array(p_values) - 1e-12)


def test_holm_leaves_out_what_was_not_tested():
    found = holm(np.array([np.nan, 0.01, 0.03, np.nan]))

    assert found[1:3].tolist() == pytest.approx([0.02, 0.03])
    assert np.isnan(found[[0, 3]]).all()


def test_the_effect_size_of_one_pair_is_none():
    assert math.isnan(effect_size(np.array([0.5])))
