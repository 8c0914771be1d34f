"""Two axes with their grid: what is around every chart of x and y."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from recbole_invariant.report.charts.scale import Scale
from recbole_invariant.report.charts.svg import drawing, joined, line, tag, text


@dataclass(frozen=True)
class Frame:
    """The axes of a chart.

    Attributes:
        width: of the drawing, in pixels.
        height: of the drawing.
        x: horizontal axis.
        y: vertical axis; `start` is its lower end.
        names: of the x and the y axis; an empty one is left out.
        x_ticks: value and text; None chooses.
    """

    width: float
    height: float
    x: Scale
    y: Scale
    names: tuple[str, str] = ("", "")
    x_ticks: Sequence[tuple[float, str]] | None = None

    def draw(self, label: str, *inside: Markup) -> Markup:
        """Draw axes, grid and what stands inside.

        Args:
            label: the drawing in words.
            inside: elements above the grid.
        """
        left, right, top, bottom = self.x.start, self.x.end, self.y.end, self.y.start
        parts = []
        for value, written in self.y.ticks(max(3, int((bottom - top) / 45))):
            y = self.y(value)
            parts += [line(left, y, right, y, "grid"), text(left - 6, y + 4, written, "", "end")]
        ticks = self.x_ticks
        for value, written in (
            self.x.ticks(max(2, int((right - left) / 70))) if (ticks is None) else ticks
        ):
            x = self.x(value)
            parts += [
                line(x, bottom, x, bottom + 4, "axis"),
                text(x, bottom + 17, written, "", "middle"),
            ]
        parts.append(line(left, bottom, right, bottom, "axis"))
        if self.names[0]:
            middle = (left + right) / 2
            parts.append(text(middle, self.height - 6, self.names[0], "axis-name", "middle"))
        if self.names[1]:
            middle = (top + bottom) / 2
            turned = f"translate(13 {middle:.1f}) rotate(-90)"
            attributes = {"class_": "axis-name", "text_anchor": "middle", "transform": turned}
            parts.append(tag("text", self.names[1], **attributes))
        return drawing(self.width, self.height, label, joined(parts), *inside)
