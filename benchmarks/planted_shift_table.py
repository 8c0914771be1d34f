"""A comparison on planted worlds as one table: what is lost, what is gained, what was found."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from tabulate import tabulate

from benchmarks.planted_shift_plan import differences
from recbole_invariant.comparison.collect import FoundRun
from recbole_invariant.comparison.oracle_grid import CHANGE, SHARE, share_text
from recbole_invariant.comparison.summary import Comparison
from recbole_invariant.data.planted.world import KINDS
from recbole_invariant.evaluation import records

METRIC = "ndcg@10"
MISSING = "-"
SHIFTED = ("ood_flip", "ood_remove")
HEADER = [
    "model",
    "iid",
    "change on iid",
    "p",
    *(text for test in SHIFTED for text in (test, "gap closed", "p")),
    "mask inv / spur / noise",
    "ARI",
    "seconds",
]


def section(comparison: Comparison, name: str, changed: Mapping[str, Any], command: str) -> str:
    """Write the section of a page, between the marks by which it is found again.

    Args:
        comparison: models on planted worlds, one a seed, with baseline and oracle.
        name: world, setting and lines.
        changed: options in which the world differs from the default one.
        command: what wrote it.
    """
    world, setting, lines = name.split()
    versions = records.versions()
    shown = ("recbole_invariant", "recbole", "torch")
    table = tabulate(
        [line_of(comparison, model) for model in comparison.models],
        headers=HEADER,
        tablefmt="github",
        disable_numparse=True,
        colalign=["left", *["right"] * (len(HEADER) - 1)],
    )
    notes = [
        f"{METRIC}, means over seeds {comparison.seeds}, a world each; in brackets "
        f"{comparison.level:.0%} intervals over worlds. World: "
        f"{' '.join(differences(changed)) or 'default options of `planted`'}.",
        f"gap closed: share of the gap between {comparison.baseline} and {comparison.oracle}; n/a "
        "where that gap is not clear of 0.",
        f"p: paired t-test against {comparison.baseline} over worlds, Holm-corrected over the "
        "models.",
        "mask: mean over dimensions made of content, of style and of nothing. ARI: agreement of "
        "the environments with the hidden ones. seconds: training.",
        *comparison.failures,
        f"written on {datetime.now(UTC):%Y-%m-%d} with "
        + ", ".join(f"{library} {versions.get(library)}" for library in shown),
        f"command: `{command}`",
    ]
    mark = f"planted_shift: {name}"
    parts = [f"## World {world}, setting {setting}: {lines}", table]
    body = "\n\n".join([*parts, "\n".join(f"- {note}" for note in notes)])
    return f"<!-- {mark} begin -->\n\n{body}\n\n<!-- {mark} end -->"


def line_of(comparison: Comparison, model: str) -> list[str]:
    """Make a model's line."""
    runs = [run for run in comparison.runs if run.label == model]
    cells = [model.replace("|", r"\|") + comparison.marks[model], _mean(comparison, model, "iid")]
    cells += [_share(comparison, model, SHIFTED[0], CHANGE, "+.1%"), _p(comparison, model, "iid")]
    for test in SHIFTED:
        cells += [_mean(comparison, model, test), _share(comparison, model, test, SHARE, ".2f")]
        cells.append(_p(comparison, model, test))
    masks = [_diagnostic(runs, "mask_quality", kind) for kind in KINDS]
    cells.append(" / ".join(masks) if set(masks) != {MISSING} else MISSING)
    cells.append(_diagnostic(runs, "environment_agreement", "ari", ".3f"))
    seconds = comparison.times.set_index("model")["training_seconds"]
    return [*cells, f"{seconds[model]:.0f}"]


def _row(table: Any, model: str, test: str, over: str | None = None) -> dict[str, Any] | None:
    found = table[(table["model"] == model) & (table["test"] == test) & (table["metric"] == METRIC)]
    found = found if over is None else found[found["over"] == over]
    return found.iloc[0].to_dict() if len(found) else None


def _mean(comparison: Comparison, model: str, test: str) -> str:
    row = _row(comparison.cells, model, test)
    return "" if row is None else f"{row['mean']:.4f}"


def _share(
    comparison: Comparison, model: str, test: str, names: tuple[str, str, str], form: str
) -> str:
    row = _row(comparison.closed, model, test)
    if row is None or (names == CHANGE and model == comparison.baseline):
        return ""
    value, interval = share_text(row, names, form)
    return f"{value} [{interval}]" if interval else value


def _p(comparison: Comparison, model: str, test: str) -> str:
    row = _row(comparison.tests, model, test, "seeds")
    if row is None or math.isnan(row["p_holm"]):
        return ""
    return "< .0001" if row["p_holm"] < 1e-4 else f"{row['p_holm']:.4f}"


def _diagnostic(runs: Iterable[FoundRun], name: str, key: str, form: str = ".2f") -> str:
    """Average what runs found against the truth; a dash where none has it."""
    found = [(run.record.get("diagnostics") or {}).get(name, {}).get(key) for run in runs]
    values = [value for value in found if value is not None]
    return f"{fmean(values):{form}}" if values else MISSING
