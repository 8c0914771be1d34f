"""The paths that training took between IID and OOD, and how far models are above the baseline's."""

from math import isnan

from recbole_invariant.comparison.collect import FoundRun
from recbole_invariant.evaluation.snapshot_records import frontier_paths
from recbole_invariant.report.charts.lines import Line, line_chart
from recbole_invariant.report.group import Group
from recbole_invariant.report.panels.base import Figure, Panel
from recbole_invariant.report.wording import listed, metric_title, set_title, smaller_is_better

NAME, TITLE = "frontier", "On the way to the selected epoch"


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
    content = {"figures": figures, "several": len(group.comparison.seeds) > 1}
    return Panel(NAME, TITLE, content)


def _figure(group: Group, test: str, size: tuple[float, float]) -> Figure | None:
    paths = [line for label in group.labels for line in _paths(group, label, test)]
    if not paths:
        return None
    chosen = [line for label in group.labels if (line := _selected(group, label, test))]
    title = metric_title(group.metric)
    axes = (f"IID {title}", f"{set_title(test)} {title}")
    caption = _margins(group, test)
    words = f"{axes[1]} against {axes[0]}, a path an epoch of training. {caption}"
    return Figure(set_title(test), line_chart([*paths, *chosen], axes, words, size), caption)


def _paths(group: Group, label: str, test: str) -> list[Line]:
    """Return a model's paths, a line a stage and seed; those of the first seed are in full."""
    lines = []
    for number, run in enumerate(group.runs[label]):
        for path in frontier_paths(run.record, test, group.metric).values():
            xs, ys = [iid for iid, _ in path], [ood for _, ood in path]
            lines.append(Line("", group.styles[label], xs, ys, faint=number > 0))
    return lines


def _selected(group: Group, label: str, test: str) -> Line | None:
    """Return the mark of the first seed's selected weights, with the model's name."""
    run: FoundRun = group.runs[label][0]
    iid, ood = (run.record["metrics"].get(name, {}).get(group.metric) for name in ("iid", test))
    if iid is None or ood is None:
        return None
    return Line(label, group.styles[label], [float(iid)], [float(ood)], marked=True)


def _margins(group: Group, test: str) -> str:
    """Say the margins of the other models over the baseline's frontier."""
    table, baseline = group.comparison.margins, group.comparison.baseline
    part = table[(table["test"] == test) & (table["metric"] == group.metric)]
    said = []
    for _, row in part.iterrows():
        if row["model"] == baseline and not row["snapshot"]:
            continue
        name = row["model"] + (f" ({row['snapshot']})" if row["snapshot"] else "")
        words = f"{name} {row['mean']:+.4f}"
        if not isnan(row["low"]):
            words += f" ({row['low']:+.4f} to {row['high']:+.4f})"
        said.append(words)
    if not said:
        return ""
    return f"Margin over the frontier of {baseline} at equal IID, mean over seeds: {listed(said)}."
