"""Is one model better than another? Intervals, paired tests, effect sizes; pure functions.

Over seeds a difference is one number a seed, so Student's paired t-test fits. Over users the
differences are mostly zero (a recall of one test item is 0 or 1) and far from normal: their test
flips signs, which asks for nothing but that under the null hypothesis a user's difference is as
likely to be d as -d, and their interval is a bootstrap's. Of many users only the largest
differences are drawn one by one, the sum of the others from its normal limit. Both describe the
mean difference, which is what the table shows; a rank test such as Wilcoxon's would drop the zeros
and test something else.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

N_FLIPS = 10_000
N_RESAMPLES = 2_000
AT_ONCE = 4_000_000
"""Resampled values held in memory at once."""

N_DRAWN = 5_000
"""Pairs that are flipped or resampled one by one: those of the largest differences. The sum of the
others is drawn from its normal limit, so that a million users cost what these do."""


@dataclass(frozen=True)
class MeanInterval:
    """A mean with the t-interval of its confidence; `low` and `high` are NaN for one value."""

    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedResult:
    """A mean difference, its interval, and the p-value of "there is none" (two-sided).

    Attributes:
        n: pairs.
        difference: mean of (model less baseline).
        low: lower end of the interval; NaN where there is none.
        high: upper end.
        p: p-value; NaN where there is none.
        effect_size: Cohen's d_z, the mean difference by its standard deviation; NaN without one.
        better: share of the pairs in which the model has the higher value.
        worse: share in which the baseline has.
    """

    n: int
    difference: float
    low: float
    high: float
    p: float
    effect_size: float
    better: float
    worse: float


def mean_interval(values: np.ndarray, level: float = 0.95) -> MeanInterval:
    """Compute a mean and its t-interval.

    Args:
        values: `(n,)`, n >= 1, one a seed.
        level: confidence level, in (0, 1).
    """
    values = np.asarray(values, dtype=np.float64)
    n, mean = len(values), float(values.mean())
    if n < 2:
        return MeanInterval(n, mean, float("nan"), float("nan"))
    half = float(stats.t.ppf((1 + level) / 2, n - 1) * stats.sem(values))
    return MeanInterval(n, mean, mean - half, mean + half)


def effect_size(differences: np.ndarray) -> float:
    """Compute Cohen's d_z of paired differences `(n,)`; NaN where they do not vary."""
    if len(differences) < 2 or _constant(differences):
        return float("nan")
    return float(differences.mean() / differences.std(ddof=1))


def over_seeds(differences: np.ndarray, level: float = 0.95) -> PairedResult:
    """Test paired differences of few, roughly normal values by Student's paired t-test.

    Args:
        differences: `(n,)`, one a seed.
        level: of the interval.

    Returns:
        The result; p and interval are NaN for one seed, or where no difference varies.
    """
    differences = np.asarray(differences, dtype=np.float64)
    interval, p = mean_interval(differences, level), float("nan")
    if len(differences) > 1 and not _constant(differences):
        p = float(stats.ttest_1samp(differences, 0.0).pvalue)
        low, high = interval.low, interval.high
    else:
        low = high = float("nan")
    size = effect_size(differences)
    return PairedResult(interval.n, interval.mean, low, high, p, size, *_shares(differences))


def over_users(differences: np.ndarray, seed: int = 0, level: float = 0.95) -> list[PairedResult]:
    """Test paired differences of many users by sign flips, with bootstrap intervals.

    Args:
        differences: `(n_users, n_columns)`; every column is tested by itself, all of them by the
            same flips and resamples.
        seed: of flips and resamples.
        level: of the intervals.

    Returns:
        One result a column.
    """
    differences = np.asarray(differences, dtype=np.float64)
    p = sign_flip_p(differences, seed)
    low, high = bootstrap_interval(differences, seed, level)
    return [
        PairedResult(
            len(column),
            float(column.mean()),
            float(low[i]),
            float(high[i]),
            float(p[i]),
            effect_size(column),
            *_shares(column),
        )
        for i, column in enumerate(differences.T)
    ]


