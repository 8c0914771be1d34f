"""Names beside points, each in a free place, with a line to it where that is farther away."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot

from recbole_invariant.report.charts.svg import text_width

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""

ABOVE, BELOW = 10, 3
"""Pixels that a name takes above and below its baseline."""

RADIUS = 7
"""Half of the room that a point's mark takes."""

NEAR = [
    (11, 4, "start"),
    (-11, 4, "end"),
    (0, -11, "middle"),
    (0, 20, "middle"),
    (9, -8, "start"),
    (9, 17, "start"),
    (-9, -8, "end"),
    (-9, 17, "end"),
]
"""Offsets of a name from its point that need no line."""

CROWD = 30
"""Pixels within which points count as neighbours."""

STEP, FARTHEST = 15, 240
"""Pixels between the places tried farther away, and where trying ends."""


@dataclass(frozen=True)
class Place:
    """Where a name stands.

    Attributes:
        x: of the text.
        y: of its baseline.
        anchor: `start`, `middle` or `end` of the text is at x.
        leader: end of a line from the point to the name; None where the name is next to it.
    """

    x: float
    y: float
    anchor: str
    leader: tuple[float, float] | None = None

    def box(self, name: str) -> Box:
        """Return the room that a name takes there."""
        size = text_width(name)
        left = self.x - {"start": 0.0, "middle": size / 2, "end": size}[self.anchor]
        return left, self.y - ABOVE, left + size, self.y + BELOW


def place_labels(
    centres: Sequence[tuple[float, float]],
    names: Sequence[str],
    width: float,
    height: float,
) -> list[Place]:
    """Find a place for each name near its point, away from points and earlier names.

    Names go to the nearest free place; where none is free, to the one that covers least.

    Args:
        centres: pixels of the points.
        names: their names.
        width: of the drawing; names stay inside.
        height: of the part where names may stand.
    """
    taken = [(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in centres]
    placed: dict[int, Place] = {}
    # who stands at the edge of a crowd takes the place beside it; the rest moves away
    for k in sorted(range(len(centres)), key=lambda k: _neighbours(centres, k)):
        centre, name = centres[k], names[k]
        best: tuple[float, Place] | None = None
        for place in _places(centre):
            box = place.box(name)
            outside = _outside(box, width, height)
            cost = 1000.0 * outside + sum(_overlap(box, other) for other in taken)
            if best is None or cost < best[0] - 1e-9:
                best = cost, place
            if cost == 0:
                break
        if best is None:
            raise ValueError("there are no places to try")
        taken.append(best[1].box(name))
        placed[k] = best[1]
    return [placed[k] for k in range(len(centres))]


def _neighbours(centres: Sequence[tuple[float, float]], k: int) -> int:
    """Count the points near a point."""
    x, y = centres[k]
    return sum(hypot(a - x, b - y) < CROWD for a, b in centres)


def _places(centre: tuple[float, float]) -> Iterator[Place]:
    """List places for a name, the nearest first."""
    x, y = centre
    for dx, dy, anchor in NEAR:
        yield Place(x + dx, y + dy, anchor)
    for distance in range(STEP, FARTHEST, STEP):
        # down a column at each side of the point, then farther out
        for out in (16, 40, 80):
            for sign in (-1, 1):
                middle = y + sign * (distance + 6)
                for side, anchor in ((1, "start"), (-1, "end")):
                    end = (x + side * out, middle)
                    yield Place(end[0] + side * 2, middle + 4, anchor, end)


def _outside(box: Box, width: float, height: float) -> float:
    """Compute by how much a box leaves the drawing."""
    left, top, right, bottom = box
    return max(-left, 0.0) + max(-top, 0.0) + max(right - width, 0.0) + max(bottom - height, 0.0)


def _overlap(one: Box, other: Box) -> float:
    """Compute the area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
