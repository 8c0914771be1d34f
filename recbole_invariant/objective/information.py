"""Compression of a representation, and dependence of two representations (Irl4Rec).

Rows are examples everywhere and results are 0-d. t is the adjustment representation and s the
spurious one. Dependence of a batch is 0 where t or s is the same in all rows, and its gradient is
finite there. Minimising it asks for independence: the sign of Irl4Rec's gamma I(t; s) in the
objective that DIB (Liu et al., RecSys 2021, Eq. 3) minimises.
"""

import math

import torch
from torch import Tensor

ROUNDING_UNITS = 8
"""Spread below so many units of rounding of the largest value is none."""


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of diagonal Gaussians from N(0, I), mean over the rows.

    `1/2 sum_d (mu^2 + sigma^2 - 1 - log sigma^2)`, an upper bound of I(t; x) in expectation.

    Args:
        mean: `(rows, dim)`.
        log_variance: `(rows, dim)`.

    Returns:
        0-d, >= 0, in nats; 0 for N(0, I).
    """
    divergence = mean.square() + torch.expm1(log_variance) - log_variance
    return 0.5 * divergence.sum(dim=-1).mean()


def half_squared_norm(mean: Tensor) -> Tensor:
    """Half the squared norm of the posterior's mean, mean over the rows.

    `gaussian_kl` with the variance fixed to 1.

    Args:
        mean: `(rows, dim)`.

    Returns:
        0-d, >= 0.
    """
    return 0.5 * mean.square().sum(dim=-1).mean()


def standardised(values: Tensor) -> Tensor:
    """Columns with mean 0 and variance 1 (divided by the number of rows); constant ones are 0.

    Args:
        values: `(rows, dim)`.

    Returns:
        `(rows, dim)`. The gradient of a constant column is 0.
    """
    centred = _centred(values)
    variance = centred.square().mean(dim=0)
    varies = variance > _rounding(values).square()
    # The inner where keeps 1 / sqrt(0) out of the gradient.
    scaled = centred * torch.where(varies, variance, 1.0).rsqrt()
    return torch.where(varies, scaled, 0.0)


def cross_covariance(t: Tensor, s: Tensor) -> Tensor:
    """Mean squared correlation of every column of t with every column of s.

    `|T'S / rows|_F^2 / (d_t d_s)` of batch-standardised columns: HSIC with linear kernels. It is
    blind to dependence that is not linear.

    Args:
        t: `(rows, d_t)`.
        s: `(rows, d_s)`.

    Returns:
        0-d, in [0, 1]. Independent columns have `cross_covariance_floor(rows)` in expectation.
    """
    covariance = standardised(t).T @ standardised(s) / len(t)
    return covariance.square().mean()


def cross_covariance_floor(rows: int) -> float:
    """Expected `cross_covariance` of independent columns: `1 / (rows - 1)`, 0 for one row.

    It holds exactly over all permutations of the rows of s, where no column is constant.

    Args:
        rows: number of rows of the batch.

    Returns:
        In [0, 1].
    """
    return 1.0 / (rows - 1) if rows > 1 else 0.0


def hsic(t: Tensor, s: Tensor) -> Tensor:
    """Hilbert-Schmidt independence criterion with Gaussian kernels, normalised (Gretton 2005).

    `tr(KHLH) / (rows - 1)^2` divided by its geometric mean for (t, t) and (s, s).
    `k(x, y) = exp(-|x - y|^2 / (2 m))`, where m is the median of the squared distances above 0 and
    a constant to the gradient. The estimate is the biased one: independent t and s have
    `hsic_floor(t, s)` in expectation, which is far above 0 where dim is large and rows are few.

    Args:
        t: `(rows, d_t)`.
        s: `(rows, d_s)`.

    Returns:
        0-d, in [0, 1]. Memory is of `rows^2`.
    """
    first, second = _centred_kernel(t), _centred_kernel(s)
    return _over_norms((first * second).sum(), first, second)


def hsic_floor(t: Tensor, s: Tensor) -> Tensor:
    """Mean of `hsic` over all permutations of the rows of s: what independence would give.

    Args:
        t: `(rows, d_t)`.
        s: `(rows, d_s)`.

    Returns:
        0-d, in [0, 1].
    """
    first, second = _centred_kernel(t), _centred_kernel(s)
    expected = first.trace() * second.trace() / max(len(t) - 1, 1)
    return _over_norms(expected, first, second)


def squared_cosine(t: Tensor, s: Tensor) -> Tensor:
    """Squared cosine of t and s, mean over the rows.

    It asks for orthogonal vectors in every row, not for independence over rows.

    Args:
        t: `(rows, dim)`.
        s: `(rows, dim)`, the same dim.

    Returns:
        0-d, in [0, 1]; zero vectors count as orthogonal to all.
    """
    return (unit_rows(t) * unit_rows(s)).sum(dim=-1).square().mean()


def unit_rows(vectors: Tensor) -> Tensor:
    """Rows divided by their norm; zero rows stay zero and have a finite gradient.

    Args:
        vectors: `(rows, dim)`.

    Returns:
        `(rows, dim)`.
    """
    norms = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / torch.where(norms > 0, norms, 1.0)


def gaussian_nll(mean: Tensor, log_variance: Tensor, s: Tensor) -> Tensor:
    """Negative log likelihood of s under `q(s | t) = N(mean, diag exp(log_variance))`.

    The loss that fits the network of `club_bound`; t and s are to be detached for it.

    Args:
        mean: `(rows, dim)`, of t.
        log_variance: `(rows, dim)`, of t.
        s: `(rows, dim)`.

    Returns:
        0-d, mean over the rows, in nats.
    """
    squared = (s - mean).square() * torch.exp(-log_variance)
    return 0.5 * (squared + log_variance + math.log(2 * math.pi)).sum(dim=-1).mean()


def club_bound(mean: Tensor, log_variance: Tensor, s: Tensor) -> Tensor:
    """CLUB of I(t; s): an upper bound where q is the true conditional (Cheng et al., ICML 2020).

    `mean_i log q(s_i | t_i) - mean_ij log q(s_j | t_i)` over all pairs of rows. The second mean
    needs only the mean and variance of the columns of s, so nothing of rows^2 is made. A pair of
    a row with itself is among them, as in the paper: the expectation is `1 - 1 / rows` of the
    bound's.

    Args:
        mean: `(rows, dim)`, q's, of t.
        log_variance: `(rows, dim)`, q's, of t.
        s: `(rows, dim)`.

    Returns:
        0-d, >= 0, in nats. The batch's difference is clamped, not a row's; where it is below 0,
        because q fits worse than chance, the gradient is 0.
    """
    average = s.mean(dim=0)
    variance = (s - average).square().mean(dim=0)
    of_all = variance + (average - mean).square()
    difference = (of_all - (s - mean).square()) * torch.exp(-log_variance)
    return 0.5 * difference.sum(dim=-1).mean().clamp_min(0.0)


def clamped_at_chance(loss: Tensor, chance: float) -> Tensor:
    """Loss, but no more than chance: for dib's negative term, which is unbounded without.

    A loss at or above chance has no gradient, so s is pushed to know nothing, not the opposite.

    Args:
        loss: mean loss of the batch, 0-d, in nats.
        chance: that of equal scores: log 2 against one negative, log n_items over all items.

    Returns:
        0-d, <= chance.
    """
    return torch.where(loss < chance, loss, torch.full_like(loss, chance))


def _centred(values: Tensor) -> Tensor:
    """Columns less their mean; around the first row, so that a constant column is exactly 0."""
    shifted = values - values[0].detach()
    return shifted - shifted.mean(dim=0)


def _rounding(values: Tensor) -> Tensor:
    """Spread of every column that may be rounding `(dim,)`."""
    unit = ROUNDING_UNITS * torch.finfo(values.dtype).eps
    return unit * values.detach().abs().amax(dim=0)


def _centred_kernel(values: Tensor) -> Tensor:
    """`HKH` of the Gaussian kernel with median bandwidth `(rows, rows)`; 0 for constants."""
    centred = _centred(values)
    norms = centred.square().sum(dim=-1)
    squared = (norms[:, None] + norms - 2 * centred @ centred.T).clamp_min(0.0)
    known = squared.detach()[torch.ones_like(squared, dtype=torch.bool).triu(1)]
    # Distances come from products of norms, whose rounding is that of the largest norm.
    known = known[known > ROUNDING_UNITS * torch.finfo(values.dtype).eps * norms.detach().amax()]
    known = known[known > _rounding(values).square().sum()]
    if not len(known):
        return torch.zeros_like(squared)
    kernel = torch.exp(-squared / (2 * known.median()))
    rows = kernel.mean(dim=0)
    return kernel - rows - rows[:, None] + rows.mean()


def _over_norms(value: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Value over the product of two kernels' Frobenius norms; 0 where one is 0."""
    norms = torch.linalg.matrix_norm(first) * torch.linalg.matrix_norm(second)
    return torch.where(norms > 0, value, 0.0) / torch.where(norms > 0, norms, 1.0)
