"""A comparison as text: terminal, Markdown, LaTeX."""

import math
from collections.abc import Callable

import pandas as pd
from tabulate import tabulate  # type: ignore[import-untyped]

from recbole_invariant.comparison.cells import MIN_SEEDS, Grid, show_value
from recbole_invariant.comparison.collect import CONTROL
from recbole_invariant.comparison.oracle_grid import closed_grid, closed_heading
from recbole_invariant.comparison.snapshot_grids import (
    ends_grid,
    ends_heading,
    margins_grid,
    margins_heading,
)
from recbole_invariant.comparison.summary import Comparison
from recbole_invariant.report.tables import split_name

CONTROL_TEST = "ood_random"
"""Test set of a random control; shown in the column of the shifted test beside which it stands."""

Style = Callable[[Grid], str]


def title(comparison: Comparison) -> str:
    """Name a comparison by its data and what cut them."""
    return f"{comparison.dataset}, protocol {split_name(comparison.runs[0].record)}"


def as_text(comparison: Comparison) -> str:
    """Return tables and notes for a terminal."""
    return _document(
        comparison, lambda grid: _tabulated(grid, "simple"), "{}", "{}", "{}\n\n{}", ""
    )


def as_markdown(comparison: Comparison, level: int = 2) -> str:
    """Return tables and notes as Markdown; slices and tests are folded until they are asked for.

    Args:
        comparison: what to show.
        level: depth of the title; tables stand one below.
    """
    marks = "#" * level
    return _document(
        comparison,
        lambda grid: _tabulated(grid, "github"),
        f"{marks} {{}}",
        f"{marks}# {{}}",
        "<details><summary>{}</summary>\n\n{}\n\n</details>",
        "- ",
    )


def _document(
    comparison: Comparison, style: Style, head: str, sub: str, fold: str, mark: str
) -> str:
    parts = [head.format(title(comparison))]
    for metric in comparison.metrics:
        parts += [sub.format(metric), style(metric_grid(comparison, metric))]
    for heading, grid, _ in _asked_for(comparison):
        parts += [sub.format(heading), style(grid)]
    for test in dict.fromkeys(comparison.slices["test"]):
        grid = slices_grid(comparison, test, comparison.metrics[0])
        if grid[1] and test in comparison.own_tests:
            parts.append(fold.format(f"{comparison.metrics[0]} on {test}, by slice", style(grid)))
    if len(comparison.tests):
        for metric in comparison.metrics:
            heading = f"{metric} against {comparison.baseline}"
            parts.append(fold.format(heading, style(tests_grid(comparison, metric))))
    notes = "\n".join(f"{mark}{note}" for note in comparison.notes)
    return "\n\n".join([*parts, notes])


def _asked_for(comparison: Comparison) -> list[tuple[str, Grid, bool]]:
    """Lay out the tables that only some comparisons have.

    Returns:
        Headings, tables, and whether means stand there with half their t-interval.
    """
    found: list[tuple[str, Grid, bool]] = []
    for metric in comparison.metrics if len(comparison.closed) else []:
        heading = closed_heading(comparison, metric)
        found.append((heading, closed_grid(comparison, metric), False))
    for metric in comparison.metrics if len(comparison.margins) else []:
        heading = margins_heading(comparison, metric)
        found.append((heading, margins_grid(comparison, metric), True))
    for metric in comparison.metrics if len(comparison.ends) else []:
        found.append((ends_heading(metric), ends_grid(comparison, metric), True))
    return found


def _tabulated(grid: Grid, layout: str) -> str:
    header, lines = grid
    # two lines a header where the layout can: a wide table does not fit a terminal
    between = "\n" if layout == "simple" else " "
    if layout == "github":
        # a label such as A[x=a|b] would end its cell there
        lines = [[cell.replace("|", r"\|") for cell in line] for line in lines]
    return tabulate(
        lines,
        headers=[name.replace("|", between) for name in header],
        tablefmt=layout,
        disable_numparse=True,
        colalign=["left", *["right"] * (len(header) - 1)],
    )


def metric_grid(comparison: Comparison, metric: str, sign: str = "±") -> Grid:
    """Lay out one metric: a line a model, a column a test set, then worst slices and times.

    Args:
        comparison: what to show.
        metric: e.g. `recall@10`.
        sign: what stands between a mean and half its interval.

    Returns:
        Header, in which `|` is where it may be broken, and lines.
    """
    tests = comparison.own_tests
    cells = _by_model_and_test(comparison.cells, metric)
    worst = _by_model_and_test(comparison.worst, metric)
    sliced = [name for name in tests if any(test == name for _, test in worst)]
    header = ["model", *tests, *(f"worst slice|of {name}" for name in sliced)]
    header += ["training,|s", "evaluation,|s"]
    lines = []
    n_seeds, marks = len(comparison.seeds), comparison.marks
    for model in comparison.models:
        control = model.endswith(CONTROL)
        own = {name: CONTROL_TEST if control and name != "iid" else name for name in tests}
        line = [model + marks[model]]
        line += [show_value(cells.get((model, own[name])), n_seeds, sign) for name in tests]
        line += [_worst(worst.get((model, own[name])), n_seeds, sign) for name in sliced]
        lines.append([*line, *_times(comparison, model)])
    return header, lines


