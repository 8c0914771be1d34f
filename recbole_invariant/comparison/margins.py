"""How far the models are above the baseline's IID-OOD frontier, seed by seed.

Training often learns what holds everywhere first and what holds in training only later, so an
early epoch of the baseline is more robust than its selected one. A model is better than
under-training only where it is above all epochs of the baseline at equal IID.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recbole_invariant.comparison.collect import ByLabel, FoundRun
from recbole_invariant.comparison.controls import is_balanced
from recbole_invariant.evaluation.frontier import margin_over_front, pareto_front
from recbole_invariant.evaluation.paired_tests import mean_interval
from recbole_invariant.evaluation.snapshot_records import (
    frontier_paths,
    named_snapshots,
    shifted_tests,
    snapshot_metrics,
)
from recbole_invariant.report.wording import smaller_is_better

COLUMNS = ["model", "snapshot", "test", "metric", "n_seeds", "mean", "low", "high"]
KEYS = COLUMNS[:4]


def frontier_margins(
    by_label: ByLabel, baseline: str | None, odd: Mapping[str, str], level: float = 0.95
) -> tuple[pd.DataFrame, list[str]]:
    """Compute every model's margin over the frontier of the baseline.

    Each run is held against all epochs of the baseline of the same seed, which has the same split;
    the baseline's own selected weights as well. Other lines of the baseline's model, such as
    `GRU4Rec[dropout_prob=0.5]` beside `GRU4Rec`, add their epochs: what another setting reaches
    is no merit of a method.

    Args:
        by_label: runs of each label, controls left out.
        baseline: label of the baseline.
        odd: labels whose split is another.
        level: of the intervals.

    Returns:
        `model, snapshot, test, metric, n_seeds, mean, low, high`: mean margin over seeds with its
        t-interval, positive is better than the frontier; `snapshot` is empty for selected weights.
        Empty where the baseline has no frontier. And notes.
    """
    if baseline is None:
        return pd.DataFrame(columns=COLUMNS), []
    comparable = {label: runs for label, runs in by_label.items() if label not in odd}
    base = _lines_of_baseline(comparable, by_label[baseline])
    rows = [
        row
        for runs in comparable.values()
        for run in runs
        if run.seed in base
        for row in _margins(run, base[run.seed])
    ]
    if not rows:
        return pd.DataFrame(columns=COLUMNS), list(_missing(by_label, baseline))
    lines = []
    for key, part in pd.DataFrame(rows, columns=[*KEYS, "value"]).groupby(KEYS, sort=False):
        found = mean_interval(part["value"].to_numpy(), level)
        lines.append((*key, found.n, found.mean, found.low, found.high))
    return pd.DataFrame(lines, columns=COLUMNS), [_explained(baseline)]


def _lines_of_baseline(
    comparable: ByLabel, baseline: Sequence[FoundRun]
) -> dict[int, list[FoundRun]]:
    """Collect the runs of the baseline's model, of any line, by the baseline's seeds.

    Balanced training rows are a method, not another setting.
    """
    base: dict[int, list[FoundRun]] = {run.seed: [] for run in baseline}
    balanced = is_balanced(baseline[0])
    for runs in comparable.values():
        for run in runs:
            is_line = run.model == baseline[0].model and is_balanced(run) == balanced
            if is_line and run.seed in base:
                base[run.seed].append(run)
    return base


def _margins(run: FoundRun, base: Sequence[FoundRun]) -> Iterator[tuple[Any, ...]]:
    """Hold a run's selected weights and its named snapshots against a frontier."""
    results: dict[str, Mapping[str, Any]] = {"": run.record["metrics"]}
    results |= {name: snapshot_metrics(e) for name, e in named_snapshots(run.record).items()}
    for test in shifted_tests(run.record):
        for metric in run.record["metrics"][test]:
            front, sign = _front(base, test, metric)
            for snapshot, metrics in results.items():
                iid, ood = (metrics.get(split, {}).get(metric) for split in ("iid", test))
                if len(front) and iid is not None and ood is not None:
                    margin = float(margin_over_front(front, sign * iid, sign * ood))
                    yield run.label, snapshot, test, metric, margin


def _front(base: Sequence[FoundRun], test: str, metric: str) -> tuple[NDArray[np.float64], int]:
    """Return the front, turned so that higher is better, and the sign that turns values."""
    sign = -1 if smaller_is_better(metric) else 1
    paths = [p for run in base for p in frontier_paths(run.record, test, metric).values()]
    return pareto_front([(sign * iid, sign * ood) for path in paths for iid, ood in path]), sign


def _explained(baseline: str) -> str:
    return (
        f"margin over the frontier: OOD less the best that any epoch of {baseline}, or of another "
        "line of its model, has at this IID or better, of the same seed, linear between epochs; "
        "the frontier is read off the tests, which favours the baseline"
    )


def _missing(by_label: ByLabel, baseline: str) -> Iterator[str]:
    """Say that there is no margin where other models have a frontier, but not the baseline."""
    others = [
        label
        for label, runs in by_label.items()
        for run in runs
        if any(entry.get("frontier") for entry in (run.record.get("snapshots") or {}).values())
    ]
    if others:
        yield (
            f"no margin over the frontier: {baseline} has none; run it with frontier: true "
            f"({', '.join(dict.fromkeys(others))} has one)"
        )
