"""How training went: the validation metric and the loss of every stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from recbole_invariant.comparison.collect import FoundRun
from recbole_invariant.report.charts.lines import Line, line_chart
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.scale import nice_step
from recbole_invariant.report.group import Group
from recbole_invariant.report.panels.base import Panel
from recbole_invariant.report.plots import read_history
from recbole_invariant.report.wording import metric_title

NAME, TITLE = "training", "Training"
MOST_POINTS = 400
"""A line has no more points than this: a browser draws thousands slowly, and nobody sees them."""

History = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class TrainingCard:
    """One model's training; a drawing is None where there is nothing to draw."""

    label: str
    style: Style
    stages: str
    validation: Markup | None
    loss: Markup | None


def make(group: Group) -> Panel:
    """Draw a card for each model."""
    cards = [card for label in group.labels if (card := _card(group, label))]
    if not cards:
        return Panel(NAME, TITLE, missing="no run folder has a history.jsonl of several epochs")
    content = {"cards": cards, "several": len(group.comparison.seeds) > 1}
    return Panel(NAME, TITLE, content)


def _card(group: Group, label: str) -> TrainingCard | None:
    runs = group.runs[label]
    histories = [history for run in runs if (history := read_history(run.folder / "history.jsonl"))]
    if not histories or max(map(len, histories)) < 2:
        return None  # nothing was trained, as with Pop
    style = group.styles[label]
    borders = stage_borders(histories[0])
    metric = str(runs[0].record.get("selection", {}).get("metric", ""))
    lines = [
        _line(style, validations(history, metric), faint=number > 0)
        for number, history in enumerate(histories)
    ]
    lines = [line for line in lines if line.ys]
    title = metric_title(metric)
    longest = max(map(len, histories))
    ends, ticks = (1.0, float(longest)), epoch_ticks(longest)
    validation = loss = None
    if lines:
        words = f"Validation {title} of {label} over the epochs of its training"
        validation = line_chart(
            lines,
            ("", f"valid {title}"),
            words,
            (350, 170),
            x_ticks=ticks,
            borders=borders,
            x_range=ends,
        )
    scaled = scaled_losses(histories[0])
    if scaled:
        words = f"Loss of {label} over the epochs of its training, each stage on its own scale"
        curves = [_line(style, piece) for piece in scaled]
        loss = line_chart(
            curves,
            ("epoch", "loss"),
            words,
            (350, 130),
            x_ticks=ticks,
            borders=borders,
            x_range=ends,
        )
    return TrainingCard(label, style, _stages(runs[0]), validation, loss)


def _line(style: Style, points: Sequence[tuple[int, float]], faint: bool = False) -> Line:
    thin = points[:: -(-len(points) // MOST_POINTS)] if points else []
    return Line("", style, [float(x) for x, _ in thin], [y for _, y in thin], faint=faint)


def validations(history: History, metric: str) -> list[tuple[int, float]]:
    """List epoch of the run (from 1) and validation metric, where one was measured."""
    found = []
    for epoch, row in enumerate(history, start=1):
        value = (row.get("valid") or {}).get(metric)
        if value is not None:
            found.append((epoch, float(value)))
    return found


def scaled_losses(history: History) -> list[list[tuple[int, float]]]:
    """List epoch and loss by stage, scaled to [0, 1] within a stage, for their sizes differ.

    The loss is the first one that a stage reports. A stage whose loss never changes is left out.
    """
    stages: dict[str, list[tuple[int, float]]] = {}
    for epoch, row in enumerate(history, start=1):
        value = next(iter((row.get("losses") or {}).values()), None)
        if value is not None:
            stages.setdefault(str(row.get("stage")), []).append((epoch, float(value)))
    scaled = []
    for points in stages.values():
        low, high = min(y for _, y in points), max(y for _, y in points)
        if high > low:
            scaled.append([(x, (y - low) / (high - low)) for x, y in points])
    return scaled


def epoch_ticks(n_epochs: int) -> list[tuple[float, str]]:
    """Choose about five whole epochs, with their text."""
    step = max(1, round(nice_step(n_epochs / 5)))
    return [(float(epoch), str(epoch)) for epoch in range(step, n_epochs + 1, step)]


def stage_borders(history: History) -> list[float]:
    """List where one stage ends and the next begins, between two epochs."""
    names = [row.get("stage") for row in history]
    return [k + 0.5 for k in range(1, len(names)) if names[k] != names[k - 1]]


def _stages(run: FoundRun) -> str:
    stages = run.record.get("stages", [])
    return " → ".join(f"{stage['name']} ({stage['epochs']})" for stage in stages)
