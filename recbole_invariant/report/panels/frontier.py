"""The paths that training took between IID and OOD, and how far models are above the baseline's."""

from collections.abc import Sequence

from recbole_invariant.comparison.cells import MIN_SEEDS
from recbole_invariant.comparison.collect import FoundRun
from recbole_invariant.evaluation.snapshot_records import frontier_paths
from recbole_invariant.report.charts.lines import Line, line_chart
from recbole_invariant.report.group import Group
from recbole_invariant.report.panels.base import Figure, Panel
from recbole_invariant.report.panels.margin_table import (
    SELECTED,
    group_margins,
    selected_table,
    snapshot_table,
)
from recbole_invariant.report.wording import metric_title, set_title, smaller_is_better

NAME, TITLE = "frontier", "On the way to the selected epoch"

MOST_NAMES = 8
"""Lines without a path that are all named in a figure; of more, only those not below the front."""


def make(group: Group) -> Panel:
    """Draw one figure for each shifted test of which there is a path."""
    if smaller_is_better(group.metric):
        missing = f"{metric_title(group.metric)} is better when lower"
        return Panel(NAME, TITLE, missing=missing, asked_for=True)
    size = (760.0, 400.0) if len(group.ood_tests) == 1 else (520.0, 380.0)
    figures = [figure for test in group.ood_tests if (figure := _figure(group, test, size))]
    if not figures:
        missing = "no run was made with frontier: true"
        return Panel(NAME, TITLE, missing=missing, asked_for=True)
    content = {
        "figures": figures,
        "several": len(group.comparison.seeds) > 1,
        "seeds": group.comparison.seeds,
        "baseline": group.comparison.baseline,
        "metric": metric_title(group.metric),
        "level": f"{group.comparison.level:.0%}",
        "least": MIN_SEEDS,
        "selected": selected_table(group),
        "snapshots": snapshot_table(group),
    }
    return Panel(NAME, TITLE, content)


def _figure(group: Group, test: str, size: tuple[float, float]) -> Figure | None:
    paths = {label: _paths(group, label, test) for label in group.labels}
    if not any(paths.values()):
        return None
    nameless = _nameless(group, test, [label for label, found in paths.items() if not found])
    chosen = [
        line
        for label in group.labels
        if (line := _selected(group, label, test, label not in nameless))
    ]
    title = metric_title(group.metric)
    axes = (f"IID {title}", f"{set_title(test)} {title}")
    caption = _legend(len(nameless))
    words = f"{axes[1]} against {axes[0]}, a path an epoch of training. {caption}".rstrip()
    lines = [line for found in paths.values() for line in found]
    return Figure(set_title(test), line_chart([*lines, *chosen], axes, words, size), caption)


def _nameless(group: Group, test: str, pathless: Sequence[str]) -> set[str]:
    """Choose the lines whose names would only cover the picture: many, and below the frontier."""
    if len(pathless) <= MOST_NAMES:
        return set()
    margins = group_margins(group)
    found = {label: margins.get((label, SELECTED, test)) for label in pathless}
    return {label for label, row in found.items() if row is not None and row["mean"] < 0}


def _legend(n_nameless: int) -> str:
    """Say which marks have no name; empty where all have one."""
    if not n_nameless:
        return ""
    lines = "line without a path of its" if n_nameless == 1 else "lines without a path of their"
    return (
        f"Marks without a name: {n_nameless} {lines} own and with a mean margin below zero; the "
        "table below has every line's mark."
    )


def _paths(group: Group, label: str, test: str) -> list[Line]:
    """Return a model's paths, a line a stage and seed; those of the first seed are in full."""
    lines = []
    for number, run in enumerate(group.runs[label]):
        for path in frontier_paths(run.record, test, group.metric).values():
            xs, ys = [iid for iid, _ in path], [ood for _, ood in path]
            lines.append(Line("", group.styles[label], xs, ys, faint=number > 0))
    return lines


def _selected(group: Group, label: str, test: str, named: bool) -> Line | None:
    """Return the mark of the first seed's selected weights, with the model's name or without."""
    run: FoundRun = group.runs[label][0]
    iid, ood = (run.record["metrics"].get(name, {}).get(group.metric) for name in ("iid", test))
    if iid is None or ood is None:
        return None
    style = group.styles[label]
    return Line(label, style, [float(iid)], [float(ood)], marked=True, named=named)
