"""What two objectives leave to choose from: the Pareto set of the trials."""

from recbole_invariant.report.charts.intervals import Estimate
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.scatter import Point, scatter
from recbole_invariant.report.panels.base import Figure, Panel
from recbole_invariant.report.panels.search_history import left_out
from recbole_invariant.report.searches import Search, better_side, objective_title
from recbole_invariant.report.wording import listed

NAME, TITLE = "search_pareto", "Pareto set"


def make(search: Search) -> Panel:
    """Draw the trials by their two objectives, with those that no other beats."""
    if len(search.objectives) == 1:
        return Panel(NAME, TITLE, missing="the search has one objective", asked_for=True)
    if len(search.objectives) > 2:
        return Panel(NAME, TITLE, missing="drawn for two objectives only")
    one, other = search.objectives
    points, n_behind = [], 0
    for trial in search.upwards:
        x, y = search.value(trial, one), search.value(trial, other)
        if x is None or y is None:
            continue
        if not (search.is_drawn(trial, one) and search.is_drawn(trial, other)):
            n_behind += 1
            continue
        n, look = trial["number"], search.looks[trial["number"]]
        named = n in search.outstanding
        short = {search.summary["best"]: f"{n}, best"}.get(n, f"{n}")
        if n == search.summary["defaults"] != search.summary["best"]:
            short = f"{n}, defaults"
        racing = trial["status"] != "failed"
        style = Style(look.colour, look.shape)
        points.append(Point(short, style, Estimate(x), Estimate(y), racing, named))
    if not points:
        return Panel(NAME, TITLE, missing="no trial has both objectives")
    axes = (objective_title(one), objective_title(other))
    caption = f"On the Pareto set: trials {listed([str(k) for k in search.summary['pareto']])}."
    caption = f"{caption} {left_out(n_behind)}".rstrip()
    label = f"{axes[1]} against {axes[0]}, a point a trial. {caption}"
    bigger = (one.bigger, other.bigger)
    svg = scatter(points, axes, label, (760.0, 400.0), bigger)
    content = {
        "figures": [Figure(f"{axes[1]} against {axes[0]}", svg, caption)],
        "side": better_side(search.objectives),
    }
    return Panel(NAME, TITLE, content)
