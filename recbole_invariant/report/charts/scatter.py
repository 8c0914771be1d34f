"""Points with error bars in two directions, and the Pareto front."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from recbole_invariant.report.charts.frame import Frame
from recbole_invariant.report.charts.intervals import Estimate
from recbole_invariant.report.charts.labels import Place, place_labels
from recbole_invariant.report.charts.names import fitting_names
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.scale import spanning
from recbole_invariant.report.charts.svg import joined, line, path_through, tag, text_width

NAME_SHARE = 0.45
"""Of the width of a drawing, what a name may take."""


@dataclass(frozen=True)
class Point:
    """A model.

    Attributes:
        label: its name.
        style: its look.
        x: its value on the x axis.
        y: its value on the y axis.
        racing: whether it may be on the Pareto front.
        named: whether its name is written; the mouse over its mark shows it anyway.
    """

    label: str
    style: Style
    x: Estimate
    y: Estimate
    racing: bool = True
    named: bool = True


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Find the points that no other one beats.

    A point is beaten by one that is at least as high on both axes and higher on one.

    Returns:
        Their positions, from the highest x downwards; equal points are all in it.
    """
    order = sorted(range(len(points)), key=lambda k: (-points[k][0], -points[k][1]))
    front: list[int] = []
    for k in order:
        if not front or points[k][1] > points[front[-1]][1] or points[k] == points[front[-1]]:
            front.append(k)
    return front


def scatter(
    points: Sequence[Point],
    axes: tuple[str, str],
    label: str,
    size: tuple[float, float] = (520, 380),
    bigger: tuple[bool, bool] = (True, True),
) -> Markup:
    """Draw models as points, with the Pareto front as a staircase.

    Args:
        points: at least one; of points in one place the later lies above.
        axes: names of the x and the y axis.
        label: the drawing in words.
        size: width and height in pixels.
        bigger: whether higher is better on the x and the y axis.
    """
    width, height = size
    longest = int(NAME_SHARE * width / text_width("m"))
    shown = fitting_names([point.label for point in points if point.named], longest)
    room = max(map(text_width, shown.values()), default=0.0)
    frame = Frame(
        width,
        height,
        spanning([v for p in points for v in _ends(p.x)], 66, width - min(40 + room / 2, 90)),
        spanning([v for p in points for v in _ends(p.y)], height - 46, 22),
        axes,
    )
    centres = [(frame.x(point.x.mean), frame.y(point.y.mean)) for point in points]
    parts = [_front(points, frame, bigger)]
    for point, (x, y) in zip(points, centres, strict=True):
        bars = f"interval thin {point.style.colour}"
        if point.x.low is not None and point.x.high is not None:
            parts.append(line(frame.x(point.x.low), y, frame.x(point.x.high), y, bars))
        if point.y.low is not None and point.y.high is not None:
            parts.append(line(x, frame.y(point.y.low), x, frame.y(point.y.high), bars))
    for point, (x, y) in zip(points, centres, strict=True):
        tip = f"{point.label}: {axes[0]} {point.x.mean:.4f}, {axes[1]} {point.y.mean:.4f}"
        parts.append(point.style.mark(x, y, 6, tip))
    # a name also keeps clear of points that have none
    names = [shown.get(point.label, "") if point.named else "" for point in points]
    places = place_labels(centres, names, width, frame.y.start)
    for point, name, centre, place in zip(points, names, centres, places, strict=True):
        if not name:
            continue
        if place.leader is not None:
            parts.append(line(*centre, *place.leader, f"leader {point.style.colour}"))
        parts.append(_name(name, point.label, place))
    return frame.draw(label, joined(parts))


def _name(shown: str, label: str, place: Place) -> Markup:
    """Write a name that is shown whole under the mouse."""
    at = {"x": place.x, "y": place.y}
    tip = tag("title", label)
    return tag("text", shown, tip, **at, class_="point-name", text_anchor=place.anchor)


def far_behind(points: Sequence[tuple[float, float]], keep: int = 3) -> list[int]:
    """Find points so far behind on both axes that they would squeeze all others together.

    A point is one if all others are higher on both axes and, without it, span less than half as
    much on both.

    Args:
        points: x and y.
        keep: points that stay at least.

    Returns:
        Their positions.
    """
    inside = list(range(len(points)))
    while len(inside) > keep:
        last = min(inside, key=lambda k: points[k])
        rest = [k for k in inside if k != last]
        behind = all(
            points[k][0] > points[last][0] and points[k][1] > points[last][1] for k in rest
        )
        if not behind or not all(
            _span(points, rest, axis) < 0.5 * _span(points, inside, axis) for axis in (0, 1)
        ):
            break
        inside = rest
    return sorted(set(range(len(points))) - set(inside))


def _span(points: Sequence[tuple[float, float]], chosen: Sequence[int], axis: int) -> float:
    values = [points[k][axis] for k in chosen]
    return max(values) - min(values)


def _ends(estimate: Estimate) -> list[float | None]:
    return [estimate.low, estimate.mean, estimate.high]


def _front(points: Sequence[Point], frame: Frame, bigger: tuple[bool, bool]) -> Markup:
    """Draw the staircase beyond which every point is beaten: below and left, if higher is better.

    Its ends lead to the axes' worse ends.
    """
    values = [(point.x.mean, point.y.mean) for point in points if point.racing]
    if not values:
        return joined([])
    sign_x, sign_y = (1 if higher else -1 for higher in bigger)
    front = pareto_front([(sign_x * x, sign_y * y) for x, y in values])
    stairs = [values[k] for k in front]
    floor_y = frame.y.start if bigger[1] else frame.y.end
    wall_x = frame.x.start if bigger[0] else frame.x.end
    corners = [(frame.x(stairs[0][0]), floor_y)]
    for (x, y), after in zip(stairs, [*stairs[1:], None], strict=True):
        corners.append((frame.x(x), frame.y(y)))
        if after is not None:
            corners.append((frame.x(after[0]), frame.y(y)))
    corners.append((wall_x, frame.y(stairs[-1][1])))
    return tag("path", d=path_through(corners), class_="front")
