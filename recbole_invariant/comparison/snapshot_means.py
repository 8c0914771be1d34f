"""What runs reach at the ends of their stages, whichever of them was selected: means over seeds."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from recbole_invariant.comparison.collect import ByLabel, FoundRun
from recbole_invariant.data.splits.base import is_test
from recbole_invariant.evaluation.paired_tests import mean_interval
from recbole_invariant.evaluation.snapshot_records import named_snapshots, snapshot_metrics

KEYS = ["model", "snapshot", "test", "metric"]
COLUMNS = [*KEYS, "n_seeds", "mean", "low", "high"]
SELECTED = ""
"""The snapshot of a run's selected weights."""


def snapshot_means(by_label: ByLabel, level: float = 0.95) -> pd.DataFrame:
    """Average the named snapshots over seeds, below the selected weights of the same lines.

    Args:
        by_label: runs of each label, controls left out.
        level: of the intervals.

    Returns:
        `model, snapshot, test, metric, n_seeds, mean, low, high`, tests only; `snapshot` is empty
        for selected weights. Lines without a named snapshot are left out.
    """
    values = [
        row
        for label, runs in by_label.items()
        if any(named_snapshots(run.record) for run in runs)
        for run in runs
        for row in _values(label, run)
    ]
    lines = []
    for key, part in pd.DataFrame(values, columns=[*KEYS, "value"]).groupby(KEYS, sort=False):
        found = mean_interval(part["value"].to_numpy(), level)
        lines.append((*key, found.n, found.mean, found.low, found.high))
    return pd.DataFrame(lines, columns=COLUMNS)


def _values(label: str, run: FoundRun) -> Iterator[tuple[Any, ...]]:
    results = {SELECTED: run.record["metrics"]}
    results |= {name: snapshot_metrics(e) for name, e in named_snapshots(run.record).items()}
    for snapshot, metrics in results.items():
        for test, measured in metrics.items():
            for metric, value in measured.items() if is_test(test) else ():
                if value is not None:
                    yield label, snapshot, test, metric, float(value)
