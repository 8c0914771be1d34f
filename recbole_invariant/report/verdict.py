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

from recbole_invariant.report.wording import listed, metric_title, shift_title, smaller_is_better

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
    found: Mapping[tuple[str, str], Standing],
    baseline: str | None,
    metric: str,
    barred: frozenset[str] = frozenset(),
    same_for_all: frozenset[str] = frozenset(),
) -> Verdict:
    """Name the model to trust on each shifted test, or none.

    Args:
        means: shifted test -> model -> mean of the metric.
        found: `standings`.
        baseline: label of the baseline.
        metric: the metric judged by.
        barred: models that are never named.
        same_for_all: models that recommend the same to everybody, such as Pop.
    """
    smaller = smaller_is_better(metric)
    winners: dict[str, str | None] = {}
    said: dict[str, list[str]] = {}
    for test, by_model in means.items():
        able = {label: mean for label, mean in by_model.items() if label not in barred}
        order = sorted(able, key=lambda label: able[label], reverse=not smaller)
        winners[test] = next((x for x in order if found[x, test] is Standing.BETTER), None)
        said[test] = _unproven(test, order, winners[test], found, baseline)
    if baseline is None and len({label for label, _ in found} & barred) > 1:
        headline = (
            "Every model here sees the truth or a test, so nothing can be said about which one to "
            "trust."
        )
    else:
        headline = _headline(winners, baseline, metric, same_for_all)
    return Verdict(headline, gathered(said), winners, dict(found))


def _headline(
    winners: Mapping[str, str | None],
    baseline: str | None,
    metric: str,
    same_for_all: frozenset[str],
) -> str:
    title = metric_title(metric)
    if not winners:
        return "These runs have no out-of-distribution test: nothing can be said about a shift."
    if baseline is None:
        return "There is one model only, so nothing can be said about which one to trust."
    named = {name for name in winners.values() if name is not None}
    if not named:
        return f"Out of distribution no model is clearly better than {baseline} ({title})."
    if len(named) == 1 and None not in winners.values():
        name = named.pop()
        where = "" if len(winners) == 1 else "on every shifted test "
        if name in same_for_all:
            return (
                f"Out of distribution, trust no learned model: {where}{name}, which recommends the "
                f"same to everybody, is clearly better than {baseline} ({title})."
            )
        return (
            f"Out of distribution, trust {name}: {where}it is clearly better than {baseline} "
            f"({title})."
        )
    parts = [
        f"{name or f'no model clearly better than {baseline}'} under {shift_title(test)}"
        for test, name in winners.items()
    ]
    return f"It depends on the shift ({title}): {'; '.join(parts)}."


def _unproven(
    test: str,
    order: Sequence[str],
    winner: str | None,
    found: Mapping[tuple[str, str], Standing],
    baseline: str | None,
) -> list[str]:
    """Say who has a better mean than the winner without a proven lead over the baseline."""
    said = []
    for label in order[: order.index(winner)] if winner else order[:1]:
        kind = found[label, test]
        than = winner or "all others"
        if label == baseline:
            said.append(f"{label}, the baseline, has the best mean itself.")
        elif kind is Standing.UNTESTED:
            said.append(f"{label} has a better mean than {than}, but could not be tested in pairs.")
        else:
            partly = kind is Standing.PARTLY_BETTER
            proof = "significant in one kind of paired test only" if partly else "within chance"
            said.append(
                f"{label} has a better mean than {than}, but its lead over {baseline} is {proof}."
            )
    return said


def gathered(said: Mapping[str, Sequence[str]]) -> list[str]:
    """Say a sentence that holds for several shifted tests once, with their names before it.

    Args:
        said: test -> sentences.
    """
    tests_of: dict[str, list[str]] = {}
    for test, sentences in said.items():
        for sentence in sentences:
            tests_of.setdefault(sentence, []).append(test)
    return [
        sentence
        if len(tests) == len(said)
        else f"Under {listed([shift_title(test) for test in tests])}: {sentence}"
        for sentence, tests in tests_of.items()
    ]
