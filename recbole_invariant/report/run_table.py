"""The table that ends a run: its model, its baselines, its control."""

from dataclasses import dataclass
from typing import Any

from recbole_invariant.companions import shift_of
from recbole_invariant.evaluation.significance import GapDifference
from recbole_invariant.evaluation.snapshot_records import named_snapshots, snapshot_metrics
from recbole_invariant.report.tables import Row, comparison_table, run_notes
from recbole_invariant.single_run import RunResult, compared_metrics


@dataclass(frozen=True)
class RunTable:
    """What is shown of a run with everything that stands beside it.

    Attributes:
        results: label -> result, the run's own model first.
        metrics: by which they are shown side by side.
        shift: the comparison with the random control, None without one.
        text: the table with its notes; `markdown` the same for `table.md`.
    """

    results: dict[str, RunResult]
    metrics: list[str]
    shift: GapDifference | None
    text: str
    markdown: str


def run_table(result: RunResult, config: Any) -> RunTable:
    """Make the table of a run.

    Args:
        result: of the model, with baselines and control.
        config: the run's options.
    """
    metrics = compared_metrics(config, result.metrics)
    shift = shift_of(result, metrics[0])
    name = result.record["model"]
    results = {name: result, **result.baselines}
    if result.control is not None:
        results[f"{name} (random control)"] = result.control
    lines = [line for label, made in results.items() for line in _rows(label, made)]
    notes = run_notes(result.record)
    notes += [run_notes(made.record)[-1] for made in result.baselines.values()]
    if result.baselines:
        notes.append(
            "baselines train by their own options; set those with baseline_options, "
            "e.g. --baseline_options='{UltraGCN: {epochs: 5}}'"
        )
    if shift is not None:
        notes.append(shift.describe())
    markdown = [comparison_table(lines, metrics, "github"), "", *(f"- {n}" for n in notes)]
    text = "\n".join([comparison_table(lines, metrics), *notes])
    return RunTable(results, metrics, shift, text, "\n".join(markdown))


def _rows(label: str, result: RunResult) -> list[Row]:
    """Make a run's lines of the table: its own, then one a snapshot that has a name.

    The time of the first is that of training; snapshots are put aside on the way.
    """
    seconds = sum(stage["seconds"] for stage in result.record["stages"])
    best_epoch = result.record["selection"]["best_epoch"]
    return [
        Row(label, result.metrics, seconds, best_epoch),
        *(
            Row(f"{label}: {name}", snapshot_metrics(entry), None, entry["epoch"])
            for name, entry in named_snapshots(result.record).items()
        ),
    ]
