"""Which model to trust out of distribution, and when to say that none is.

The rule. On each shifted test a model is clearly better than the baseline if its paired difference
has the right sign and p < ALPHA after Holm's correction in every kind of test that could be made:
over users (would other users see it?) and over seeds (would another training?). Of the clearly
better models the one with the best mean is named. A model that sees the truth is never named. The
judging metric is the one that selected the weights, so it was fixed before any test was opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite

import pandas as pd

from recbole_invariant.report.wording import listed, metric_title, set_title, smaller_is_better

ALPHA = 0.05


class Standing(StrEnum):
    """A model beside the baseline on one test set."""

    BASELINE = "baseline"
    BETTER = "clearly better"
    WORSE = "clearly worse"
    PARTLY_BETTER = "better, but not in every test"
    PARTLY_WORSE = "worse, but not in every test"
    UNDECIDED = "not told apart"
    UNTESTED = "not tested"


@dataclass(frozen=True)
class Verdict:
    """What the page says first.

    Attributes:
        headline: one sentence.
        details: further sentences, for the paragraph below it.
        winners: shifted test -> the model to trust there, or None.
        standings: (model, test) -> its standing.
    """

    headline: str
    details: list[str]
    winners: dict[str, str | None]
    standings: dict[tuple[str, str], Standing] = field(repr=False)

    @property
    def winner(self) -> str | None:
        """The model that is named for every shifted test; None where there is no such one."""
        names = set(self.winners.values())
        return names.pop() if len(names) == 1 else None


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


def decide(
    means: Mapping[str, Mapping[str, float]],
    found: dict[tuple[str, str], Standing],
    baseline: str | None,
    metric: str,
    barred: frozenset[str] = frozenset(),
) -> Verdict:
    """Name the model to trust on each shifted test, or none.

    Args:
        means: shifted test -> model -> mean of the metric, best models not first.
        found: `standings`.
        baseline: label of the baseline.
        metric: the metric judged by.
        barred: models that are never named.
    """
    smaller = smaller_is_better(metric)
    winners: dict[str, str | None] = {}
    details = []
    for test, by_model in means.items():
        able = {label: mean for label, mean in by_model.items() if label not in barred}
        order = sorted(able, key=lambda label: able[label], reverse=not smaller)
        better = [label for label in order if found[label, test] is Standing.BETTER]
        winners[test] = better[0] if better else None
        details += _details(test, order, better, found, baseline, len(means) > 1)
    return Verdict(_headline(winners, baseline, metric, len(found)), details, winners, found)


def _headline(
    winners: Mapping[str, str | None], baseline: str | None, metric: str, n_judged: int
) -> str:
    title = metric_title(metric)
    if not winners:
        return "These runs have no out-of-distribution test: nothing can be said about a shift."
    if baseline is None or n_judged <= len(winners):
        return "There is one model only, so nothing can be said about which one to trust."
    named = {name for name in winners.values() if name is not None}
    if not named:
        return f"Out of distribution no model is clearly better than {baseline} ({title})."
    if len(named) == 1 and None not in winners.values():
        everywhere = "" if len(winners) == 1 else "on every shifted test "
        return (
            f"Out of distribution, trust {named.pop()}: {everywhere}it is clearly better than "
            f"{baseline} ({title})."
        )
    parts = [
        f"{winners[test] or f'no model clearly better than {baseline}'} ({set_title(test)[5:]})"
        for test in winners
    ]
    return f"It depends on the shift ({title}): {'; '.join(parts)}."


def _details(
    test: str,
    order: Sequence[str],
    better: Sequence[str],
    found: Mapping[tuple[str, str], Standing],
    baseline: str | None,
    named: bool,
) -> list[str]:
    """Say what the headline leaves out: who else is better, and whose lead is not proven."""
    where = f"{set_title(test)}: " if named else ""
    said = []
    if better[1:]:
        verb = "is" if len(better) == 2 else "are"
        said.append(f"{where}{listed(better[1:])} {verb} clearly better than {baseline} too.")
    lead = order[: order.index(better[0])] if better else order[:1]
    for label in lead:
        standing_ = found[label, test]
        if label == baseline:
            said.append(f"{where}{label}, the baseline, has the best mean itself.")
        elif standing_ is Standing.UNTESTED:
            said.append(f"{where}{label} has the best mean, but no paired test could be made.")
        else:
            partly = standing_ is Standing.PARTLY_BETTER
            proof = "significant in one kind of paired test only" if partly else "within chance"
            than = better[0] if better else "the rest"
            lead_of = f"{label} has a better mean than {than}, but its lead over {baseline}"
            said.append(f"{where}{lead_of} is {proof}.")
    return said
