"""The ratio of two paired means with Fieller's interval; a pure function."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class RatioInterval:
    """A ratio of means with the interval of its confidence.

    Attributes:
        n: pairs.
        ratio: mean of the numerators by that of the denominators; NaN where that is 0.
        low: lower end; NaN where there is no bounded interval.
        high: upper end.
    """

    n: int
    ratio: float
    low: float
    high: float


def ratio_interval(
    numerators: np.ndarray, denominators: np.ndarray, level: float = 0.95
) -> RatioInterval:
    """Compute the ratio of two means and Fieller's interval.

    The interval holds the ratios r at which Student's paired t-test does not reject that the mean
    of `numerators - r * denominators` is 0 (Fieller, 1954). It is exact for normal pairs however
    few there are, where a bootstrap of 3 to 5 pairs has few resamples and a delta method takes the
    denominator for known; neither end is assumed to be as far as the other. Where the mean of the
    denominators is itself not clear of 0 at this level, no bounded set of ratios has this
    confidence, and there is none.

    Args:
        numerators: `(n,)`, n >= 1, e.g. one a seed.
        denominators: `(n,)`, of the same pairs.
        level: confidence level, in (0, 1).
    """
    x = np.asarray(numerators, dtype=np.float64)
    y = np.asarray(denominators, dtype=np.float64)
    n, top, bottom = len(x), float(x.mean()), float(y.mean())
    none = float("nan")
    ratio = top / bottom if bottom else none
    if n < 2:
        return RatioInterval(n, ratio, none, none)
    (xx, xy), (_, yy) = np.cov(x, y)
    k = float(stats.t.ppf((1 + level) / 2, n - 1)) ** 2 / n
    # (top - r bottom)^2 <= k Var(x - r y), a quadratic a r^2 - 2 b r + c <= 0
    a, b, c = bottom**2 - k * yy, top * bottom - k * xy, top**2 - k * xx
    if a <= 0:
        return RatioInterval(n, ratio, none, none)
    # the ratio itself fulfils it: the root is real but for rounding
    half = math.sqrt(max(b * b - a * c, 0.0)) / a
    return RatioInterval(n, ratio, b / a - half, b / a + half)
