"""A representation as a Gaussian: what draws it in training, and where its mean is."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

START_LOG_VARIANCE = -4.0
"""Of an untrained head: a standard deviation of .14, so that noise does not drown the start."""

LOG_VARIANCE_RANGE = (-10.0, 2.0)
"""Beyond it the deviation is that of the end: a representation could otherwise seem independent of
every other by being noise alone."""


@dataclass(frozen=True)
class Posterior:
    """N(mean, variance), a Gaussian a row with independent dimensions.

    Attributes:
        mean: `(rows, size)`.
        log_variance: `(rows, size)`; None for a point, which has no variance.
    """

    mean: Tensor
    log_variance: Tensor | None = None

    def draw(self) -> Tensor:
        """Draw a representation, reparameterised (Kingma & Welling, 2014): `(rows, size)`.

        The noise is of torch's global generator, as dropout is. A point is its mean.
        """
        if self.log_variance is None:
            return self.mean
        deviation = (0.5 * self.log_variance).exp()
        return self.mean + deviation * torch.randn_like(deviation)


class GaussianHead(nn.Module):
    """Makes a posterior of an encoded sequence.

    The linear head of the mean starts as the identity and that of the variance as a constant, so
    that an untrained head leaves what the encoder says.

    Args:
        size: of an encoded sequence and of its representation.
        mean_head: `linear` or `identity`.
        posterior: `gaussian` or `point`.
    """

    def __init__(self, size: int, mean_head: str, posterior: str) -> None:
        super().__init__()
        self.mean: nn.Module = nn.Identity()
        if mean_head == "linear":
            self.mean = _linear(torch.eye(size), 0.0)
        self.log_variance: nn.Linear | None = None
        if posterior == "gaussian":
            self.log_variance = _linear(torch.zeros(size, size), START_LOG_VARIANCE)

    def forward(self, encoded: Tensor) -> Posterior:
        """Return the posterior of each row of `(rows, size)`."""
        mean = self.mean(encoded)
        if self.log_variance is None:
            return Posterior(mean)
        return Posterior(mean, self.log_variance(encoded).clamp(*LOG_VARIANCE_RANGE))


def _linear(weight: Tensor, bias: float) -> nn.Linear:
    """Make a layer with these initial values; nothing is drawn from a generator for it."""
    layer = nn.utils.skip_init(nn.Linear, *weight.shape)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.fill_(bias)
    return layer
