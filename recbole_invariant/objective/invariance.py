"""Penalties that ask for the same gradient in every environment (PaInvRL Eq. 11)."""

from typing import Literal

from torch import Tensor

VarianceReduction = Literal["mean", "sum"]


def gradient_variance_penalty(
    gradients: Tensor, gate: Tensor, reduction: VarianceReduction = "mean"
) -> Tensor:
    """Squared norm of the gated variance of the environments' gradients, L_IRM of Eq. 11.

    `L_IRM = sum_{r,c} (V_rc * gate_c)^2` with
    `V = (1/E) sum_e (g_e - mean_e g)^2`, elementwise.

    Args:
        gradients: gradient of each environment's loss with respect to the projection,
            `(environments, rows, d)`.
        gate: the mask of the d feature dimensions, `(d,)`.
        reduction: `mean` divides the variance by the number of environments (the paper), `sum`
            does not (InvRL's code; the penalty is then E^2 larger).

    Returns:
        0-d tensor, >= 0; exactly 0 for equal gradients or one environment.

    Raises:
        ValueError: `reduction` is neither.
    """
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction: expected 'mean' or 'sum', got {reduction!r}")
    spread = (gradients - gradients.mean(dim=0, keepdim=True)).square()
    variance = spread.mean(dim=0) if reduction == "mean" else spread.sum(dim=0)
    return (variance * gate).square().sum()
