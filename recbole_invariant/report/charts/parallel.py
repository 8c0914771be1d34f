"""Parallel coordinates: an axis for each quantity, a line through all of them for each case."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from recbole_invariant.report.charts.names import fitting_names
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.scale import LogScale, Scale
from recbole_invariant.report.charts.svg import drawing, joined, line, path_through, tag, text
from recbole_invariant.report.charts.svg import text_width as width_of

WIDTH, HEIGHT = 1080.0, 400.0
TOP, BOTTOM = 62.0, 350.0
"""Pixels of the ends of the axes; names stand above, what has no value below."""

ABSENT = BOTTOM + 28.0
"""Pixel where lines pass an axis on which they have no value."""

LEFT, RIGHT = 90.0, 1000.0
NAME_GAP = 12.0
TICKS = 6

Value = float | str | None


@dataclass(frozen=True)
class Axis:
    """One quantity.

    Attributes:
        name: what stands above it.
        categories: its values from the bottom up, where it is none of numbers.
        low: lower end of numbers.
        high: upper end of numbers.
        log: whether the numbers have a logarithmic axis; low is above 0 then.
        whole: whether they are whole numbers only.
        absent: what stands below it where a line has no value.
    """

    name: str
    categories: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    whole: bool = False
    absent: str = "not set"

    def place(self, value: Value) -> float:
        """Return the pixel of a value; of one that is not on the axis that of `ABSENT`."""
        if self.categories:
            if value not in self.categories:
                return ABSENT
            room = (BOTTOM - TOP) / len(self.categories)
            return BOTTOM - room * (self.categories.index(str(value)) + 0.5)
        if value is None or isinstance(value, str):
            return ABSENT
        return self._scale()(value)

    def ticks(self) -> list[tuple[float, str]]:
        """List values with their pixels and texts."""
        if self.categories:
            return [(self.place(name), name) for name in self.categories]
        found = self._scale().ticks(TICKS)
        if self.whole:
            found = [(v, f"{round(v)}") for v, _ in found if abs(v - round(v)) < 1e-9]
        return [(self.place(value), written) for value, written in found]

    def _scale(self) -> Scale | LogScale:
        if self.high == self.low:  # one value only stands in the middle
            half = abs(self.low) * 0.1 or 0.5
            return Scale(self.low - half, self.high + half, BOTTOM, TOP)
        return (LogScale if self.log else Scale)(self.low, self.high, BOTTOM, TOP)


@dataclass(frozen=True)
class Case:
    """One line.

    Attributes:
        label: shown under the mouse.
        style: its look.
        values: one an axis; None, or a category that the axis lacks, passes below it.
        classes: further CSS classes, e.g. `strong`.
    """

    label: str
    style: Style
    values: Sequence[Value]
    classes: str = ""


def parallel_coordinates(axes: Sequence[Axis], cases: Sequence[Case], label: str) -> Markup:
    """Draw cases as lines over axes that stand beside each other.

    Args:
        axes: at least two.
        cases: those that come later lie above.
        label: the drawing in words.
    """
    step = (RIGHT - LEFT) / (len(axes) - 1)
    places = [LEFT + step * k for k in range(len(axes))]
    columns = [[axis.place(case.values[k]) for case in cases] for k, axis in enumerate(axes)]
    parts = []
    for x, column in zip(places, columns, strict=True):
        parts.append(line(x, TOP - 8, x, BOTTOM + 8, "axis"))
        if ABSENT in column:
            parts.append(line(x, BOTTOM + 8, x, ABSENT + 6, "reference"))
    for k, case in enumerate(cases):
        points = [(x, column[k]) for x, column in zip(places, columns, strict=True)]
        dashed = " dashed" if case.style.dashed else ""
        look = f"line case {case.style.colour}{dashed} {case.classes}".rstrip()
        parts.append(tag("path", tag("title", case.label), d=path_through(points), class_=look))
    for number, (axis, x, column) in enumerate(zip(axes, places, columns, strict=True)):
        last = number == len(axes) - 1
        parts += [_tick(x, y, written, last) for y, written in axis.ticks()]
        if ABSENT in column:
            parts.append(_tick(x, ABSENT, axis.absent, last))
    parts.append(_names(axes, places, step))
    return drawing(WIDTH, HEIGHT, label, joined(parts))


def _tick(x: float, y: float, written: str, last: bool) -> Markup:
    """Write a value beside its axis: to the right of the last, to the left of the others."""
    side, anchor = (7, None) if last else (-7, "end")
    return joined(
        [line(x - 3, y, x + 3, y, "axis"), text(x + side, y + 4, written, "tick", anchor)]
    )


def _names(axes: Sequence[Axis], places: Sequence[float], step: float) -> Markup:
    """Write the names above the axes, in two rows where one has no room for them."""
    names = [axis.name for axis in axes]
    pairs = pairwise(map(width_of, names))
    crowded = any((one + other) / 2 > step - NAME_GAP for one, other in pairs)
    room = (2 * step if crowded else step) - NAME_GAP
    shown = fitting_names(names, int(room / width_of("m")))
    parts = []
    for number, (name, x) in enumerate(zip(names, places, strict=True)):
        y = TOP - 20 - (18 if crowded and number % 2 else 0)
        if crowded and number % 2:
            parts.append(line(x, y + 6, x, TOP - 8, "leader"))
        half = width_of(shown[name]) / 2
        # names at the ends stay inside of the drawing
        x = min(max(x, half + 2), WIDTH - half - 2)
        attributes = {"class_": "axis-title", "text_anchor": "middle"}
        parts.append(tag("text", shown[name], tag("title", name), x=x, y=y, **attributes))
    return joined(parts)
