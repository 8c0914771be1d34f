"""The files of a comparison."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from recbole_invariant.comparison.collect import FoundRun, find_runs, read_run
from recbole_invariant.comparison.layout import as_latex, as_markdown
from recbole_invariant.comparison.summary import Comparison
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.files import write_atomically

COMPARISON_FILE = "comparison.json"


def write_comparison(comparison: Comparison, out: Path, command: str | None = None) -> None:
    """Write tables as Markdown, LaTeX, CSV and parquet, and what was compared as JSON.

    `table.csv` and `table.parquet` have a line a model, test set and metric, with a column `what`
    (`test`, `validation`, or `gap` for iid less this test); `tests.*` are the paired tests,
    `slices.*` the slices, `closed.*` the shares of the gap to the oracle where one is named,
    `margins.*` the margins over the baseline's frontier where it has one, `ends.*` the named
    snapshots where models have any. The column `sees_truth` of each says that the model was given
    the planted truth or was selected by a test.
    """
    write_atomically(out / "table.md", as_markdown(comparison) + "\n")
    write_atomically(out / "table.tex", as_latex(comparison) + "\n")
    tables = {
        "table": long_table(comparison),
        "tests": comparison.tests,
        "slices": comparison.slices,
    }
    asked = {"closed": comparison.closed, "margins": comparison.margins, "ends": comparison.ends}
    tables |= {name: table for name, table in asked.items() if len(table)}
    for name, plain in tables.items():
        knowing = plain["model"].map(lambda label: bool(comparison.marks[label]))
        table = plain.assign(sees_truth=knowing.astype(bool))
        write_atomically(out / f"{name}.csv", table.to_csv(index=False))
        records.write_table(out / f"{name}.parquet", table)
    records.write_json(out / COMPARISON_FILE, describe(comparison, out, command))


def long_table(comparison: Comparison) -> pd.DataFrame:
    """Put tests, validation and gaps below each other."""
    parts = {
        "test": comparison.cells,
        "validation": comparison.validation,
        "gap": comparison.gaps,
    }
    tables = [table.assign(what=what) for what, table in parts.items() if len(table)]
    table = pd.concat(tables, ignore_index=True)
    return table[["what", *(column for column in table.columns if column != "what")]]


def describe(comparison: Comparison, out: Path, command: str | None) -> dict[str, Any]:
    """Say what was compared, by which rules, from which runs."""
    return {
        "dataset": comparison.dataset,
        "protocol": comparison.protocol,
        "models": comparison.models,
        "seeds": comparison.seeds,
        "test_sets": comparison.test_sets,
        "metrics": comparison.metrics,
        "baseline": comparison.baseline,
        "baseline_rule": comparison.baseline_rule,
        "oracle": comparison.oracle,
        "level": comparison.level,
        "selection_rules": comparison.selection_rules,
        "notes": comparison.notes,
        "failures": comparison.failures,
        "times": comparison.times.to_dict("records"),
        "worst": comparison.worst.to_dict("records"),
        "runs": [
            {"label": run.label, "seed": run.seed, "folder": _relative(run.folder, out)}
            for run in comparison.runs
        ],
        "searches": {run.label: run.search for run in comparison.runs if run.search},
        "command": command,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": records.versions(),
    }


def _relative(folder: Path, out: Path) -> str:
    return str(folder.relative_to(out) if folder.is_relative_to(out) else folder)


def compared_runs(out: str | Path) -> list[FoundRun]:
    """Read the runs of a comparison's table, in its order; older ones in the folder are not in it.

    A folder without `comparison.json` gives all of its runs.

    Raises:
        InputError: a run that the comparison names is not there.
    """
    out = Path(out)
    if not (out / COMPARISON_FILE).is_file():
        return find_runs(out)
    content = records.read_json(out / COMPARISON_FILE)
    found = []
    for line in content["runs"]:
        folder = out / line["folder"]
        if not (folder / records.RUN_FILE).is_file():
            raise InputError(
                f"{out / COMPARISON_FILE}: its run {folder} is gone; start compare again."
            )
        found.append(_labelled(read_run(folder), line))
    return found


def _labelled(run: FoundRun, line: Mapping[str, Any]) -> FoundRun:
    return replace(run, label=str(line["label"]))


def current_runs(folder: str | Path) -> list[FoundRun]:
    """Find every finished run in a folder, without what its comparisons no longer name.

    A comparison's folder keeps runs of earlier options under the same labels; together they would
    be averaged.
    """
    found = find_runs(folder)
    for file in sorted(Path(folder).rglob(COMPARISON_FILE)):
        named = {run.folder for run in compared_runs(file.parent)}
        found = [
            run for run in found if run.folder in named or file.parent not in run.folder.parents
        ]
    return found
