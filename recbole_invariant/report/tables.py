"""The table a run ends with, for the terminal and as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tabulate import tabulate  # type: ignore[import-untyped]

from recbole_invariant.data.splits.base import is_test
from recbole_invariant.report.stage_words import full_name, kept_notes, limit_notes


@dataclass(frozen=True)
class Row:
    """One model's line of the table.

    Attributes:
        model: its name.
        metrics: test set -> metric -> value.
        seconds: of training and validation; None where they have no sense of their own.
        best_epoch: epoch of the selected weights, or None.
    """

    model: str
    metrics: Mapping[str, Mapping[str, float]]
    seconds: float | None
    best_epoch: int | None = None


def choose_metrics(measured: Sequence[str], wanted: Sequence[str] | None = None) -> list[str]:
    """Choose the columns of each test set.

    Args:
        measured: names such as `recall@10`, in RecBole's order.
        wanted: the option `table_metrics`, or None.

    Returns:
        What is wanted and measured; without a wish recall and ndcg at the smallest k, or else
        the first two metrics.
    """
    if wanted is not None:
        return [name.lower() for name in wanted if name.lower() in measured]
    chosen = []
    for metric in ("recall", "ndcg"):
        cutoffs = [int(name.split("@")[1]) for name in measured if name.startswith(f"{metric}@")]
        if cutoffs:
            chosen.append(f"{metric}@{min(cutoffs)}")
    return chosen or list(measured[:2])


def comparison_table(rows: Sequence[Row], metrics: Sequence[str], layout: str = "simple") -> str:
    """Lay models and test sets out as one table.

    Args:
        rows: one a model, or several of a model under names that tell them apart.
        metrics: columns of each test set.
        layout: a format of tabulate: `simple` for the terminal, `github` for Markdown.

    Returns:
        The table; a cell is empty where a model was not measured. Test sets stand in the order
        in which they first occur, `valid` is left out.
    """
    splits: list[str] = []
    for row in rows:
        splits += [name for name in row.metrics if name not in splits and is_test(name)]
    # two lines a header where the layout can: a wide table does not fit a terminal
    between = "\n" if layout == "simple" else " "
    header = ["model", *(f"{split}{between}{m}" for split in splits for m in metrics)]
    lines = []
    for row in rows:
        values = [row.metrics.get(split, {}).get(m) for split in splits for m in metrics]
        cells = ["" if value is None else f"{value:.4f}" for value in values]
        epoch = "" if row.best_epoch is None else str(row.best_epoch)
        seconds = "" if row.seconds is None else f"{row.seconds:.1f}"
        lines.append([row.model, *cells, epoch, seconds])
    align = ["left", *["right"] * (len(header) + 1)]
    return tabulate(
        lines,
        headers=[*header, f"best{between}epoch", "seconds"],
        tablefmt=layout,
        disable_numparse=True,
        colalign=align,
    )


def split_name(record: Mapping[str, Any]) -> str:
    """Name what cut a run's data: a protocol, the files it came in, or RecBole."""
    if record["protocol"]:
        return str(record["protocol"])
    return "none, the data's own files" if "files" in record["split"] else "RecBole's own split"


def run_notes(record: Mapping[str, Any]) -> list[str]:
    """Say under which rules a run's figures came about, one line each.

    Args:
        record: the content of `run.json`.
    """
    protocol = split_name(record)
    dropped = dict(record["split"].get("dropped", {}))
    by_protocol, repeats = dropped.pop("protocol", 0), dropped.pop("repeats", 0)
    unseen = ", ".join(f"{count} of {name}" for name, count in dropped.items() if count)
    n = record["n_interactions"]
    trained_on = record["split"].get("trained_on", {})
    joined = ", ".join(f"{name} ({count})" for name, count in trained_on.items())
    stages = ", ".join(
        f"{stage['name']} {stage['epochs']} epochs ({stage['seconds']:.1f} s)"
        for stage in record["stages"]
    )
    return [
        f"dataset {record['dataset']}, protocol {protocol}, seed {record['seed']}; rows: "
        + ", ".join(f"{name} {count}" for name, count in n.items())
        + (f"; train has the rows of {joined}" if joined else "")
        + (f"; left out, their user or item has no training row: {unseen}" if unseen else "")
        + (f"; {repeats} test rows left out that repeat training" if repeats else "")
        + (f"; {by_protocol} rows left out by the protocol" if by_protocol else ""),
        *strength_notes(record),
        *([record["split"]["claims"]] if "claims" in record["split"] else []),
        *record.get("notes", []),
        *shift_notes(record),
        f"selection: {record['selection']['rule']}",
        *kept_notes(record),
        *limit_notes(record),
        *slice_notes(record),
        f"schedule of {full_name(record)}: {stages}",
    ]


def shift_notes(record: Mapping[str, Any]) -> list[str]:
    """Say where a run has no shifted test, and how one is had."""
    tests = record.get("metrics", {})
    if record.get("protocol") or any(name.startswith("ood") for name in tests):
        return []
    return ["no shifted test was asked for: --ood=popularity, temporal, cluster, ... makes one"]


def strength_notes(record: Mapping[str, Any]) -> list[str]:
    """Say which strength of the popularity shift each test has, where there are several."""
    gammas = (record.get("split") or {}).get("gamma") or []
    if len(gammas) < 2:
        return []
    named = [
        f"_{number}: gamma {gamma:g}" + (" (strongest shift)" if gamma == min(gammas) else "")
        for number, gamma in enumerate(gammas, 1)
    ]
    return [f"ood_popularity{', '.join(named)}"]


def slice_notes(record: Mapping[str, Any]) -> list[str]:
    """Show every test's slices with their numbers of users, one line a test.

    Args:
        record: the content of `run.json`.
    """
    lines = []
    for test, groups in record.get("slices", {}).items():
        worst = groups.get("worst")
        if not worst:
            continue
        metric = worst["metric"]
        shown = [
            f"{_slice_name(group, name)} {part['metrics'][metric]:.4f} ({part['n_users']})"
            for group, parts in groups.items()
            if not group.startswith("worst")
            for name, part in parts.items()
            if metric in part["metrics"]
        ]
        worst_name = f"{worst['group']} {worst['slice']}"
        lines.append(f"{test} {metric} (users): {', '.join(shown)}; worst: {worst_name}")
    return lines


def _slice_name(group: str, name: str) -> str:
    """Name a slice; one that has a number only, as a hidden environment, by its group too."""
    return f"{group} {name}" if name.isdecimal() else name
