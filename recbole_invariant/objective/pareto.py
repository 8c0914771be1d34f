"""Min-norm weights of several gradients (PaInvRL Eq. 16-18; MGDA, Desideri 2012)."""

import math

import torch
from torch import Tensor

RELATIVE_TOLERANCE = 1e-6
RIDGE = RELATIVE_TOLERANCE**2
GAP = 1e-14
COLUMNS = 2**16
ROUNDS_PER_GRADIENT = 20


def min_norm_weight(erm_gradient: Tensor, irm_gradient: Tensor) -> Tensor:
    """Weight of the ERM gradient in the shortest convex combination of the two.

    Solves `min_w |w g_erm + (1 - w) g_irm|^2` on [0, 1]: the clipped closed form of Eq. 17
    and 18. Where the result is inside (0, 1), the combination has the same positive inner
    product with both gradients, so a step against it lowers both losses.

    Args:
        erm_gradient: any shape.
        irm_gradient: the same shape.

    Returns:
        0-d float64 tensor in [0, 1]. 0.5 where the gradients agree to one millionth of the longer
        one, or are both zero: every weight is then optimal. Invariant to a common scale, which
        is why both are divided by the longer norm first (an absolute epsilon would be wrong for
        small gradients, and squares overflow for large ones).
    """
    erm = erm_gradient.detach().reshape(-1).to(torch.float64)
    irm = irm_gradient.detach().reshape(-1).to(torch.float64)
    # A power-free scale first: the norm itself overflows or underflows for extreme gradients.
    largest = torch.maximum(erm.abs().max(), irm.abs().max())
    half = torch.full((), 0.5, dtype=torch.float64, device=erm.device)
    if largest == 0:
        return half
    erm, irm = erm / largest, irm / largest
    scale = torch.maximum(erm.norm(), irm.norm())
    erm, irm = erm / scale, irm / scale
    difference = erm - irm
    if difference.norm() <= RELATIVE_TOLERANCE:
        return half
    return (-difference.dot(irm) / difference.dot(difference)).clamp(0.0, 1.0)


def min_norm_weights(gradients: Tensor) -> Tensor:
    """Weights of the gradients in their shortest convex combination.

    Solves `min_w |sum_i w_i g_i|^2` on the simplex by Wolfe's method (1976). The combination has
    an inner product of at least its own squared norm with every gradient, so a step against it
    lowers all losses; where no such step exists it is zero.

    Args:
        gradients: `(n, dim)`, one a row, finite.

    Returns:
        `(n,)`, float64, >= 0, of sum 1. The squared norm is above the smallest one by at most
        1e-11 of the longest gradient's. Among equally good weights the most even ones are taken,
        so equal gradients share theirs, and zero gradients share all. Invariant to a common scale.
        Not finite gradients give NaN.
    """
    rows = gradients.detach()
    largest = rows.abs().amax().double()
    n = len(rows)
    if not largest.isfinite():
        return torch.full((n,), math.nan, dtype=torch.float64, device=rows.device)
    if largest == 0:
        return torch.full((n,), 1 / n, dtype=torch.float64, device=rows.device)
    products = torch.zeros(n, n, dtype=torch.float64, device=rows.device)
    # A few columns at a time: a float64 copy of all gradients would be large.
    for some in rows.split(COLUMNS, dim=1):
        scaled = some.double() / largest
        products += scaled @ scaled.T
    return _simplex_minimum(products.cpu()).to(rows.device)


def _simplex_minimum(products: Tensor) -> Tensor:
    """Minimise `w' products w` on the simplex; products of gradients `(n, n)`, not all zero."""
    n = len(products)
    # The ridge makes the minimum unique. It moves the weights as much as a difference of the
    # gradients of one millionth of the longest, the tolerance of `min_norm_weight`.
    scaled = products / products.diagonal().max() + RIDGE * torch.eye(n, dtype=torch.float64)
    weights = torch.zeros(n, dtype=torch.float64)
    first = int(scaled.diagonal().argmin())
    weights[first] = 1.0
    support = [first]
    for _ in range(ROUNDS_PER_GRADIENT * n):
        slopes = scaled @ weights
        steepest = int(slopes.argmin())
        value = float(slopes @ weights)
        if float(slopes[steepest]) >= value - GAP or steepest in support:
            break
        found, support = _on_support(scaled, weights, [*support, steepest])
        if float(found @ scaled @ found) >= value:  # Rounding is all that is left.
            break
        weights = found
    return weights / weights.sum()


def _on_support(products: Tensor, weights: Tensor, support: list[int]) -> tuple[Tensor, list[int]]:
    """Minimise over the affine hull of the support; leave out what would be negative.

    Returns:
        The weights `(n,)`, >= 0, and the support, which is where they are positive.
    """
    while True:
        solved = torch.linalg.solve(
            products[support][:, support], torch.ones(len(support), dtype=torch.float64)
        )
        target = solved / solved.sum()
        if bool((target > 0).all()):
            weights = torch.zeros_like(weights)
            weights[support] = target
            return weights, support
        current = weights[support]
        # Go to the minimum as far as no weight is negative, and drop those that reach zero.
        leaves = target <= 0
        falls = torch.where(leaves & (current > 0), current - target, 1.0)
        steps = torch.where(leaves, current / falls, math.inf)
        moved = current + steps.min() * (target - current)
        moved[steps.argmin()] = 0.0
        kept = [i for i, weight in zip(support, moved.tolist(), strict=True) if weight > 0]
        weights = torch.zeros_like(weights)
        weights[support] = moved.clamp_min(0.0)
        support = kept
