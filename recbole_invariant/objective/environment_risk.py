"""Risks of several environments, their variance (V-REx), and IRMv1 in closed form (IDEA)."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def environment_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy of every row in every environment, over all items.

    Args:
        logits: `(n_environments, rows, n_items)`.
        targets: index of each row's item, the same in all environments, `(rows,)`, int64.

    Returns:
        `(n_environments, rows)`, >= 0, in nats; an environment's risk is the mean of its rows.
    """
    n_environments, rows, n_items = logits.shape
    repeated = targets.expand(n_environments, rows).reshape(-1)
    losses = cross_entropy(logits.reshape(-1, n_items), repeated, reduction="none")
    return losses.view(n_environments, rows)


def risk_variance(risks: Tensor) -> Tensor:
    """Variance of the risks over the environments, unbiased: divided by n_environments - 1.

    Args:
        risks: `(n_environments,)`, two or more.

    Returns:
        0-d, >= 0; exactly 0 for equal risks.

    Raises:
        ValueError: there are fewer than two risks.
    """
    if risks.ndim != 1 or len(risks) < 2:
        raise ValueError(f"risks: expected two or more in one dimension, got {tuple(risks.shape)}")
    # The variance is orders of magnitude below the risks. Around one of them instead of 0, equal
    # risks give 0 and not the rounding of their mean; the gradient is the same.
    return (risks - risks[0].detach()).var(correction=1)


def irmv1_penalty(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """IRMv1's penalty of every environment: the squared slope of its risk in a scale of the logits.

    `|d/dw R_n(w * z)|^2` at w = 1. For cross entropy the slope is
    `mean_rows (sum_j softmax(z)_j z_j - z_target)`, so no second backward pass is needed.
    The same rows stand in both factors of the square, so the estimate is above the squared slope
    of the true risk by its sampling variance, which falls with the number of rows.

    Args:
        logits: `(n_environments, rows, n_items)`.
        targets: `(rows,)`, int64.
        weights: of the rows in each environment `(n_environments, rows)`, of mean 1; logits of one
            environment then stand for all. None weighs all rows alike.

    Returns:
        `(n_environments,)`, >= 0; 0 where the logits are calibrated as a whole.
    """
    expected = torch.linalg.vecdot(logits.softmax(dim=-1), logits)
    index = targets.expand(len(logits), -1).unsqueeze(-1)
    chosen = logits.gather(-1, index).squeeze(-1)
    slopes = expected - chosen
    return (slopes if weights is None else weights * slopes).mean(dim=-1).square()
