"""The picture of the path that a run's training took between IID and OOD."""

from collections.abc import Mapping
from logging import getLogger
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recbole_invariant.evaluation.frontier import pareto_front
from recbole_invariant.evaluation.snapshot_records import (
    frontier_paths,
    named_snapshots,
    shifted_tests,
)
from recbole_invariant.report.plots import DPI, save_figure

MOST_TICKS = 5
MARKERS, FRONT = "sD^vP", "front of all epochs"


def frontier_figure(record: Mapping[str, Any], metric: str) -> Figure | None:
    """Plot IID against every shifted test: a path a stage, the front, and what has a name.

    Args:
        record: the content of `run.json`.
        metric: e.g. `ndcg@10`; it must be one that is better when higher.

    Returns:
        The figure, or None where no frontier was recorded.
    """
    tests = [test for test in shifted_tests(record) if frontier_paths(record, test, metric)]
    if not tests:
        return None
    figure = Figure(figsize=(5 * len(tests), 4.2), dpi=DPI, layout="constrained")
    panels = figure.subplots(1, len(tests), squeeze=False)[0]
    for axes, test in zip(panels, tests, strict=True):
        _draw(axes, record, test, metric)
    panels[0].legend(fontsize="small")
    return figure


def _draw(axes: Axes, record: Mapping[str, Any], test: str, metric: str) -> None:
    """Draw one test's panel."""
    paths = frontier_paths(record, test, metric)
    front = pareto_front([point for path in paths.values() for point in path])
    axes.plot(*front.T, "o--", color="0.6", fillstyle="none", markersize=8, label=FRONT)
    for number, (stage, path) in enumerate(paths.items()):
        colour = f"C{number % 10}"
        axes.plot(*zip(*path, strict=True), color=colour, marker=".", linewidth=0.8, label=stage)
        axes.annotate("first", path[0], fontsize="x-small", color=colour)
    for number, (name, entry) in enumerate(named_snapshots(record).items()):
        iid, ood = (entry.get(split, {}).get(metric) for split in ("iid", test))
        if iid is not None and ood is not None:
            marker = MARKERS[number % len(MARKERS)]
            axes.plot(iid, ood, marker, color="0.3", fillstyle="none", label=name)
    iid, ood = (record["metrics"].get(split, {}).get(metric) for split in ("iid", test))
    if iid is not None and ood is not None:
        axes.plot(iid, ood, "*", color="black", markersize=11, label="selected")
    axes.xaxis.set_major_locator(MaxNLocator(MOST_TICKS))  # more overlap in a small range
    axes.set_xlabel(f"iid {metric}")
    axes.set_ylabel(f"{test} {metric}")


def plot_frontier(run_dir: Path, record: Mapping[str, Any], metric: str) -> None:
    """Write `plots/frontier.png` where a frontier was recorded, and say in the log where it is."""
    figure = frontier_figure(record, metric)
    if figure is not None:
        path = run_dir / "plots" / "frontier.png"
        save_figure(path, figure)
        getLogger().info(f"frontier: {path} shows IID against OOD of every validated epoch")
