"""Lines over a common x axis, named at their right ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from markupsafe import Markup

from recbole_invariant.report.charts.frame import Frame
from recbole_invariant.report.charts.names import fitting_names
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.scale import spanning
from recbole_invariant.report.charts.svg import joined, line, path_through, tag, text_width

NAME_HEIGHT, LEADER = 14.0, 16.0
NAME_START = LEADER + 8
"""Pixels from the end of a line to its name."""


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        label: its name, shortened where it would leave the drawing; an empty one is not written.
        style: its look.
        xs: positions; rising, but for a path that is drawn as it goes.
        ys: values; None breaks the line.
        lows: lower ends of the error bars, or empty.
        highs: upper ends.
        faint: drawn thin and pale.
        marked: whether every point has the model's mark.
        named: whether the label is written; the mouse over the line or a mark shows it anyway.
        tip: what the mouse shows in place of the label, and of a mark's place and value.
    """

    label: str
    style: Style
    xs: Sequence[float]
    ys: Sequence[float | None]
    lows: Sequence[float | None] = field(default_factory=list)
    highs: Sequence[float | None] = field(default_factory=list)
    faint: bool = False
    marked: bool = False
    named: bool = True
    tip: str = ""


def line_chart(
    lines: Sequence[Line],
    axes: tuple[str, str],
    label: str,
    size: tuple[float, float] = (520, 320),
    zero: bool = False,
    x_ticks: Sequence[tuple[float, str]] | None = None,
    borders: Sequence[float] = (),
    x_range: tuple[float, float] | None = None,
) -> Markup:
    """Draw lines.

    Args:
        lines: at least one point in all.
        axes: names of the x and the y axis.
        label: the drawing in words.
        size: width and height in pixels.
        zero: whether the y axis begins at 0.
        x_ticks: positions and texts; None chooses.
        borders: positions of thin vertical lines, e.g. where one stage ends.
        x_range: ends of the x axis; None takes those of the lines.
    """
    width, height = size
    names = [text_width(one.label) for one in lines if one.label and one.named]
    room = min(max(names) + LEADER + 12, width * 0.45) if names else 12
    bottom = height - (40 if axes[0] else 24)
    values = [v for one in lines for v in (*one.ys, *one.lows, *one.highs)]
    xs = x_range or [x for one in lines for x in one.xs]
    x_scale = spanning(xs, 66, width - room, margin=0.01)
    frame = Frame(width, height, x_scale, spanning(values, bottom, 14, zero), axes, x_ticks)
    parts = [line(frame.x(at), 14, frame.x(at), bottom, "border") for at in borders]
    # what is faint lies below
    parts += [_draw(one, frame) for one in sorted(lines, key=lambda one: not one.faint)]
    parts.append(_names(lines, frame))
    return frame.draw(label, *parts)


def _draw(one: Line, frame: Frame) -> Markup:
    dashed = " dashed" if one.style.dashed else ""
    classes = f"line {one.style.colour}{dashed}" + (" faint" if one.faint else "")
    parts = []
    for piece in _pieces(one):
        shown = [(frame.x(x), frame.y(y)) for x, y in piece]
        if len(shown) == 1:  # a line of one point cannot be seen
            parts.append(one.style.mark(*shown[0], 2.5))
        words = one.tip or one.label
        tip = [tag("title", words)] if words else []
        parts.append(tag("path", *tip, d=path_through(shown), class_=classes))
    for x, low, high in zip(one.xs, one.lows, one.highs, strict=False):
        if low is not None and high is not None:
            at = frame.x(x)
            bar = f"interval thin {one.style.colour}"
            parts.append(line(at, frame.y(low), at, frame.y(high), bar))
    if one.marked:
        for x, y in zip(one.xs, one.ys, strict=True):
            if y is not None:
                tip_text = one.tip or f"{one.label} at {x:g}: {y:.4f}"
                parts.append(one.style.mark(frame.x(x), frame.y(y), 4.5, tip_text))
    return joined(parts)


def _pieces(one: Line) -> list[list[tuple[float, float]]]:
    """Cut a line where values are missing."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(one.xs, one.ys, strict=True):
        if y is None:
            pieces.append([])
        else:
            pieces[-1].append((x, y))
    return [piece for piece in pieces if piece]


def _names(lines: Sequence[Line], frame: Frame) -> Markup:
    """Write each line's name at its end, moved up or down until no two overlap."""
    ends = []
    for one in lines:
        last = [(x, y) for x, y in zip(one.xs, one.ys, strict=True) if y is not None][-1:]
        if one.label and one.named and last:
            ends.append((frame.y(last[0][1]), frame.x(last[0][0]), one))
    ends.sort(key=lambda end: end[0])
    bounds = frame.y.end - 6, frame.y.start
    # what is farthest right has the least room
    room = frame.width - max((x for _, x, _ in ends), default=0.0) - NAME_START
    shown = fitting_names([one.label for _, _, one in ends], int(room / text_width("m")))
    places = spread([y for y, _, _ in ends], NAME_HEIGHT, bounds)
    parts = []
    for (y, x, one), place in zip(ends, places, strict=True):
        parts.append(line(x, y, x + LEADER, place, f"leader {one.style.colour}"))
        parts.append(one.style.mark(x + LEADER, place, 4))
        at = {"x": x + NAME_START, "y": place + 4}
        tip = tag("title", one.tip or one.label)
        parts.append(tag("text", shown[one.label], tip, **at, class_="line-name"))
    return joined(parts)


def spread(
    places: Sequence[float], distance: float, bounds: tuple[float, float] = (-inf, inf)
) -> list[float]:
    """Move places apart as little as needed, keeping their order.

    Args:
        places: rising.
        distance: between neighbours, at least.
        bounds: least and greatest place; the greatest gives way where there is no room.

    Returns:
        The places with the least sum of squared moves (pool adjacent violators, cut to the
        bounds).
    """
    # without the distances the task is the nearest rising sequence
    blocks: list[tuple[float, int]] = []
    for number, place in enumerate(places):
        mean, count = place - number * distance, 1
        while blocks and blocks[-1][0] > mean:
            before, size = blocks.pop()
            mean, count = (before * size + mean * count) / (size + count), size + count
        blocks.append((mean, count))
    level = [mean for mean, count in blocks for _ in range(count)]
    least, greatest = bounds[0], bounds[1] - distance * (len(level) - 1)
    cut = [max(min(mean, greatest), least) for mean in level]
    return [mean + number * distance for number, mean in enumerate(cut)]
