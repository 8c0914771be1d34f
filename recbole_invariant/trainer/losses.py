"""The losses of an epoch: their means, and a stop where one is not finite."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from recbole_invariant.errors import TrainingError


class LossMeans:
    """Sums the losses of an epoch's steps.

    Args:
        stage: name of the stage, for the message of an error.
        epoch: its number, for that too.

    Attributes:
        n_steps: steps added so far.
    """

    def __init__(self, stage: str, epoch: int) -> None:
        self._where = f"stage '{stage}', epoch {epoch}"
        self._totals: dict[str, float] = {}
        self.n_steps = 0

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Add the losses of a step.

        Raises:
            TrainingError: one is not finite.
        """
        for name, value in losses.items():
            loss = float(value)
            if loss - loss != 0.0:  # neither NaN nor infinite
                raise TrainingError(
                    f"{self._where}, batch {self.n_steps}: {name} is {loss}. Lower learning_rate "
                    "or look at the features for outliers; the run folder keeps the last "
                    "checkpoint, if there is one."
                )
            self._totals[name] = self._totals.get(name, 0.0) + loss
        self.n_steps += 1

    def means(self, n_batches: int) -> dict[str, float]:
        """Return the mean of each loss over the batches of the epoch."""
        return {name: total / max(n_batches, 1) for name, total in self._totals.items()}

    def state(self) -> dict[str, Any]:
        """Return the sums so far; they are exact as JSON."""
        return {"totals": dict(self._totals), "steps": self.n_steps}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned."""
        self._totals, self.n_steps = dict(state["totals"]), int(state["steps"])
