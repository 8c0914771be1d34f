"""SVG elements as escaped markup."""

from collections.abc import Iterable
from math import isfinite

from markupsafe import Markup, escape

CHARACTER = 0.56
"""Mean width of a character of the system fonts, in font sizes; there is no layout to ask."""


def tag(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """Make an element.

    Args:
        name: of the element, ours and never a user's.
        children: markup as it is; any other text is escaped.
        attributes: `_` stands for `-` and a last one is dropped (`class_`); None leaves the
            attribute out; numbers are rounded to hundredths of a pixel.

    Raises:
        ValueError: a number is not finite.
    """
    written = [
        f'{key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    ]
    head = " ".join([name, *written])
    inner = "".join(escape(child) for child in children)
    return Markup(f"<{head}>{inner}</{name}>" if inner else f"<{head}/>")


def joined(parts: Iterable[Markup]) -> Markup:
    """Put elements behind each other."""
    return Markup("").join(parts)


def drawing(width: float, height: float, label: str, *children: Markup) -> Markup:
    """Make a drawing that scales with its column.

    Args:
        width: in pixels at full size; text is 12 px there.
        height: in pixels.
        label: what the drawing shows, for those who cannot see it.
        children: its elements.
    """
    box = f"0 0 {_text(float(width))} {_text(float(height))}"
    style = f"max-width:{_text(float(width))}px"
    return tag("svg", *children, viewBox=box, role="img", aria_label=label, style=style)


def text(x: float, y: float, content: str, class_: str = "", anchor: str | None = None) -> Markup:
    """Write text; `anchor` is `middle` or `end`, or None for the start."""
    return tag("text", content, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Draw a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def path_through(points: Iterable[tuple[float, float]]) -> str:
    """Return the path data of a polyline."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def text_width(content: str, size: float = 12) -> float:
    """Estimate the width of a text in pixels."""
    return CHARACTER * size * len(content)


def _text(value: str | float) -> str:
    if isinstance(value, str):
        return value
    if not isfinite(value):
        raise ValueError(f"{value} cannot be drawn")
    return f"{round(value, 2):g}"
