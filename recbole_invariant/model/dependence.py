"""How dependent two representations are, by the option `independence`."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from recbole_invariant.objective.information import (
    club_bound,
    cross_covariance,
    gaussian_nll,
    hsic,
    squared_cosine,
)

XCOV, HSIC, CLUB, ORTH, DIB, MAXIMIZE = "xcov", "hsic", "club", "orth", "dib", "maximize"


class Dependence(nn.Module, ABC):
    """A measure of the dependence of two representations, 0 where it finds none."""

    @abstractmethod
    def forward(self, adjustment: Tensor, spurious: Tensor) -> Tensor:
        """Measure it.

        Args:
            adjustment: t `(rows, size)`.
            spurious: s `(rows, size)`.

        Returns:
            0-d, >= 0.
        """


class CrossCovariance(Dependence):
    """Squared correlations of all pairs of dimensions: linear HSIC."""

    def forward(self, adjustment: Tensor, spurious: Tensor) -> Tensor:
        """Return the mean squared correlation, in [0, 1]."""
        return cross_covariance(adjustment, spurious)


class KernelDependence(Dependence):
    """HSIC with Gaussian kernels, on some rows of a batch.

    Args:
        rows: at most so many, spread evenly over the batch: its cost is their square.
    """

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows

    def forward(self, adjustment: Tensor, spurious: Tensor) -> Tensor:
        """Return the normalised HSIC, in [0, 1]."""
        rows = spread_rows(len(adjustment), self.rows, adjustment.device)
        return hsic(adjustment[rows], spurious[rows])


class SquaredCosine(Dependence):
    """Squared cosine of t and s of the same row: weak, it decorrelates one direction only."""

    def forward(self, adjustment: Tensor, spurious: Tensor) -> Tensor:
        """Return the mean squared cosine, in [0, 1]."""
        return squared_cosine(adjustment, spurious)


class ClubDependence(Dependence):
    """CLUB (Cheng et al., 2020): an upper bound of I(t; s) while q(s | t) is accurate.

    q is a network that is fitted beside the model by `negative_log_likelihood`.

    Args:
        size: of both representations.
        hidden: units of q's hidden layer.
    """

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(size, hidden), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(hidden, size), nn.Linear(hidden, size)

    def estimate(self, adjustment: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of q(s | t), `(rows, size)` each."""
        hidden = self.shared(adjustment)
        # tanh bounds the variance, without which a row that q is sure of makes the bound explode
        return self.mean(hidden), 4.0 * torch.tanh(self.log_variance(hidden))

    def negative_log_likelihood(self, adjustment: Tensor, spurious: Tensor) -> Tensor:
        """Return what q is fitted by; neither representation learns from it. 0-d."""
        return gaussian_nll(*self.estimate(adjustment.detach()), spurious.detach())

    def forward(self, adjustment: Tensor, spurious: Tensor) -> Tensor:
        """Return the bound in nats, >= 0."""
        return club_bound(*self.estimate(adjustment), spurious)


def spread_rows(n_rows: int, most: int, device: torch.device) -> Tensor:
    """Choose at most so many rows of a batch, evenly spread: `(min(n_rows, most),)`."""
    chosen = min(n_rows, most)
    return torch.arange(chosen, device=device) * n_rows // chosen


def build_dependence(config: Any, size: int) -> Dependence | None:
    """Make the measure that the option `independence` names.

    Args:
        config: the options.
        size: of both representations.

    Returns:
        The measure; None for dib, which has none. `maximize` rewards what xcov punishes.
    """
    kind = config["independence"]
    if kind in (XCOV, MAXIMIZE):
        return CrossCovariance()
    if kind == HSIC:
        return KernelDependence(config["hsic_rows"])
    if kind == ORTH:
        return SquaredCosine()
    if kind == CLUB:
        return ClubDependence(size, config["club_hidden"])
    return None
