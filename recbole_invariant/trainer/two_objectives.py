"""How the empirical and the invariant risk are weighed against each other at a step."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from recbole_invariant.objective.pareto import min_norm_weight
from recbole_invariant.trainer.mask_options import MaskOptions


class ObjectiveWeights(NamedTuple):
    """Weights of a step.

    Attributes:
        erm: factor of the gradient of L_ERM, scaling included.
        irm: factor of the gradient of L_IRM, scaling included.
        share: what the rule gave L_ERM before any scaling (w_ERM of Eq. 18).
    """

    erm: Tensor
    irm: Tensor
    share: Tensor


def gradient_scales(
    options: MaskOptions,
    erm_gradient: Tensor,
    irm_gradient: Tensor,
    erm: Tensor,
    irm: Tensor,
    first: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Factors that the two gradients are multiplied by before they are weighed.

    `none` is the paper's; `l2` gives both length 1, which makes the min-norm weight exactly
    1/2; `first` gives both the length `first` that L_ERM's had at the stage's first step, so that
    the pull of the regulariser keeps its strength beside them; `loss` divides each by its loss. A
    vanishing norm or loss gives factor 1.
    """
    one = torch.ones_like(erm)
    if options.gradient_norm == "none":
        return one, one
    if options.gradient_norm in ("l2", "first"):
        sizes = (erm_gradient.norm(), irm_gradient.norm())
    else:
        sizes = (erm.abs(), irm.abs())
    length = one if first is None or options.gradient_norm != "first" else first
    erm_scale, irm_scale = (torch.where(size > 0, length / size, one) for size in sizes)
    return erm_scale, irm_scale


def objective_weights(
    options: MaskOptions,
    erm_gradient: Tensor,
    irm_gradient: Tensor | None,
    erm: Tensor,
    irm: Tensor,
    first: Tensor | None = None,
) -> ObjectiveWeights:
    """Weights of L_ERM and L_IRM at this step (Eq. 17, 18 for the rule `adaptive`).

    Args:
        options: the rule, the fixed weights and the scaling.
        erm_gradient: gradient of L_ERM with respect to the mask `(d,)`.
        irm_gradient: gradient of L_IRM, or None when the penalty is off.
        erm: L_ERM.
        irm: L_IRM.
        first: length of L_ERM's gradient at the stage's first step.

    Returns:
        0-d tensors >= 0. For `adaptive` without scaling the first two sum to 1.
    """
    one, zero = torch.ones_like(erm), torch.zeros_like(erm)
    if options.rule == "erm" or irm_gradient is None:
        erm_weight = one * (options.erm_weight if options.rule == "fixed" else 1.0)
        return ObjectiveWeights(erm_weight, zero, erm_weight)
    if options.rule == "irm":
        return ObjectiveWeights(zero, one, zero)
    if options.rule == "fixed":
        erm_weight = one * options.erm_weight
        return ObjectiveWeights(erm_weight, one * options.irm_weight, erm_weight)
    erm_scale, irm_scale = gradient_scales(options, erm_gradient, irm_gradient, erm, irm, first)
    weight = min_norm_weight(erm_scale * erm_gradient, irm_scale * irm_gradient).to(erm.dtype)
    return ObjectiveWeights(weight * erm_scale, (1 - weight) * irm_scale, weight)


def combine_gradients(
    parameters: Sequence[Tensor],
    erm_gradients: Sequence[Tensor | None],
    irm_gradients: Sequence[Tensor | None],
    weights: ObjectiveWeights,
) -> list[Tensor]:
    """Add up the two gradients of every parameter with the step's weights; None counts as 0."""
    combined = []
    for parameter, erm, irm in zip(parameters, erm_gradients, irm_gradients, strict=True):
        total = torch.zeros_like(parameter)
        if erm is not None:
            total = total + weights.erm * erm
        if irm is not None:
            total = total + weights.irm * irm
        combined.append(total)
    return combined
