"""In against out of distribution: who pays for robustness, and who gets it for nothing."""

from recbole_invariant.report.charts.scatter import (
    Point,
    far_behind,
    pareto_front,
    scatter,
)
from recbole_invariant.report.group import Group
from recbole_invariant.report.panels.base import Figure, Panel
from recbole_invariant.report.wording import listed, metric_title, set_title, smaller_is_better

NAME, TITLE = "trade_off", "In against out of distribution"


def make(group: Group) -> Panel:
    """Draw one scatter for each shifted test."""
    if not group.ood_tests:
        return Panel(NAME, TITLE, missing="there is no out-of-distribution test")
    if "iid" not in group.tests:
        return Panel(NAME, TITLE, missing="there is no IID test to set beside the shifted one")
    if smaller_is_better(group.metric):
        missing = f"{metric_title(group.metric)} is better when lower"
        return Panel(NAME, TITLE, missing=missing)
    size = (760.0, 400.0) if len(group.ood_tests) == 1 else (520.0, 380.0)
    figures = [figure for test in group.ood_tests if (figure := _figure(group, test, size))]
    if not figures:
        return Panel(NAME, TITLE, missing="fewer than two models have both tests")
    return Panel(NAME, TITLE, {"figures": figures, "intervals": group.has_intervals})


def _figure(group: Group, test: str, size: tuple[float, float]) -> Figure | None:
    points = []
    for label in group.labels:
        x, y = group.estimate(label, "iid"), group.estimate(label, test)
        if x is not None and y is not None:
            racing = label not in group.truth_knowing
            points.append(Point(label, group.styles[label], x, y, racing))
    if len(points) < 2:
        return None
    able = [point for point in points if point.racing]
    values = [(point.x.mean, point.y.mean) for point in able]
    front, behind = pareto_front(values), far_behind(values)
    title = metric_title(group.metric)
    caption = f"On the Pareto front: {listed([able[k].label for k in front])}."
    if behind:
        left_out = [f"{able[k].label} ({values[k][0]:.3f}, {values[k][1]:.3f})" for k in behind]
        caption += f" Far below and left of the drawing: {listed(left_out)}."
    points = [point for point in points if point not in [able[k] for k in behind]]
    axes = (f"IID {title}", f"{set_title(test)} {title}")
    label = f"{axes[1]} against {axes[0]}, a point a model. {caption}"
    return Figure(set_title(test), scatter(points, axes, label, size), caption)
