"""The trials of a search as a table: for a terminal, and as Markdown."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate  # type: ignore[import-untyped]

from recbole_invariant.report.wording import DASH, number, seconds
from recbole_invariant.tuning.shown_options import option_names, shown_options
from recbole_invariant.tuning.summary import objectives_of, ranked, trial_of

MOST_ROWS = 10
"""Trials in a terminal."""

Row = Mapping[str, Any]


def trial_table(summary: Mapping[str, Any]) -> str:
    """Lay the best trials out for a terminal, best first by the first objective.

    The best trial and the defaults are always among them; how many more there are is said below,
    and why the first failed trial failed.
    """
    chosen, n_more = rows_shown(summary, MOST_ROWS)
    objectives = [one.name for one in objectives_of(summary["search"])]
    head = ["trial", "", *objectives, "validations", "time", "options"]
    lines = [
        [
            row["number"],
            remark(summary, row),
            *(number(row["values"][name]) for name in objectives),
            row["validations"],
            seconds(row["seconds"]),
            " ".join(f"{key}={show(value)}" for key, value in shown_options(summary, row).items()),
        ]
        for row in chosen
    ]
    right = ("right", "left", *["right"] * (len(objectives) + 2), "left")
    table = tabulate(lines, head, tablefmt="simple", colalign=right, disable_numparse=True)
    more = [f"and {n_more} more, in table.md"] if n_more else []
    parts = ["\n".join([table, *more]), "\n".join(gains(summary))]
    failed = first_failure(summary)
    if failed:
        parts.append(f"Trial {failed['number']} failed:\n{failed['problem'].rstrip()}")
    return "\n\n".join(parts)


def trial_markdown(summary: Mapping[str, Any]) -> str:
    """Lay all trials out as Markdown, an option a column, the first failure's traceback below."""
    objectives = [one.name for one in objectives_of(summary["search"])]
    names = option_names(summary)
    head = ["trial", "", *objectives, "best epoch", "validations", "time"]
    head += [f"`{name}`" for name in names]
    lines = [
        [
            row["number"],
            remark(summary, row),
            *(number(row["values"][name]) for name in objectives),
            DASH if row["best_epoch"] is None else row["best_epoch"],
            row["validations"],
            seconds(row["seconds"]),
            *_cells(shown_options(summary, row), names),
        ]
        for row in ranked(summary)
    ]
    right = ("right", "left", *["right"] * (len(objectives) + 3 + len(names)))
    table = tabulate(lines, head, tablefmt="github", colalign=right, disable_numparse=True)
    parts = [f"# {title(summary)}", table, "\n".join(f"- {line}" for line in gains(summary))]
    failed = first_failure(summary)
    if failed:
        # a fence longer than any in the text ends where it should
        ticks = max([2, *map(len, re.findall("`+", failed["problem"]))]) + 1
        fence = "`" * ticks
        text = f"{fence}text\n{failed['problem'].rstrip()}\n{fence}"
        parts.append(f"Trial {failed['number']} failed:\n\n{text}")
    return "\n\n".join(part for part in parts if part) + "\n"


def title(summary: Mapping[str, Any]) -> str:
    """Name a search."""
    search = summary["search"]
    return f"Search: {search['model']} on {search['dataset']}, protocol " + str(
        search.get("protocol") or "none"
    )


def gains(summary: Mapping[str, Any]) -> list[str]:
    """Say for each objective what the best trial has gained over the defaults, on validation."""
    best, default = trial_of(summary, summary["best"]), trial_of(summary, summary["defaults"])
    if best is None:
        return ["No trial came to a validation of its final stage."]
    lines = []
    for name, gain in summary["gain"].items():
        line = f"{name}: {number(gain['best'])} in trial {best['number']}"
        lines.append(line + beside_defaults(summary, name))
    if best != default and default and default["status"] == "stopped":
        lines.append(
            f"The defaults were stopped after {default['validations']} validations, so the gain "
            "may be less than it looks."
        )
    return lines


def beside_defaults(summary: Mapping[str, Any], name: str) -> str:
    """Say how the best trial's value of an objective stands beside that of the defaults."""
    gain = summary["gain"][name]
    if summary["defaults"] is None:
        return ""
    if summary["best"] == summary["defaults"]:
        return ", with the defaults: no trial is to be preferred"
    if gain["default"] is None:
        return "; the defaults came to no value"
    value, relative = number(gain["default"]), gain["relative"]
    if relative is None:
        return f"; the defaults have {value}"
    side = "worse" if relative < 0 else "better"
    return f", {abs(relative):.1%} {side} than the defaults ({value})"


def rows_shown(summary: Mapping[str, Any], most: int) -> tuple[list[dict[str, Any]], int]:
    """Choose the trials that are shown, the best and the defaults among them.

    Returns:
        At most `most` trials, best first, and how many there are beside them.
    """
    rows = ranked(summary)
    musts = [row for row in rows if row["number"] in (summary["best"], summary["defaults"])]
    others = [row for row in rows if row not in musts][: max(most - len(musts), 0)]
    chosen = [row for row in rows if row in musts or row in others]
    return chosen, len(rows) - len(chosen)


def remark(summary: Mapping[str, Any], row: Row) -> str:
    """Say of a trial what is not told by its figures."""
    words = ["best"] if row["number"] == summary["best"] else []
    several = len(summary["search"]["objectives"]) > 1
    words += ["Pareto"] if several and row["number"] in summary["pareto"] else []
    words += ["defaults"] if row["number"] == summary["defaults"] else []
    words += [row["status"]] if row["status"] != "done" else []
    return ", ".join(words)


def show(value: Any) -> str:
    """Write an option's value as it ran, so that it can be copied to another run."""
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(show, value))}]"
    return "null" if value is None else str(value)


def first_failure(summary: Mapping[str, Any]) -> Row | None:
    """Return the failed trial of the lowest number that says why."""
    failed = (row for row in summary["trials"] if row["status"] == "failed" and row["problem"])
    return next(failed, None)


def _cells(options: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Write values so that each stays in its cell."""
    texts = [show(options[name]) if name in options else DASH for name in names]
    return [" ".join(text.split()).replace("|", "\\|") for text in texts]
