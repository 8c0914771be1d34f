"""Fieller's interval of a ratio against the paired t-tests that it inverts."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from recbole_invariant.evaluation.paired_tests import mean_interval
from recbole_invariant.evaluation.ratio_interval import ratio_interval

finite = st.floats(-10, 10).map(lambda value: round(value, 3))
pairs = st.lists(st.tuples(finite, finite), min_size=3, max_size=6).map(np.array)


def p_value(x: np.ndarray, y: np.ndarray, ratio: float) -> float:
    return float(stats.ttest_rel(x, ratio * y).pvalue)


@given(pairs)
def test_its_ends_are_where_the_paired_t_test_begins_to_reject(values: np.ndarray) -> None:
    x, y = values.T
    found = ratio_interval(x, y)
    clear = stats.ttest_1samp(y, 0.0).pvalue
    assume(abs(clear - 0.05) > 1e-3 and np.ptp(y) > 0.01)
    assert np.isnan(found.low) == (clear > 0.05)
    if np.isnan(found.low):
        return
    width = found.high - found.low
    assume(width > 1e-3)
    assert found.low <= found.ratio <= found.high
    for end, outwards in ((found.low, -1), (found.high, 1)):
        assert p_value(x, y, end) == pytest.approx(0.05, abs=1e-4)
        assert p_value(x, y, end + outwards * 0.1 * width) < 0.05
        assert p_value(x, y, end - outwards * 0.1 * width) > 0.05


@given(st.lists(finite, min_size=2, max_size=6).map(np.array), st.floats(0.5, 4))
def test_by_a_constant_it_is_the_means_own_interval(x: np.ndarray, constant: float) -> None:
    found = ratio_interval(x * constant, np.full(len(x), constant))
    mean = mean_interval(x)
    expected = [mean.mean, mean.low, mean.high]
    np.testing.assert_allclose([found.ratio, found.low, found.high], expected, rtol=1e-6, atol=1e-6)


def test_the_same_in_both_is_one_without_doubt() -> None:
    y = np.array([0.04, 0.05, 0.045])
    found = ratio_interval(y, y)
    np.testing.assert_allclose([found.ratio, found.low, found.high], 1.0, atol=1e-6)


def test_it_covers_the_true_ratio_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(0.045, 0.006, (2000, 4))
    x = 0.8 * y + rng.normal(0, 0.004, y.shape)
    intervals = [ratio_interval(*pair) for pair in zip(x, y, strict=True)]
    bounded = [found for found in intervals if not np.isnan(found.low)]
    # an unbounded set of ratios counts: it is what the test says
    missed = sum(not found.low <= 0.8 <= found.high for found in bounded)
    assert len(bounded) > 1900
    assert missed / len(intervals) == pytest.approx(0.05, abs=0.015)


def test_one_pair_has_no_interval_and_a_zero_mean_no_ratio() -> None:
    found = ratio_interval(np.array([1.0]), np.array([2.0]))
    assert found.ratio == 0.5
    assert np.isnan(found.low)
    assert np.isnan(ratio_interval(np.array([1.0, 2]), np.array([-1.0, 1])).ratio)
