"""When the next checkpoint is due."""

import time


class Cadence:
    """Counts steps and minutes since the last checkpoint.

    Args:
        minutes: between two checkpoints; 0 asks for one at the end of every epoch, and none by
            time within it.
        steps: between two checkpoints; 0 asks for none by steps.
    """

    def __init__(self, minutes: float | None, steps: int | None) -> None:
        self._seconds, self._steps = 60.0 * (minutes or 0.0), steps or 0
        self.reset()

    def reset(self) -> None:
        """Begin again, after a checkpoint."""
        self._last, self._taken = time.monotonic(), 0

    def count(self) -> None:
        """Count a step."""
        self._taken += 1

    def is_due(self, inside: bool) -> bool:
        """Say whether it is time.

        Args:
            inside: whether an epoch is going on; at its end `minutes: 0` is always due.
        """
        by_steps = 0 < self._steps <= self._taken
        by_time = time.monotonic() - self._last >= self._seconds
        return by_steps or (by_time and (self._seconds > 0 or not inside))
