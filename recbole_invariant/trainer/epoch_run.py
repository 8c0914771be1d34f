"""One epoch of a stage that can be left in its middle and taken up again."""

import time
from collections.abc import Iterator
from typing import Any

import torch

from recbole_invariant.errors import InputError
from recbole_invariant.trainer.checkpoint import random_states, set_random_states
from recbole_invariant.trainer.losses import LossMeans
from recbole_invariant.trainer.stage import Stage


class EpochRun:
    """The batches of an epoch that are still to come, and the losses of those that were.

    No loader can be put into the middle of an epoch. So the random states of its beginning are
    kept: from these the same batches come again, and those that were trained on are skipped.

    Args:
        stage: begun.
        number: of the epoch in its stage, from 0.
        model: put into training mode, which may draw random numbers too.

    Attributes:
        losses: of the steps so far.
        n_batches: batches of the whole epoch.
    """

    def __init__(self, stage: Stage, number: int, model: torch.nn.Module) -> None:
        self.stage, self.number = stage, number
        self.losses = LossMeans(stage.name, number)
        self._begun = time.perf_counter()
        self._start = random_sources(stage)
        model.train()
        batches = stage.batches()
        self.n_batches = len(batches)  # type: ignore[arg-type]
        self._iterator = iter(batches)

    @classmethod
    def taken_up(
        cls, stage: Stage, number: int, model: torch.nn.Module, state: dict[str, Any]
    ) -> "EpochRun":
        """Go on from what `state` returned; the caller then loads stage, model, random states.

        Raises:
            InputError: the epoch is shorter than it was.
        """
        set_random_sources(stage, state["start"])
        run = cls(stage, number, model)
        run.losses.load_state(state["losses"])
        run._begun -= state["seconds"]
        for step in range(run.n_steps):
            if next(run._iterator, None) is None:
                raise InputError(
                    f"the checkpoint stands after {run.n_steps} steps of epoch {number} of stage "
                    f"'{stage.name}', but that epoch has {step} now: the training data changed."
                )
        return run

    @property
    def n_steps(self) -> int:
        """Steps taken so far."""
        return self.losses.n_steps

    def __iter__(self) -> Iterator[Any]:
        """Go through the batches that are left."""
        return self._iterator

    def means(self) -> dict[str, float]:
        """Return the mean of each loss over the epoch."""
        return self.losses.means(self.n_batches)

    def seconds(self) -> float:
        """Return how long the epoch has taken, over all its parts."""
        return time.perf_counter() - self._begun

    def state(self) -> dict[str, Any]:
        """Return what `taken_up` needs: tensors and plain values."""
        return {"losses": self.losses.state(), "seconds": self.seconds(), "start": self._start}


def random_sources(stage: Stage) -> dict[str, Any]:
    """Return the states of everything that the batches of a stage may be drawn from."""
    own = {name: generator.get_state() for name, generator in stage.generators().items()}
    return {"global": random_states(), "stage": own}


def set_random_sources(stage: Stage, states: dict[str, Any]) -> None:
    """Put back what `random_sources` returned."""
    for name, generator in stage.generators().items():
        generator.set_state(states["stage"][name])
    set_random_states(states["global"])
