"""Weights of the terms of an objective, learned with it (Kendall et al., CVPR 2018)."""

import torch
from torch import Tensor

LARGEST_LOG_VARIANCE = 5.0
"""Bound of a log variance: a factor is between exp(-5) / 2 = 0.003 and exp(5) / 2 = 74."""


def uncertainty_loss(losses: Tensor, log_variances: Tensor) -> Tensor:
    """Sum of the losses, each divided by a variance that is learned and costs its logarithm.

    `sum_i exp(-v_i) L_i / 2 + v_i / 2`. For fixed losses the best v_i is log L_i: a term's
    contribution is then 1/2 whatever its scale. The paper's v is unbounded, and a term that goes
    to 0, as a dependence does, would take an infinite factor. Here v is `5 tanh(v / 5)`, which is
    v to the third order around 0, where it is to start, and has a gradient everywhere.

    Args:
        losses: terms of the objective `(n,)`, >= 0; a negative term has no best variance.
        log_variances: what is learned, `(n,)`, 0 to start with.

    Returns:
        0-d; it may be negative.
    """
    return (uncertainty_factors(log_variances) * losses + bounded(log_variances) / 2).sum()


def uncertainty_factors(log_variances: Tensor) -> Tensor:
    """Factors that `uncertainty_loss` puts on the losses, `exp(-v) / 2` of the bounded v.

    Args:
        log_variances: `(n,)`.

    Returns:
        `(n,)`, in [exp(-5) / 2, exp(5) / 2]; 1/2 for 0.
    """
    return torch.exp(-bounded(log_variances)) / 2


def bounded(log_variances: Tensor) -> Tensor:
    """Log variances bent into [-5, 5] by `5 tanh(v / 5)`; not clamped, which would hold them."""
    return LARGEST_LOG_VARIANCE * torch.tanh(log_variances / LARGEST_LOG_VARIANCE)
