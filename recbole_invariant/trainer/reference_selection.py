"""Which epoch of the fold models counts: the one that expects the held-out clicks best."""

from typing import Any

import torch
from torch import Tensor

PATIENCE = 5
"""Epochs without a better one before the fold models stop training."""


class LikelihoodSelection:
    """Keeps the fold models to which the clicks that they have not seen are most likely.

    A reference that is trained past that epoch is too sure of itself, and what it did not expect
    looks like over-dispersion: the misfit of a model passes for a property of the data.

    Attributes:
        epoch: the best one, None before the first.
    """

    def __init__(self) -> None:
        self.epoch: int | None = None
        self._likelihood = 0.0
        self._weights: dict[str, Tensor] = {}

    def offer(self, epoch: int, likelihood: float, models: torch.nn.Module) -> bool:
        """Keep the weights if they are the best so far.

        Args:
            epoch: its number, from 0.
            likelihood: mean log-likelihood of the held-out clicks; higher is better.
            models: the fold models.

        Returns:
            Whether there was no better one for too long.
        """
        if self.epoch is None or likelihood > self._likelihood:
            self.epoch, self._likelihood = epoch, likelihood
            self._weights = {name: value.clone() for name, value in models.state_dict().items()}
        return epoch - self.epoch >= PATIENCE

    def restore(self, models: torch.nn.Module) -> None:
        """Put the best weights back, where there are any."""
        if self._weights:
            models.load_state_dict(self._weights)

    def state(self) -> dict[str, Any]:
        """Return what an exact resume needs."""
        return {"epoch": self.epoch, "likelihood": self._likelihood, "weights": self._weights}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.epoch, self._likelihood = state["epoch"], state["likelihood"]
        self._weights = dict(state["weights"])
