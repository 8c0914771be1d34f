"""What every panel is, and what several of them draw."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.svg import tag


@dataclass(frozen=True)
class Panel:
    """A part of a section.

    Attributes:
        name: also that of its template, `templates/panels/<name>.html`.
        title: its heading.
        content: what the template shows.
        missing: why there is nothing to show; the panel is left out then, and listed below.
        asked_for: whether it shows what runs have on request only; where it is left out, nobody
            is told.
    """

    name: str
    title: str
    content: dict[str, Any] = field(default_factory=dict)
    missing: str = ""
    asked_for: bool = False

    @property
    def short(self) -> str:
        """Its name in a sentence."""
        return self.name.replace("_", " ")


@dataclass(frozen=True)
class Figure:
    """A drawing with what stands around it.

    Attributes:
        title: above it.
        svg: the drawing.
        caption: below it; may be empty.
    """

    title: str
    svg: Markup
    caption: str = ""


def key(style: Style) -> Markup:
    """Draw a model's mark to stand beside its name."""
    mark = style.mark(8, 8, 5)
    return tag("svg", mark, class_="key", viewBox="0 0 16 16", aria_hidden="true")


def mean(values: Sequence[float]) -> float:
    """Compute the mean of at least one value."""
    return sum(values) / len(values)