def sign_flip_p(
    differences: np.ndarray, seed: int = 0, n_flips: int = N_FLIPS, n_drawn: int = N_DRAWN
) -> np.ndarray:
    """Compute two-sided p-values of the mean differences by flipping signs.

    All 2^n patterns are gone through where they are no more than `n_flips`; otherwise as many are
    drawn, and the observed one counts as one of them. Of more than `n_drawn` pairs those with the
    largest differences are flipped, and the sum of the others is drawn from the normal
    distribution that it tends to: mean 0, variance the sum of their squares. None of the others
    is larger than any of those, so that the kurtosis of the whole changes by 1 / (2 n_drawn) at
    most, whatever the distribution; `n_flips` draws cannot tell that.

    Args:
        differences: `(n, n_columns)`, n >= 1.
        seed: of the draws.
        n_flips: patterns at most.
        n_drawn: pairs flipped one by one, in each column.

    Returns:
        `(n_columns,)` in (0, 1]; 1 where all differences are 0.
    """
    observed = np.abs(differences.sum(axis=0))
    # sums that are equal on paper may differ in their last bits
    threshold = observed - 1e-9 * np.abs(differences).sum(axis=0)
    largest, others = _by_size(differences, n_drawn)
    n = len(largest)
    spread = np.sqrt((others**2).sum(axis=0))
    rng = np.random.default_rng([seed, 2])
    exact = 2**n <= n_flips if n < 64 and not len(others) else False
    count = np.zeros(differences.shape[1])
    total = 0
    for signs in _all_signs(n) if exact else _random_signs(n, n_flips, seed):
        sums = signs @ largest
        if len(others):
            sums += spread * rng.standard_normal((len(signs), 1))
        count += (np.abs(sums) >= threshold).sum(axis=0)
        total += len(signs)
    return count / total if exact else (count + 1) / (total + 1)


def _by_size(differences: np.ndarray, n_first: int) -> tuple[np.ndarray, np.ndarray]:
    """Part every column's largest differences from the others; few pairs stay as they are.

    Returns:
        The largest `(min(n, n_first), n_columns)`, and the others.
    """
    cut = len(differences) - n_first
    if cut <= 0:
        return differences, differences[:0]
    order = np.argpartition(np.abs(differences), cut, axis=0)
    parted = np.take_along_axis(differences, order, axis=0)
    return parted[cut:], parted[:cut]


def _all_signs(n: int) -> Iterator[np.ndarray]:
    patterns = np.arange(2**n)[:, None] >> np.arange(n) & 1
    yield patterns * 2.0 - 1.0


def _random_signs(n: int, n_flips: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng([seed, 0])
    left = n_flips
    while left:
        size = min(left, max(1, AT_ONCE // n))
        bits = np.unpackbits(rng.integers(0, 256, (size, -(-n // 8)), dtype=np.uint8), axis=1)
        yield bits[:, :n] * 2.0 - 1.0
        left -= size


def bootstrap_interval(
    differences: np.ndarray,
    seed: int = 0,
    level: float = 0.95,
    n_resamples: int = N_RESAMPLES,
    n_drawn: int = N_DRAWN,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute percentile intervals of the mean differences by resampling pairs.

    Of more than `n_drawn` pairs those farthest from the mean are resampled one by one; how often
    any of them is drawn is binomial. The sum of the draws of the others, none of which is farther,
    comes from the normal distribution that it tends to.

    Args:
        differences: `(n, n_columns)`.
        seed: of the resampling.
        level: confidence level.
        n_resamples: resamples.
        n_drawn: pairs resampled one by one, in each column.

    Returns:
        Lower and upper ends `(n_columns,)`; NaN for fewer than two pairs.
    """
    n, n_columns = differences.shape
    if n < 2:
        return np.full(n_columns, np.nan), np.full(n_columns, np.nan)
    centre = differences.mean(axis=0)
    largest, others = _by_size(differences - centre, n_drawn)
    k = len(largest)
    rng = np.random.default_rng([seed, 1])
    means = []
    left = n_resamples
    while left:
        size = min(left, max(1, AT_ONCE // k))
        times = rng.binomial(n, k / n, size) if len(others) else np.full(size, n)
        drawn = rng.integers(0, k, times.sum()) + k * np.repeat(np.arange(size), times)
        counts = np.bincount(drawn, minlength=size * k).reshape(size, k)
        sums = counts.astype(np.float64) @ largest
        if len(others):
            rest = (n - times)[:, None]
            sums += rest * others.mean(axis=0)
            sums += np.sqrt(rest) * others.std(axis=0) * rng.standard_normal((size, 1))
        means.append(centre + sums / n)
        left -= size
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail], axis=0)
    return low, high


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust the p-values of one family by Holm's step-down method.

    Args:
        p_values: `(n,)`; NaN stands for a test that could not be made and is no part of the family.

    Returns:
        Adjusted values `(n,)`, at most 1, NaN where they were.
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(len(p_values), np.nan)
    made = np.flatnonzero(~np.isnan(p_values))
    order = made[np.argsort(p_values[made], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


def _constant(values: np.ndarray) -> bool:
    """Say whether differences are all the same, up to the rounding of their subtraction."""
    return bool(np.ptp(values) <= 1e-12)


def _shares(differences: np.ndarray) -> tuple[float, float]:
    return float((differences > 0).mean()), float((differences < 0).mean())
