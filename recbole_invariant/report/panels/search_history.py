"""How a search went: each trial over its validations, and the best so far over the trials."""

from recbole_invariant.report.charts.lines import Line, line_chart
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.scale import nice_step
from recbole_invariant.report.panels.base import Figure, Panel
from recbole_invariant.report.searches import BEST, Search, Trial, objective_title
from recbole_invariant.report.wording import number

NAME, TITLE = "search_history", "How the search went"
SIZE = (520.0, 340.0)


def make(search: Search) -> Panel:
    """Draw both figures."""
    shown = [trial for trial in search.upwards if trial["curve"]]
    if not shown:
        return Panel(NAME, TITLE, missing="no trial came to a validation of its final stage")
    n_without = len(search.trials) - len(shown)
    content = {
        "figures": [_curves(search, shown), _progress(search, shown)],
        "stopped": any(trial["status"] == "stopped" for trial in shown),
        "without": n_without,
    }
    return Panel(NAME, TITLE, content)


def whole_ticks(low: int, high: int) -> list[tuple[float, str]]:
    """Choose about five whole numbers."""
    step = max(1, round(nice_step(max(high - low, 1) / 5)))
    first = -(-low // step) * step
    return [(float(k), str(k)) for k in range(first, high + 1, step)]


def _curves(search: Search, shown: list[Trial]) -> Figure:
    title = objective_title(search.objectives[0])
    lines, crosses = [], []
    for trial in shown:
        look = search.looks[trial["number"]]
        xs = [float(x) for x, _ in trial["curve"]]
        ys = [float(y) for _, y in trial["curve"]]
        named = trial["number"] in search.marked
        tip = told(search, trial)
        lines.append(Line(search.name(trial), look, xs, ys, named=named, tip=tip))
        if trial["status"] == "stopped":
            cross = Style(look.colour, "cross")
            crosses.append(Line("", cross, xs[-1:], ys[-1:], marked=True, named=False, tip=tip))
    longest = max(trial["curve"][-1][0] for trial in shown)
    label = f"{title} of {len(shown)} trials over the validations of the final stage"
    ticks, ends = whole_ticks(1, longest), (1.0, float(longest))
    svg = line_chart(
        [*lines, *crosses],
        ("validations of the final stage", title),
        label,
        SIZE,
        x_ticks=ticks,
        x_range=ends,
    )
    return Figure("Trials over their validations", svg)


def _progress(search: Search, shown: list[Trial]) -> Figure:
    """Draw the value of every trial by its number, and the best until then as steps."""
    objective = search.objectives[0]
    title = objective_title(objective)
    dots, drawn = [], [trial for trial in shown if search.is_drawn(trial, objective)]
    for trial in drawn:
        look, value = search.looks[trial["number"]], search.value(trial)
        style = Style(look.colour, look.shape)
        place, tip = [float(trial["number"])], told(search, trial)
        dots.append(Line("", style, place, [value], marked=True, named=False, tip=tip))
    last = max(trial["number"] for trial in search.trials)
    steps = best_so_far(search)
    xs, ys = [float(x) for x, _ in steps], [y for _, y in steps]
    so_far = [Line("best so far", Style(BEST.colour, "circle"), xs, ys)] if steps else []
    label = f"{title} by number of the trial, with the best so far"
    ticks, ends = whole_ticks(0, last), (0.0, float(max(last, 1)))
    svg = line_chart([*so_far, *dots], ("trial", title), label, SIZE, x_ticks=ticks, x_range=ends)
    return Figure("Best so far over the trials", svg, left_out(len(shown) - len(drawn)))


def told(search: Search, trial: Trial) -> str:
    """Say of a trial what the table says: its best value, and of how many validations."""
    n = trial["validations"]
    return (
        f"{search.name(trial)}: best {number(search.value(trial))} of {n} "
        f"validation{'s' if n != 1 else ''}"
    )


def left_out(n: int) -> str:
    """Say how many trials are not drawn because they are far behind."""
    if not n:
        return ""
    return f"{n} stopped trial{'s' if n != 1 else ''} behind all others not drawn."


def best_so_far(search: Search) -> list[tuple[int, float]]:
    """List the corners of the staircase of the best value until each trial, failed ones less."""
    objective = search.objectives[0]
    corners: list[tuple[int, float]] = []
    for trial in search.trials:
        value = search.value(trial)
        if value is None or trial["status"] == "failed" or not search.is_drawn(trial, objective):
            continue
        if corners:
            before = corners[-1][1]
            corners.append((trial["number"], before))
            if (value > before) == objective.bigger and value != before:
                corners.append((trial["number"], value))
        else:
            corners.append((trial["number"], value))
    return corners
