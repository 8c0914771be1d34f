"""Environments in which an attribute follows another with other odds, made by weighting rows.

An extractor changes what a model sees; the law from a sequence to the next item stays. Here the
law changes: in each environment the attribute of the next item, given that of the item before it,
is tilted at random. What holds in all of them does not use that transition. Pure functions.
"""

import torch
from torch import Tensor

UNKNOWN = 0
"""Attribute of padding, masks, fakes and items that have none."""


def draw_tilts(
    n_environments: int, n_values: int, scale: float, generator: torch.Generator
) -> Tensor:
    """Draw how much each environment prefers each transition.

    Args:
        n_environments: N.
        n_values: number of attribute values, `UNKNOWN` included.
        scale: standard deviation of a tilt, >= 0; from about 3 on an environment mostly has one
            attribute after each.
        generator: source of randomness.

    Returns:
        `(n_environments, n_values, n_values)`: environment, attribute before, attribute after; in
        log-odds, 0 where either is unknown.
    """
    shape = (n_environments, n_values, n_values)
    tilts = scale * torch.randn(shape, generator=generator, device=generator.device)
    tilts[:, UNKNOWN] = 0.0
    tilts[:, :, UNKNOWN] = 0.0
    return tilts


def transition_weights(tilts: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Weigh the rows of a batch so that transitions have an environment's odds.

    The rows of one attribute before keep their number: `w_i = exp(tilt_i) * n_c / sum_c exp(tilt)`,
    summed over the rows with the attribute c of row i. So what comes before is not shifted, and a
    row that is alone with its attribute keeps its weight of 1.

    Args:
        tilts: `(n_environments, n_values, n_values)`.
        before: attribute of the item before each target `(rows,)`.
        after: attribute of each target `(rows,)`.

    Returns:
        `(n_environments, rows)`, > 0; of mean 1 in every environment.
    """
    n_values = tilts.shape[1]
    chosen = tilts.flatten(1).index_select(1, before * n_values + after)
    # the largest tilt of each attribute is taken off: exp cannot overflow, the weights stay
    rows = before.expand_as(chosen)
    largest = torch.full((len(tilts), n_values), -torch.inf, device=tilts.device)
    largest = largest.scatter_reduce(1, rows, chosen, "amax")
    weights = (chosen - largest.gather(1, rows)).exp()
    total = torch.zeros_like(largest).scatter_add(1, rows, weights)
    count = torch.bincount(before, minlength=n_values)
    return weights * (count / total.clamp(min=1e-12)).gather(1, rows)


def transition_log_ratio(before: Tensor, after: Tensor, n_values: int, smoothing: float) -> Tensor:
    """Estimate `log P(after | before) - log P(after)` from the rows of a training set.

    Args:
        before: attribute of the item before each target `(rows,)`.
        after: attribute of each target `(rows,)`.
        n_values: number of attribute values, `UNKNOWN` included.
        smoothing: rows of the marginal that are added to each attribute before, > 0; a transition
            that was never seen keeps a finite ratio.

    Returns:
        `(n_values, n_values)`; 0 where either is unknown or the one after was never a target.
    """
    known = (before != UNKNOWN) & (after != UNKNOWN)
    pairs = before[known] * n_values + after[known]
    counts = torch.bincount(pairs, minlength=n_values**2).view(n_values, n_values).double()
    ratio = _log_ratio(counts, counts.sum(1, keepdim=True), counts.sum(0), smoothing, counts.sum())
    ratio[UNKNOWN] = 0.0
    return ratio


def row_log_ratio(before: Tensor, after: Tensor, smoothing: float) -> Tensor:
    """Look every row up in its `transition_log_ratio`, without the table of all pairs of values.

    Args:
        before: see there.
        after: see there.
        smoothing: see there.

    Returns:
        `(rows,)`; 0 where either is unknown.
    """
    ratio = torch.zeros(len(before))
    known = (before != UNKNOWN) & (after != UNKNOWN)
    if known.any():
        first, second = before[known], after[known]
        pairs = first * (second.max() + 1) + second
        counts, n_first, n_second = map(_how_often, (pairs, first, second))
        ratio[known] = _log_ratio(counts, n_first, n_second, smoothing, known.sum().double())
    return ratio


def _log_ratio(
    pairs: Tensor, before: Tensor, after: Tensor, smoothing: float, total: Tensor
) -> Tensor:
    """Compute the ratio from counts of pairs, of either attribute and of all rows."""
    marginal = after / total.clamp(min=1.0)
    conditional = (pairs + smoothing * marginal) / (before + smoothing)
    return torch.where(marginal > 0, conditional / marginal.clamp(min=1e-12), 1.0).log().float()


def _how_often(values: Tensor) -> Tensor:
    """Count for each value how often it is there, `(n,)` float64."""
    _, place, counts = values.unique(return_inverse=True, return_counts=True)
    return counts.double()[place]
