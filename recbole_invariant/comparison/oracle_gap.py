"""How much of the way from the baseline to an oracle the models go out of distribution.

The oracle bounds what can be reached, such as a model that is given the planted cue. The ratio is
of means over seeds, not the mean of ratios: a seed whose gap happens to be small would rule that.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from recbole_invariant.comparison.collect import ByLabel, FoundRun
from recbole_invariant.errors import InputError, suggest
from recbole_invariant.evaluation.ratio_interval import ratio_interval
from recbole_invariant.evaluation.snapshot_records import shifted_tests
from recbole_invariant.report.wording import smaller_is_better

COLUMNS = ["model", "test", "metric", "n_seeds", "gap", "mean", "low", "high"]
COLUMNS += ["iid_change", "iid_low", "iid_high"]


def check_oracle(oracle: str | None, baseline: str | None, labels: Sequence[str]) -> None:
    """Make sure that the oracle is one of the models, and not the baseline.

    Raises:
        InputError: it is not.
    """
    if oracle is None:
        return
    if oracle not in labels:
        raise InputError(
            f"oracle: '{oracle}' is not among the models {', '.join(labels)}."
            f"{suggest(oracle, labels)} Name it as in --models, options in brackets included."
        )
    if oracle == baseline:
        raise InputError(
            f"oracle: {oracle} is the baseline; the gap is that between the two, so name another "
            "model as --baseline or --oracle."
        )


def closed_gaps(
    by_label: ByLabel,
    baseline: str | None,
    oracle: str | None,
    odd: Mapping[str, str],
    level: float = 0.95,
) -> tuple[pd.DataFrame, list[str]]:
    """Compute every model's share of the gap between baseline and oracle, seeds paired.

    Args:
        by_label: runs of each label, controls left out.
        baseline: label of the baseline; None where there is none.
        oracle: label of the oracle, one of `by_label`; None asks for no table.
        odd: labels whose split is another.
        level: of the intervals.

    Returns:
        The table (see `Comparison.closed`), over the seeds that model, baseline and oracle have;
        empty without an oracle, and where the oracle turned out to be the baseline. And notes.
    """
    empty = pd.DataFrame(columns=COLUMNS)
    if oracle is None:
        return empty, []
    reason = "there is no baseline" if baseline is None else odd.get(oracle)
    if baseline == oracle:
        reason = "it is the baseline itself; name another model as --baseline"
    if baseline is None or reason:
        return empty, [f"no share of the gap to {oracle}: {reason}"]
    base, best = ({run.seed: run for run in by_label[name]} for name in (baseline, oracle))
    rows = [
        row
        for label, runs in by_label.items()
        if label not in odd
        for row in _of_model(
            label, [r for r in runs if r.seed in base and r.seed in best], base, best, level
        )
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    if table.empty:
        return empty, [f"no share of the gap to {oracle}: no seed has it, {baseline} and a model"]
    return table, [_explained(baseline, oracle, level), *_without_gap(table, baseline, oracle)]


def _of_model(
    label: str,
    runs: Sequence[FoundRun],
    base: Mapping[int, FoundRun],
    best: Mapping[int, FoundRun],
    level: float,
) -> Iterator[tuple[Any, ...]]:
    """Compute the rows of one model, a shifted test and metric each."""
    where = {
        (test, metric): None
        for run in runs
        for test in shifted_tests(run.record)
        for metric in run.record["metrics"][test]
    }
    for test, metric in where:
        values = _triples(runs, base, best, test, metric)
        if not len(values):
            continue
        ours, plain, told = values.T
        found = ratio_interval(ours - plain, told - plain, level)
        gap = float((told - plain).mean())
        share = (found.ratio, found.low, found.high)
        if (-gap if smaller_is_better(metric) else gap) <= 0:
            share = (float("nan"),) * 3
        yield (
            label,
            test,
            metric,
            found.n,
            gap,
            *share,
            *_iid_change(runs, base, best, metric, level),
        )


def _triples(
    runs: Sequence[FoundRun],
    base: Mapping[int, FoundRun],
    best: Mapping[int, FoundRun],
    test: str,
    metric: str,
) -> np.ndarray:
    """Collect a metric of model, baseline and oracle, `(n_seeds, 3)`, where all have it."""
    found = []
    for run in runs:
        three = (run, base[run.seed], best[run.seed])
        found.append([one.record["metrics"].get(test, {}).get(metric) for one in three])
    return np.array([row for row in found if None not in row], dtype=np.float64).reshape(-1, 3)


def _iid_change(
    runs: Sequence[FoundRun],
    base: Mapping[int, FoundRun],
    best: Mapping[int, FoundRun],
    metric: str,
    level: float,
) -> tuple[float, float, float]:
    """Compute the change on `iid` as a share of the baseline's mean, with Fieller's interval."""
    values = _triples(runs, base, best, "iid", metric)
    if not len(values):
        return (float("nan"),) * 3
    ours, plain, _ = values.T
    found = ratio_interval(ours - plain, plain, level)
    return found.ratio, found.low, found.high


def _explained(baseline: str, oracle: str, level: float) -> str:
    return (
        f"share of the gap: mean over seeds of (model less {baseline}) by that of ({oracle} less "
        f"{baseline}), with Fieller's {level:.0%} interval, which is not symmetric; n/a where, "
        f"over the seeds of a line, {oracle}'s lead is not clear of 0; less training closes a part "
        "of the gap, too: hold it against the change on iid and the margin over the frontier"
    )


def _without_gap(table: pd.DataFrame, baseline: str, oracle: str) -> Iterator[str]:
    """Name the tests in which the oracle is not above the baseline, or not clear of it."""
    ours = table[(table["model"] == oracle)]
    none = ours[ours["mean"].isna()]
    vague = ours[ours["mean"].notna() & ours["low"].isna() & (ours["n_seeds"] > 1)]
    for part, said in (
        (none, f"{oracle} is no better than {baseline}, so there is no gap to close"),
        (vague, f"{oracle} is not clearly better than {baseline}, so no share is shown"),
    ):
        if len(part):
            where = ", ".join(
                f"{test} {metric}" for test, metric in part[["test", "metric"]].to_numpy()
            )
            yield f"share of the gap, {where}: {said}"
