"""Min-norm weights of several gradients (PaInvRL Eq. 16-18)."""

import torch
from torch import Tensor

RELATIVE_TOLERANCE = 1e-6


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
