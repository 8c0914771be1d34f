"""How a model stands beside the baseline on one test set, by its paired tests."""

from collections.abc import Sequence
from enum import StrEnum
from math import isfinite

import pandas as pd

from recbole_invariant.report.wording import smaller_is_better

ALPHA = 0.05


class Standing(StrEnum):
    """A model beside the baseline on one test set."""

    BASELINE = "baseline"
    BETTER = "clearly better"
    WORSE = "clearly worse"
    PARTLY_BETTER = "better, not proven"
    PARTLY_WORSE = "worse, not proven"
    UNDECIDED = "not told apart"
    UNTESTED = "not tested"


def standing(tests: pd.DataFrame, smaller: bool = False) -> Standing:
    """Judge the tests of one model on one test set and metric.

    Args:
        tests: `difference` and `p_holm` of each kind of test.
        smaller: whether a lower value is better.
    """
    made = tests[tests["p_holm"].map(isfinite)] if len(tests) else tests
    if made.empty:
        return Standing.UNTESTED
    gain = -made["difference"] if smaller else made["difference"]
    clear = made["p_holm"] < ALPHA
    better, worse = clear & (gain > 0), clear & (gain < 0)
    if better.all():
        return Standing.BETTER
    if worse.all():
        return Standing.WORSE
    if better.any() and not worse.any():
        return Standing.PARTLY_BETTER
    if worse.any() and not better.any():
        return Standing.PARTLY_WORSE
    return Standing.UNDECIDED


def standings(
    tests: pd.DataFrame,
    labels: Sequence[str],
    baseline: str | None,
    sets: Sequence[str],
    metric: str,
) -> dict[tuple[str, str], Standing]:
    """Judge every model on every test set.

    Args:
        tests: as in `Comparison.tests`.
        labels: the models.
        baseline: the one that the others were tested against.
        sets: names of the test sets.
        metric: the metric to judge by.
    """
    smaller = smaller_is_better(metric)
    found = {}
    for label in labels:
        for test in sets:
            if label == baseline:
                found[label, test] = Standing.BASELINE
                continue
            where = (tests["model"] == label) & (tests["test"] == test)
            found[label, test] = standing(tests[where & (tests["metric"] == metric)], smaller)
    return found