def _by_model_and_test(table: pd.DataFrame, metric: str) -> dict[tuple[str, str], pd.Series]:
    part = table[table["metric"] == metric]
    return {(row["model"], row["test"]): row for _, row in part.iterrows()}


def _worst(row: pd.Series | None, n_seeds: int, sign: str) -> str:
    if row is None:
        return ""
    where = f"{row['group']}: {row['slice']}, {row['n_users']:.0f} users"
    return f"{show_value(row, n_seeds, sign)} ({where})"


def slices_grid(comparison: Comparison, test: str, metric: str, sign: str = "±") -> Grid:
    """Lay out the slices of a test: a line a model, a column a slice with its mean size.

    Sizes are those of the first model that has the slice; all models have the same rows.
    """
    part = comparison.slices
    part = part[(part["test"] == test) & (part["metric"] == metric)]
    names = list(dict.fromkeys(zip(part["group"], part["slice"], strict=True)))
    found = {(row["model"], row["group"], row["slice"]): row for _, row in part.iterrows()}
    header = ["model"]
    for group, name in names:
        size = next(row["n_users"] for key, row in found.items() if key[1:] == (group, name))
        header.append(f"{group}:|{name}|({size:.0f} users)")
    lines = []
    for model in comparison.models:
        rows = [found.get((model, group, name)) for group, name in names]
        if any(row is not None for row in rows):
            n_seeds = len(comparison.seeds)
            line = [show_value(row, n_seeds, sign) for row in rows]
            lines.append([model + comparison.marks[model], *line])
    return header, lines


def _times(comparison: Comparison, model: str) -> list[str]:
    row = comparison.times[comparison.times["model"] == model].iloc[0]
    seconds = [row["training_seconds"], row["evaluation_seconds"]]
    return ["" if math.isnan(value) else f"{value:.1f}" for value in seconds]


def tests_grid(comparison: Comparison, metric: str) -> Grid:
    """Lay out the paired tests of one metric: a line a model and test set."""
    header = ["model", "test", "difference|over users", "p, Holm|users", "d_z|users"]
    header += ["better / worse|users", "p, Holm|seeds", "d_z|seeds", "n seeds"]
    part = comparison.tests[comparison.tests["metric"] == metric]
    found = {(row["model"], row["test"], row["over"]): row for _, row in part.iterrows()}
    lines = []
    for test in comparison.test_sets:
        for model in comparison.models:
            users, seeds = (found.get((model, test, over)) for over in ("users", "seeds"))
            if users is None and seeds is None:
                continue
            named = model + comparison.marks[model]
            lines.append([named, test, *_users_cells(users), *_seeds_cells(seeds)])
    return header, lines


def _users_cells(row: pd.Series | None) -> list[str]:
    if row is None:
        return [""] * 4
    interval = f"[{row['low']:+.4f}, {row['high']:+.4f}]"
    return [
        f"{row['difference']:+.4f} {interval}",
        show_p(row["p_holm"]),
        _number(row["effect_size"]),
        f"{row['better']:.0%} / {row['worse']:.0%}",
    ]


def _seeds_cells(row: pd.Series | None) -> list[str]:
    if row is None:
        return [""] * 3
    return [show_p(row["p_holm"]), _number(row["effect_size"]), str(row["n"])]


def show_p(value: float) -> str:
    """Show a p-value; `n/a` where there is none."""
    if math.isnan(value):
        return "n/a"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _number(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:+.2f}"


SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
SPECIAL |= {sign: f"\\{sign}" for sign in "&%$#_{}"}
SPECIAL |= {"±": r"$\pm$", "<": "$<$", ">": "$>$"}


def escape_latex(text: str) -> str:
    """Write text so that LaTeX prints it as it stands."""
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def as_latex(comparison: Comparison) -> str:
    """Return the tables as LaTeX with `booktabs` rules; notes follow as comments."""
    rules = "; ".join(comparison.selection_rules)
    setting = f"{title(comparison)}, seeds {comparison.seeds}. Selection: {rules}."
    mean = "Mean over seeds."
    if len(comparison.seeds) >= MIN_SEEDS:
        mean = f"Mean ± half the {comparison.level:.0%} t-interval over seeds."
    against = f"paired tests against {comparison.baseline}"
    metrics = comparison.metrics
    grids = [(metric_grid(comparison, m), f"{m} on {setting} {mean}") for m in metrics]
    if len(comparison.tests):
        grids += [(tests_grid(comparison, m), f"{m}: {against} on {setting}") for m in metrics]
    grids += [
        (grid, f"{heading} on {setting}{f' {mean}' if halves else ''}")
        for heading, grid, halves in _asked_for(comparison)
    ]
    tables = [_latex_table(grid, caption) for grid, caption in grids]
    notes = "\n".join(f"% {note}" for note in comparison.notes)
    return "\n\n".join(["% needs \\usepackage{booktabs}", *tables, notes])


def _latex_table(grid: Grid, caption: str) -> str:
    header, lines = grid
    rows = [[name.replace("|", " ") for name in header], *lines]
    head, *body = [" & ".join(map(escape_latex, row)) + r" \\" for row in rows]
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{escape_latex(caption)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}",
            r"\toprule",
            head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )
