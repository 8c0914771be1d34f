"""From values to pixels, and where the ticks stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10


@dataclass(frozen=True)
class Scale:
    """A linear axis.

    Attributes:
        low: value at the pixel `start`.
        high: value at the pixel `end`; larger than `low`.
        start: pixel of the lower end; may be larger than `end`, as on a y axis.
        end: pixel of the upper end.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[tuple[float, str]]:
        """Return about as many round values within the axis as wanted, with their text.

        Three at least where three are wanted: one alone says nothing of the scale.
        """
        step = nice_step((self.high - self.low) / max(wanted, 1))
        if wanted >= 3 and self._inside(step) < 3:
            step = nice_step(step / 2.5)
        # a step of 5e-3 has 3 decimals
        decimals = max(0, -floor(log10(step) + 1e-9))
        first, n = -floor(-self.low / step + 1e-9), self._inside(step)
        return [(k * step, f"{k * step:.{decimals}f}") for k in range(first, first + n)]

    def _inside(self, step: float) -> int:
        """Count the multiples of a step within the axis; one at an end, but for rounding, is."""
        return floor(self.high / step + 1e-9) + floor(-self.low / step + 1e-9) + 1


class LogScale(Scale):
    """A logarithmic axis; `low` is above 0."""

    def __call__(self, value: float) -> float:
        """Return the pixel of a value above 0."""
        share = log10(value / self.low) / log10(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[tuple[float, str]]:
        """Return at most about as many values as wanted, with their text.

        They are 1, 2 and 5 times powers of ten where there is room for these, else such powers, or
        every second, third, ... of them.
        """
        first, last = floor(log10(self.low) + 1e-9), ceil(log10(self.high) - 1e-9)
        powers = [float(f"1e{k}") for k in range(first, last + 1)]
        for factors in ((1, 2, 5), (1, 3), (1,)):
            found = self._within([factor * power for power in powers for factor in factors])
            if len(found) <= wanted:
                break
        else:
            found = found[:: ceil(len(found) / wanted)]
        # an axis within a decade may have none of these
        return [(v, f"{v:g}") for v in (found if len(found) > 1 else [self.low, self.high])]

    def _within(self, values: Iterable[float]) -> list[float]:
        slack = 1 + 1e-9
        return [value for value in values if self.low / slack <= value <= self.high * slack]


def nice_step(rough: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten that is no less than `rough` > 0."""
    power = 10.0 ** floor(log10(rough))
    return next(float(m * power) for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))


def spanning(
    values: Iterable[float | None],
    start: float,
    end: float,
    zero: bool = False,
    margin: float = 0.06,
) -> Scale:
    """Make an axis that shows all values.

    Args:
        values: those that are None or not finite are passed over.
        start: pixel of the lower end.
        end: pixel of the upper end.
        zero: whether the axis begins at 0, for values that are never negative.
        margin: share of the span left free at either end.
    """
    shown = [value for value in values if value is not None and isfinite(value)]
    low, high = (min(shown), max(shown)) if shown else (0.0, 1.0)
    if zero:
        low = min(low, 0.0)
    if high - low <= 1e-12 * max(1.0, abs(high)):
        half = abs(high) * 0.1 or 0.5
        low, high = (low, high + 2 * half) if zero else (low - half, high + half)
    span = high - low
    below = 0.0 if zero and low == 0 else margin * span
    return Scale(low - below, high + margin * span, start, end)
