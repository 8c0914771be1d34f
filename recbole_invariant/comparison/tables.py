"""Means over seeds: metrics, gaps, slices, times."""

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd

from recbole_invariant.comparison.collect import FoundRun
from recbole_invariant.data.splits.base import is_test
from recbole_invariant.evaluation.paired_tests import mean_interval
from recbole_invariant.evaluation.slices import MIN_USERS
from recbole_invariant.report.wording import smaller_is_better

CELL_COLUMNS = ["model", "test", "metric", "n_seeds", "mean", "low", "high"]
WORST = ("worst", "worst_environment")
"""Entries of `slices` that name another entry's slice."""


def summary_tables(by_label: dict[str, list[FoundRun]], level: float) -> dict[str, pd.DataFrame]:
    """Make the tables that need no baseline; see `Comparison` for their columns."""
    rows = pd.DataFrame(
        [row for runs in by_label.values() for run in runs for row in _values(run)],
        columns=["model", "test", "metric", "seed", "value"],
    )
    gaps = _gap_values(rows)
    slices = _slices(by_label, level)
    return {
        "cells": _means(rows[rows["test"].map(is_test)], level),
        "validation": _means(rows[~rows["test"].map(is_test)], level),
        "gaps": _means(gaps, level),
        "slices": slices,
        "worst": _worst(by_label, slices),
        "times": pd.DataFrame(
            [_time(label, runs) for label, runs in by_label.items()],
            columns=["model", "training_seconds", "evaluation_seconds"],
        ),
    }


def usual_metrics(runs: Sequence[FoundRun]) -> list[str]:
    """Return what most runs were measured by: one with AUC hides nothing of the others."""
    kinds = [tuple(run.record["metrics"][run.tests[0]]) for run in runs if run.tests]
    usual = max(dict.fromkeys(kinds), key=kinds.count) if kinds else ()
    return list(usual)


def _values(run: FoundRun) -> Iterator[tuple[Any, ...]]:
    for test, metrics in run.record["metrics"].items():
        for metric, value in metrics.items():
            if value is not None:
                yield run.label, test, metric, run.seed, float(value)


def _gap_values(rows: pd.DataFrame) -> pd.DataFrame:
    """Subtract every other test of a run from its `iid`."""
    keys = ["model", "metric", "seed"]
    iid = rows[rows["test"] == "iid"][[*keys, "value"]]
    others = rows[rows["test"].map(is_test) & (rows["test"] != "iid")]
    both = others.merge(iid, on=keys, suffixes=("", "_iid"))
    return both.assign(value=both["value_iid"] - both["value"])[list(rows.columns)]


def _means(rows: pd.DataFrame, level: float) -> pd.DataFrame:
    lines = []
    for (model, test, metric), part in rows.groupby(["model", "test", "metric"], sort=False):
        interval = mean_interval(part["value"].to_numpy(), level)
        lines.append((model, test, metric, interval.n, interval.mean, interval.low, interval.high))
    return pd.DataFrame(lines, columns=CELL_COLUMNS)


def _worst(by_label: dict[str, list[FoundRun]], slices: pd.DataFrame) -> pd.DataFrame:
    """Find each model's worst slice of a test by the means over seeds.

    A seed's own worst slice is another one each time, and their mean is that of no slice. The
    metric and the least number of users are those by which the runs name theirs.
    """
    rows = []
    for label, runs in by_label.items():
        rules: dict[str, tuple[str, int]] = {}
        for run in runs:
            for test, content in (run.record.get("slices") or {}).items():
                if worst := (content or {}).get("worst"):
                    least = int(worst.get("min_users", MIN_USERS))
                    rules.setdefault(test, (str(worst["metric"]), least))
        for test, (metric, least) in rules.items():
            own = (slices["model"] == label) & (slices["test"] == test)
            part = slices[own & (slices["metric"] == metric) & (slices["n_users"] >= least)]
            if len(part):
                by_value = part.sort_values("mean", kind="stable")
                rows.append(by_value.iloc[-1 if smaller_is_better(metric) else 0])
    columns = ["model", "test", "group", "slice", "metric", "n_seeds", "n_users"]
    return pd.DataFrame(rows, columns=[*columns, "mean", "low", "high"]).reset_index(drop=True)


def _time(label: str, runs: Sequence[FoundRun]) -> tuple[str, float, float]:
    training, evaluation = [], []
    for run in runs:
        stages = sum(stage["seconds"] for stage in run.record.get("stages", []))
        training.append(float(run.record.get("training_seconds", stages)))
        if seconds := run.record.get("evaluation_seconds"):
            evaluation.append(float(sum(seconds.values())))
    return label, fmean(training), fmean(evaluation) if evaluation else float("nan")


def _slices(by_label: dict[str, list[FoundRun]], level: float) -> pd.DataFrame:
    """Average every slice over the seeds in which it has users."""
    rows = [
        (label, test, group, name, metric, content["n_users"], content["n_positives"], value)
        for label, runs in by_label.items()
        for run in runs
        for test, group, name, content in _slices_of(run)
        for metric, value in content["metrics"].items()
        if value is not None
    ]
    keys = ["model", "test", "group", "slice", "metric"]
    table = pd.DataFrame(rows, columns=[*keys, "n_users", "n_positives", "value"])
    lines = []
    for key, part in table.groupby(keys, sort=False):
        interval = mean_interval(part["value"].to_numpy(dtype=np.float64), level)
        sizes = part["n_users"].mean(), part["n_positives"].mean()
        lines.append((*key, interval.n, *sizes, interval.mean, interval.low, interval.high))
    columns = [*keys, "n_seeds", "n_users", "n_positives", "mean", "low", "high"]
    return pd.DataFrame(lines, columns=columns)


def _slices_of(run: FoundRun) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for test, groups in (run.record.get("slices") or {}).items():
        for group, slices in groups.items():
            if group not in WORST:
                for name, content in slices.items():
                    yield test, group, name, content
