"""The compared models against the baseline, over seeds and over users."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from recbole_invariant.comparison.collect import ByLabel, FoundRun
from recbole_invariant.evaluation.paired_tests import PairedResult, holm, over_seeds, over_users

COLUMNS = [
    "model",
    "test",
    "metric",
    "over",
    "n",
    "difference",
    "low",
    "high",
    "p",
    "p_holm",
    "effect_size",
    "effect_name",
    "better",
    "worse",
]
EFFECT = "Cohen's d_z"


def same_split(one: FoundRun, other: FoundRun) -> bool:
    """Say whether two runs had the same rows: by checksum where both have one, or else by sizes."""
    for key in ("split_checksum", "n_interactions"):
        values = one.record.get(key), other.record.get(key)
        if None not in values:
            return bool(values[0] == values[1])
    return True


def odd_splits(by_label: ByLabel, baseline: str | None) -> dict[str, str]:
    """Find models whose split differs from the baseline's under the same seed.

    Returns:
        label -> a sentence for the notes.
    """
    if baseline is None:
        return {}
    base = {run.seed: run for run in by_label[baseline]}
    odd = {}
    for label, runs in by_label.items():
        pairs = [(run, base[run.seed]) for run in runs if run.seed in base]
        seeds = [run.seed for run, other in pairs if not same_split(run, other)]
        if seeds:
            odd[label] = (
                f"{label}: its split differs from that of {baseline} (seeds {seeds}), so its "
                "figures are of other data and it is left out of the paired tests"
            )
    return odd


def paired_tests(
    by_label: ByLabel, baseline: str | None, odd: Mapping[str, str], level: float = 0.95
) -> tuple[pd.DataFrame, list[str]]:
    """Test every model against the baseline.

    Over seeds the pairs are the metrics of the two runs of a seed, which share the split. Over
    users a user's differences of all seeds are averaged first; then users are the pairs.

    Args:
        by_label: runs of each label, controls left out.
        baseline: label to test against.
        odd: labels to leave out.
        level: of the intervals.

    Returns:
        The table (see `Comparison.tests`), Holm-corrected over the models within a test, metric
        and kind of pair, and notes.
    """
    if baseline is None:
        return pd.DataFrame(columns=COLUMNS), []
    others = {k: runs for k, runs in by_label.items() if k != baseline and k not in odd}
    base = {run.seed: run for run in by_label[baseline]}
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    base_users = {seed: run.per_user() for seed, run in base.items()}
    for label, runs in others.items():
        pairs = [(run, base[run.seed]) for run in runs if run.seed in base]
        rows += _seed_rows(label, pairs, level)
        made, more = _user_rows(label, pairs, base_users, level)
        rows += made
        notes += more
    if rows and max(row["n"] for row in rows if row["over"] == "seeds") < 2:
        notes.append("one seed: no test over seeds; tests over users say nothing about other seeds")
    table = pd.DataFrame(rows, columns=COLUMNS)
    for _, part in table.groupby(["test", "metric", "over"], sort=False):
        table.loc[part.index, "p_holm"] = holm(part["p"].to_numpy(dtype=np.float64))
    return table, list(dict.fromkeys(notes))


def _row(label: str, test: str, metric: str, over: str, found: PairedResult) -> dict[str, Any]:
    return {
        "model": label,
        "test": test,
        "metric": metric,
        "over": over,
        **vars(found),
        "p_holm": float("nan"),
        "effect_name": EFFECT,
    }


def _seed_rows(
    label: str, pairs: Sequence[tuple[FoundRun, FoundRun]], level: float
) -> list[dict[str, Any]]:
    differences: dict[tuple[str, str], list[float]] = {}
    for ours, theirs in pairs:
        for test in ours.tests:
            measured = ours.record["metrics"][test]
            other = theirs.record["metrics"].get(test, {})
            for metric, value in measured.items():
                if value is not None and other.get(metric) is not None:
                    differences.setdefault((test, metric), []).append(value - other[metric])
    return [
        _row(label, test, metric, "seeds", over_seeds(np.array(values), level))
        for (test, metric), values in differences.items()
    ]


def _user_rows(
    label: str,
    pairs: Sequence[tuple[FoundRun, FoundRun]],
    base_users: Mapping[int, pd.DataFrame],
    level: float,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Test over users, test set by test set."""
    tables: dict[str, list[pd.DataFrame]] = {}
    unequal: dict[str, str] = {}
    for ours, theirs in pairs:
        table, other = ours.per_user(), base_users[theirs.seed]
        for test in [name for name in ours.tests if name in theirs.tests]:
            mine, its = _by_user(table, test), _by_user(other, test)
            if set(mine.index) != set(its.index):
                unequal[test] = (
                    f"{label}: its users in {test} are not those of {theirs.label} (seed "
                    f"{ours.seed}: {len(mine)} and {len(its)}), so there is no test over users"
                )
                continue
            shared = [name for name in mine.columns if name in its.columns]
            tables.setdefault(test, []).append(mine[shared] - its.loc[mine.index, shared])
    rows = []
    for test, found in tables.items():
        if test in unequal or found[0].empty:
            continue
        # a user's mean over the seeds in which it has test rows
        mean = pd.concat(found).groupby(level=0).mean()
        results = over_users(mean.to_numpy(dtype=np.float64), level=level)
        rows += [
            _row(label, test, metric, "users", result)
            for metric, result in zip(mean.columns, results, strict=True)
        ]
    return rows, list(unequal.values())


def _by_user(table: pd.DataFrame, test: str) -> pd.DataFrame:
    """Return the metrics of a test set by user; a user's several rows are averaged."""
    part = table[table["split"] == test].drop(columns="split")
    return part.groupby("user_id").mean()
