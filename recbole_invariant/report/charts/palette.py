"""One look for each model, the same in every panel: a colour and a shape."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from recbole_invariant.report.charts.svg import path_through, tag

N_COLOURS = 8
"""`.c0` to `.c7` in style.css: Okabe and Ito's colours, made darker where they are pale."""

CORNERS: dict[str, list[tuple[float, float]]] = {
    "square": [(-0.89, -0.89), (0.89, -0.89), (0.89, 0.89), (-0.89, 0.89)],
    "diamond": [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)],
    "triangle": [(0, -1.2), (1.1, 0.9), (-1.1, 0.9)],
    "turned": [(0, 1.2), (1.1, -0.9), (-1.1, -0.9)],
    "cross": [
        *[(-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4)],
        *[(0.4, 1.2), (-0.4, 1.2), (-0.4, 0.4), (-1.2, 0.4), (-1.2, -0.4), (-0.4, -0.4)],
    ],
}
SHAPES = ("circle", *CORNERS)


@dataclass(frozen=True)
class Style:
    """How a model looks.

    Attributes:
        colour: CSS class, `c0` to `c7`.
        shape: one of `SHAPES`; colours come back after eight models, with other shapes.
        dashed: whether its lines are, so that those of a colour can be told apart.
    """

    colour: str
    shape: str
    dashed: bool = False

    def mark(self, x: float, y: float, radius: float = 4.5, title: str = "") -> Markup:
        """Draw the model's mark around a point; the title shows when the mouse is on it."""
        classes = f"mark {self.colour}"
        tip = [tag("title", title)] if title else []
        if self.shape == "circle":
            return tag("circle", *tip, cx=x, cy=y, r=radius, class_=classes)
        corners = [(x + radius * dx, y + radius * dy) for dx, dy in CORNERS[self.shape]]
        return tag("path", *tip, d=path_through(corners) + "Z", class_=classes)


def assign_styles(labels: Iterable[str]) -> dict[str, Style]:
    """Give every label a look of its own, in the order in which they first occur.

    With up to 48 models no two look the same.
    """
    styles = {}
    for number, label in enumerate(dict.fromkeys(labels)):
        shape = SHAPES[(number % N_COLOURS + number // N_COLOURS) % len(SHAPES)]
        styles[label] = Style(f"c{number % N_COLOURS}", shape, number >= N_COLOURS)
    return styles
