"""How values in [0, 1] spread."""

from collections.abc import Sequence

from markupsafe import Markup

from recbole_invariant.report.charts.frame import Frame
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.scale import Scale
from recbole_invariant.report.charts.svg import joined, line, tag, text

BINS = 20


def bin_shares(values: Sequence[float], bins: int = BINS) -> list[float]:
    """Compute the share of the values in each of `bins` equal parts of [0, 1].

    A value on the border of two parts counts in the upper one, 1 in the last.
    """
    counts = [0] * bins
    for value in values:
        counts[min(int(value * bins), bins - 1)] += 1
    return [count / max(len(values), 1) for count in counts]


def histogram(values: Sequence[float], style: Style, label: str, highest: float) -> Markup:
    """Draw the shares of values in [0, 1].

    Args:
        values: at least one.
        style: its colour is taken.
        label: the drawing in words.
        highest: upper end of the axis of shares, the same for panels to be compared.
    """
    frame = Frame(
        250,
        140,
        Scale(0.0, 1.0, 40, 240),
        Scale(0.0, max(highest, 0.05), 118, 12),
        x_ticks=[(0.0, "0"), (0.5, "0.5"), (1.0, "1")],
    )
    parts = []
    for number, share in enumerate(bin_shares(values)):
        if share:
            left, right = frame.x(number / BINS), frame.x((number + 1) / BINS)
            tip = f"{number / BINS:.2f} to {(number + 1) / BINS:.2f}: {share:.0%} of the dimensions"
            box = {"x": left + 0.5, "y": frame.y(share), "width": right - left - 1}
            height = frame.y(0) - frame.y(share)
            classes = f"bar {style.colour}"
            parts.append(tag("rect", tag("title", tip), height=height, class_=classes, **box))
    mean = sum(values) / len(values)
    at = frame.x(mean)
    anchor = "end" if mean > 0.5 else None
    parts.append(line(at, 12, at, 118, "reference"))
    parts.append(text(at + (-4 if mean > 0.5 else 4), 22, f"mean {mean:.2f}", "note", anchor))
    return frame.draw(label, joined(parts))
