"""How much is found as the list grows: recall at every k."""

from collections.abc import Sequence

from recbole_invariant.report.charts.lines import Line, line_chart
from recbole_invariant.report.group import Group
from recbole_invariant.report.panels.base import Figure, Panel, mean
from recbole_invariant.report.wording import metric_title, set_title

NAME, TITLE, METRIC = "curves", "Recall as the list grows", "recall"


def make(group: Group) -> Panel:
    """Draw one panel for each test set."""
    size = (760.0, 360.0) if len(group.tests) == 1 else (520.0, 340.0)
    figures = [figure for test in group.tests if (figure := _figure(group, test, size))]
    if not figures:
        missing = "the runs have no recall curves (run.json: curves)"
        return Panel(NAME, TITLE, missing=missing)
    return Panel(NAME, TITLE, {"figures": figures})


def _figure(group: Group, test: str, size: tuple[float, float]) -> Figure | None:
    lines = []
    for label in group.labels:
        curves = [
            curve
            for record in group.records(label)
            if (curve := ((record.get("curves") or {}).get(test) or {}).get(METRIC))
        ]
        if curves:
            ys = mean_curve(curves)
            xs = [float(k) for k in range(1, len(ys) + 1)]
            lines.append(Line(label, group.styles[label], xs, ys))
    if not lines:
        return None
    longest = max(len(line.xs) for line in lines)
    title = metric_title(METRIC)
    label = f"{title} at k from 1 to {longest} on {set_title(test)}, a line a model"
    ticks = [(float(k), str(k)) for k in (1, 10, 20, 50, 100) if k <= longest]
    svg = line_chart(lines, ("k", f"{title}@k"), label, size, zero=True, x_ticks=ticks)
    return Figure(set_title(test), svg)


def mean_curve(curves: Sequence[Sequence[float]]) -> list[float | None]:
    """Average curves over seeds, as far as the shortest of them goes."""
    return [mean(values) for values in zip(*curves, strict=False)]
