"""One option of a search space: what values it can take, and how they are drawn."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = ("choice", "uniform", "loguniform", "int", "logint")
"""How an option is drawn: a given value, a float, a float whose logarithm is uniform, a whole
number, a whole number whose logarithm is uniform. Ends are included."""
STEPPED = ("uniform", "int")
"""The kinds that can have a step."""


@dataclass(frozen=True)
class Dimension:
    """An option that is searched.

    Attributes:
        name: the option.
        kind: one of `KINDS`.
        values: what a choice chooses from.
        low, high: the ends of a range, both included.
        step: distance of the values from `low` on; None where every value in between can be drawn,
            or every whole number.
        when: other option -> the values with which this one is read; an option of the space or one
            that the user fixed. All must hold.
    """

    name: str
    kind: str
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    step: float | None = None
    when: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def ends(self) -> tuple[float, float]:
        """Return low and high of a range.

        Raises:
            TypeError: it is a choice.
        """
        if self.low is None or self.high is None:
            raise TypeError(f"{self.name} is a choice and has no ends")
        return self.low, self.high

    @property
    def size(self) -> int | None:
        """Return the number of values of a choice or of even steps; None of any other range."""
        if self.kind == "choice":
            return len(self.values)
        low, high = self.ends
        step = 1 if self.step is None and self.kind == "int" else self.step
        if step is None:
            return None
        # A little more than nothing: 0.3 / 0.1 is 2.9999999999999996.
        return math.floor((high - low) / step + 1e-9) + 1

    def nth(self, index: int) -> Any:
        """Return a value by its number, from 0, where there is a finite `size`."""
        if self.kind == "choice":
            return self.values[index]
        low, _ = self.ends
        if self.kind == "int":
            return int(low) + index * int(self.step or 1)
        return tidy(low + index * (self.step or 0.0), 12)

    def at(self, share: float) -> Any:
        """Return the value below which a share of the draws lie: the inverse distribution function.

        Args:
            share: in [0, 1).

        Returns:
            Floats are short, so that a table shows what was drawn.
        """
        if self.size is not None:
            return self.nth(min(int(share * self.size), self.size - 1))
        low, high = self.ends
        if self.kind == "logint":
            # Every whole number n has the share of [n, n + 1).
            drawn = math.floor(low * ((high + 1) / low) ** share)
            return int(min(max(drawn, low), high))
        if self.kind == "loguniform":
            return self.rounded(low * (high / low) ** share)
        return self.rounded(low + share * (high - low))

    def rounded(self, value: float) -> float:
        """Return a float of a continuous range, inside it, with the digits that tell draws apart.

        They are six significant ones on a log scale, and a hundred-thousandth of a uniform range.
        """
        low, high = self.ends
        if self.kind == "loguniform":
            short = tidy(value, 6)
        else:
            short = round(value, 5 - math.floor(math.log10(high - low)))
        return float(min(max(short, low), high))

    def smallest(self) -> Any:
        """Return the lowest number; the first choice where not all are numbers."""
        if self.kind != "choice":
            return self.nth(0) if self.size is not None else self.at(0.0)
        return min(self.values) if all(map(is_number, self.values)) else self.values[0]

    def describe(self) -> str:
        """Say in a line what is drawn, and when."""
        if self.kind == "choice":
            text = "one of " + ", ".join(map(str, self.values))
        else:
            low, high = self.ends
            kinds = {
                "uniform": "", "loguniform": ", log scale", "int": ", whole",
                "logint": ", whole, log scale",
            }  # fmt: skip
            step = "" if self.step is None else f" in steps of {self.step:g}"
            text = f"{low:g} to {high:g}{step}{kinds[self.kind]}"
        conditions = [
            f"{other} is {' or '.join(map(str, values))}" for other, values in self.when.items()
        ]
        return f"{self.name}: {text}" + (f"; when {' and '.join(conditions)}" if self.when else "")

    def as_yaml(self) -> dict[str, Any]:
        """Return it as it stands in a file."""
        values = list(self.values) if self.kind == "choice" else list(self.ends)
        found: dict[str, Any] = {self.kind: values}
        if self.step is not None:
            found["step"] = self.step
        if self.when:
            found["when"] = {other: list(allowed) for other, allowed in self.when.items()}
        return found


def tidy(value: float, digits: int) -> float:
    """Return a float with so many significant digits."""
    return float(f"{value:.{digits}g}")


def is_number(value: Any) -> bool:
    """Say whether a value is an int or a float; true and false are no numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(one: Any, other: Any) -> bool:
    """Say whether two values of an option are the same; true is not 1, and a list is its items."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
