"""Models as rows, a dot with its interval for each test set beside each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from markupsafe import Markup

from recbole_invariant.report.charts.names import fitting_names
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.scale import Scale, spanning
from recbole_invariant.report.charts.svg import drawing, joined, line, tag, text, text_width

WIDTH, ROW, TOP, BOTTOM = 1080.0, 34.0, 52.0, 30.0
GAP = 26.0
"""Pixels between two columns."""

VALUE_ROOM = 46.0
"""Pixels kept free at the right end of a column, for the value written beside the dot."""

MOST_NAME_ROOM = 300.0
"""Pixels kept for the names at the left, at most; longer ones are shortened."""

TICK_ROOM = 38.0
"""Pixels from one number below a column to the next, at least."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval; `low` and `high` are None where there is none."""

    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class IntervalRow:
    """One model.

    Attributes:
        label: its name.
        style: its look.
        estimates: test set -> value; a missing one leaves a gap.
        remark: what is said of it at the right.
        tone: CSS class of the remark: `good`, `bad` or `muted`.
        emphasised: whether the row is set off.
    """

    label: str
    style: Style
    estimates: Mapping[str, Estimate]
    remark: str = ""
    tone: str = "muted"
    emphasised: bool = False


@dataclass(frozen=True)
class IntervalColumn:
    """One test set.

    Attributes:
        name: key of the rows' estimates.
        title: what stands above it.
        weight: its share of the width.
        reference: value of the dashed line, the baseline's, or None.
        quiet: drawn hollow, as what the reader should look at second.
    """

    name: str
    title: str
    weight: float = 1.0
    reference: float | None = None
    quiet: bool = False


def interval_plot(
    rows: Sequence[IntervalRow],
    columns: Sequence[IntervalColumn],
    label: str,
    remarks: str = "",
) -> Markup:
    """Draw models below each other, test sets beside each other; every column has its own axis.

    Args:
        rows: in the order to be shown, best first.
        columns: at least one.
        label: the drawing in words.
        remarks: what stands above the remarks at the right.
    """
    names = 36 + max(text_width(row.label, 14) for row in rows)
    left = min(max(names, 120.0), MOST_NAME_ROOM)
    right = max([text_width(words, 13) + 12 for words in (remarks, *(row.remark for row in rows))])
    height = TOP + ROW * len(rows) + BOTTOM
    usable = WIDTH - left - right - GAP * len(columns)
    unit = usable / sum(column.weight for column in columns)
    parts = [_row_names(rows, left), text(WIDTH - 8, 18, remarks, "column-title quiet", "end")]
    x = left
    for column in columns:
        width = unit * column.weight
        parts.append(_column(rows, column, x, x + width))
        x += width + GAP
    return drawing(WIDTH, height, label, *parts)


def _middle(number: int) -> float:
    return TOP + ROW * (number + 0.5)


def _row_names(rows: Sequence[IntervalRow], left: float) -> Markup:
    """Write names, remarks and the band of what is emphasised."""
    longest = int((left - 32) / text_width("m", 14))
    shown = fitting_names([row.label for row in rows], longest)
    parts = []
    for number, row in enumerate(rows):
        y = _middle(number)
        if row.emphasised:
            band = {"x": 0.0, "y": y - ROW / 2 + 1, "width": WIDTH, "height": ROW - 2, "rx": 6.0}
            parts.append(tag("rect", class_="band", **band))
        bold = "row-name strong" if row.emphasised else "row-name"
        parts.append(row.style.mark(14, y, 5))
        tip = tag("title", row.label)
        parts.append(tag("text", shown[row.label], tip, x=28.0, y=y + 5, class_=bold))
        parts.append(text(WIDTH - 8, y + 4.5, row.remark, f"remark {row.tone}", "end"))
    return joined(parts)


def _column(
    rows: Sequence[IntervalRow], column: IntervalColumn, start: float, end: float
) -> Markup:
    found = [(k, row.estimates.get(column.name)) for k, row in enumerate(rows)]
    ends = [v for _, e in found if e is not None for v in (e.low, e.mean, e.high)]
    scale = spanning([*ends, column.reference], start + 4, end - VALUE_ROOM)
    bottom = TOP + ROW * len(rows)
    title = "column-title quiet" if column.quiet else "column-title"
    parts = [text(start, 18, column.title, title)]
    ticks = scale.ticks(max(3, int((end - start) / 90)))
    # a narrow column has room for the text of some only
    apart = abs(scale(ticks[1][0]) - scale(ticks[0][0])) if len(ticks) > 1 else TICK_ROOM
    for value, written in ticks[:: max(1, ceil(TICK_ROOM / apart))]:
        x = scale(value)
        parts += [line(x, TOP - 6, x, bottom, "grid"), text(x, bottom + 18, written, "", "middle")]
    if column.reference is not None:
        x = scale(column.reference)
        parts += [line(x, TOP - 8, x, bottom, "reference"), text(x, TOP - 12, "baseline", "note")]
    for number, estimate in found:
        if estimate is not None:
            parts.append(_dot(rows[number], column, estimate, scale, _middle(number)))
    return joined(parts)


def _dot(
    row: IntervalRow, column: IntervalColumn, estimate: Estimate, scale: Scale, y: float
) -> Markup:
    x, parts, right = scale(estimate.mean), [], scale(estimate.mean) + 7
    if estimate.low is not None and estimate.high is not None:
        low, high = scale(estimate.low), scale(estimate.high)
        parts.append(line(low, y, high, y, f"interval {row.style.colour}"))
        right = max(right, high)
    tip = f"{row.label}, {column.title}: {estimate.mean:.4f}"
    hollow = "hollow" if column.quiet else ""
    mark = tag("g", row.style.mark(x, y, 6, tip), class_=hollow or None)
    bold = "value strong" if row.emphasised and not column.quiet else "value"
    written = text(right + 5, y + 4.5, f"{estimate.mean:.3f}", bold)
    return joined([*parts, mark, written])
