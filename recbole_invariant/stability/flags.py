"""From over-dispersion to flags and a gate: calibrated scores and the decision."""

from dataclasses import dataclass

import torch
from scipy.stats import false_discovery_control, norm
from torch import Tensor

from recbole_invariant.stability.overdispersion import Dispersion


@dataclass(frozen=True)
class Stability:
    """What the gate says of each of the d feature dimensions.

    Attributes:
        excess: relative over-dispersion, (observed - expected) / expected variance `(d,)`.
        score: calibrated score `(d,)`: its null distribution is N(0, 1).
        flagged: dimensions that act in some situations only `(d,)` bool.
        gate: s, what the mask is multiplied by `(d,)`: `floor` where flagged, else 1.
        temperature: of the reference.
    """

    excess: Tensor
    score: Tensor
    flagged: Tensor
    gate: Tensor
    temperature: float = 1.0


def correlation_smoothing(features: Tensor) -> Tensor:
    """Weights that average over dimensions made of the same causes.

    `A_dk = max(rho_dk^2 - 2 / n_items, 0)`, rows scaled to sum 1: dimensions that correlate share
    causes, and averaging their scores is what makes a cause stand out of the noise.

    Args:
        features: standardised, `(n_items, d)`, row 0 padding.

    Returns:
        `(d, d)`, rows sum to 1; a dimension without variance keeps its own score.
    """
    real = features[1:]
    correlation = real.T @ real / max(len(real) - 1, 1)
    weights = (correlation.square() - 2.0 / max(len(real), 1)).clamp_min(0)
    weights = weights + torch.diag((weights.diagonal() <= 0).to(weights))
    return weights / weights.sum(dim=1, keepdim=True)


def calibrated_scores(dispersion: Dispersion, smoothing: Tensor | None) -> Tensor:
    """Score every dimension's over-dispersion in units of its own standard error.

    The error of a smoothed score is that of the same average of every user's excess: users are
    independent, a user's clicks and the dimensions are not. The median over the dimensions is
    taken off before that division, in units of each dimension's own error: what all of them share
    is the reference's misfit. A smoothed score is one of a dimension and what correlates with it.

    Args:
        dispersion: excess variance by user.
        smoothing: weights `(d, d)`, or None for each dimension by itself.

    Returns:
        `(d,)`, about N(0, 1) where the reference is right; 0 for a dimension without variance.
    """
    total = dispersion.clicks.sum().clamp_min(1)
    mean = dispersion.excess.sum(dim=0) / total
    residual = dispersion.excess - dispersion.clicks.unsqueeze(-1) * mean
    error = residual.square().sum(dim=0).sqrt() / total
    known = error > 0
    inverse = torch.where(known, 1 / error.clamp_min(1e-30), torch.zeros_like(error))
    score, parts = mean * inverse, residual * inverse / total
    if smoothing is not None:
        score, parts = smoothing @ score, parts @ smoothing.T
    spread = parts.square().sum(dim=0).sqrt()
    centred = score - score[known].median() if bool(known.any()) else score
    return torch.where(known & (spread > 0), centred / spread.clamp_min(1e-30), 0.0)


def flag(score: Tensor, level: float, share: float = 0.0) -> Tensor:
    """Flag dimensions with the false discovery rate at most `level` (Benjamini, Hochberg 1995).

    With many clicks every misfit of the reference is significant; a share of the largest score is
    a smallest size of the effect that does not depend on the number of clicks.

    Args:
        score: `(d,)`, N(0, 1) for a dimension that is stable; one-sided, large is unstable.
        level: expected share of stable dimensions among the flagged, in (0, 1).
        share: of the largest score, which a flagged dimension's must reach, in [0, 1].

    Returns:
        `(d,)` bool.
    """
    adjusted = false_discovery_control(norm.sf(score.double().cpu().numpy()), method="bh")
    return torch.from_numpy(adjusted <= level).to(score.device) & (score >= share * score.max())


def stability_of(
    dispersion: Dispersion, smoothing: Tensor | None, level: float, share: float, floor: float
) -> Stability:
    """Decide which dimensions are stable.

    Args:
        dispersion: excess variance by user.
        smoothing: weights `(d, d)`, or None.
        level: false discovery rate, in (0, 1).
        share: smallest score of a flagged dimension over the largest one's, in [0, 1].
        floor: gate of a flagged dimension, in [0, 1].
    """
    score = calibrated_scores(dispersion, smoothing)
    flagged = flag(score, level, share)
    total = dispersion.clicks.sum().clamp_min(1)
    expected = dispersion.expected.clamp_min(1e-12)
    excess = dispersion.excess.sum(dim=0) / total / expected
    return Stability(excess, score, flagged, torch.where(flagged, floor, 1.0).to(score.dtype))
