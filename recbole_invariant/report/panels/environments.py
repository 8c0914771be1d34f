"""Does it matter how many environments a model looks for?"""

from recbole_invariant.report.charts.lines import Line, line_chart
from recbole_invariant.report.group import Group
from recbole_invariant.report.panels.base import Figure, Panel
from recbole_invariant.report.wording import metric_title, set_title

NAME, TITLE, OPTION = "environments", "Number of environments", "n_environments"


def make(group: Group) -> Panel:
    """Draw the metric against the number of environments, one panel for each test set."""
    found = sweeps(group)
    if not found:
        missing = f"no model here was run with several values of {OPTION}"
        return Panel(NAME, TITLE, missing=missing)
    figures = [figure for test in group.tests if (figure := _figure(group, found, test))]
    return Panel(NAME, TITLE, {"figures": figures, "intervals": group.has_intervals})


def sweeps(group: Group) -> dict[str, dict[int, str]]:
    """Find the models that were run with several numbers of environments and nothing else changed.

    Returns:
        model -> number of environments -> label, rising; the label is the model's name, or its
        name with the option alone in brackets.
    """
    found: dict[str, dict[int, str]] = {}
    for label in group.labels:
        runs = group.runs[label]
        model = runs[0].model
        _, bracket, options = label.partition("[")
        if bracket and (not options.startswith(f"{OPTION}=") or "," in options):
            continue
        values = {run.record.get("options", {}).get(OPTION, {}).get("value") for run in runs}
        if len(values) == 1 and isinstance(value := values.pop(), int):
            found.setdefault(model, {}).setdefault(value, label)
    return {
        model: dict(sorted(by_value.items()))
        for model, by_value in found.items()
        if len(by_value) > 1
    }


def _figure(group: Group, found: dict[str, dict[int, str]], test: str) -> Figure | None:
    lines = []
    for model, by_value in found.items():
        known = [
            (value, estimate)
            for value, label in by_value.items()
            if (estimate := group.estimate(label, test)) is not None
        ]
        if not known:
            continue
        lines.append(
            Line(
                model,
                group.styles.get(model, group.styles[next(iter(by_value.values()))]),
                [float(value) for value, _ in known],
                [estimate.mean for _, estimate in known],
                [estimate.low for _, estimate in known],
                [estimate.high for _, estimate in known],
                marked=True,
            )
        )
    if not lines:
        return None
    ticks = sorted({x for line in lines for x in line.xs})
    title = metric_title(group.metric)
    svg = line_chart(
        lines,
        ("number of environments", title),
        f"{title} on {set_title(test)} against the number of environments",
        (520, 280),
        x_ticks=[(x, f"{x:.0f}") for x in ticks],
    )
    return Figure(set_title(test), svg)
