"""Which model to trust out of distribution, and when to say that none is.

The rule. On each shifted test a model is clearly better than the baseline if its paired difference
has the right sign and p < ALPHA after Holm's correction in every kind of test that could be made:
over users (would other users see it?) and over seeds (would another training?). Of the clearly
better models the one with the best mean is named. A model that sees the truth or a test is never
named, and nothing is decided against a baseline that does. The judging metric is the one that
selected the weights, so it was fixed before any test was opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recbole_invariant.report.race import Race, baseline_lead
from recbole_invariant.report.standing import Standing
from recbole_invariant.report.wording import listed, metric_title, shift_title, smaller_is_better


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


def decide(
    means: Mapping[str, Mapping[str, float]],
    found: Mapping[tuple[str, str], Standing],
    baseline: str | None,
    metric: str,
    barred: frozenset[str] = frozenset(),
    same_for_all: frozenset[str] = frozenset(),
    n_seeds: int = 1,
) -> Verdict:
    """Name the model to trust on each shifted test, or none.

    Args:
        means: shifted test -> model -> mean of the metric.
        found: `standings`.
        baseline: label of the baseline.
        metric: the metric judged by.
        barred: models that are never named.
        same_for_all: models that recommend the same to everybody, such as Pop.
        n_seeds: trainings of each model.
    """
    smaller = smaller_is_better(metric)
    races = {}
    for test, by_model in means.items():
        here = {label: found[label, test] for label in by_model}
        races[test] = Race(by_model, here, baseline, barred, smaller, n_seeds)
    winners = {test: race.winner for test, race in races.items()}
    title = metric_title(metric)
    nothing = _nothing_to_decide({label for label, _ in found}, races, baseline, barred, title)
    led = [race for race in races.values() if race.winner is None and race.baseline_leads]
    if nothing:
        headline = nothing
    elif len(led) == len(races):
        headline = baseline_lead(led, title, " out of distribution")
        led = []
    else:
        headline = _headline(winners, baseline, title, same_for_all)
    said = {test: race.sentences() for test, race in races.items()}
    if not nothing:
        for test, race in races.items():
            if race in led:
                said[test] = [baseline_lead([race], title), *said[test]]
    return Verdict(headline, gathered(said), winners, dict(found))


def _nothing_to_decide(
    labels: set[str],
    races: Mapping[str, Race],
    baseline: str | None,
    barred: frozenset[str],
    title: str,
) -> str:
    """Say why no model can be named at all; empty where one may be."""
    if not races:
        return "These runs have no out-of-distribution test: nothing can be said about a shift."
    able = sorted(labels - barred)
    if not able and len(labels) > 1:
        return (
            "Every model here sees the truth or a test, so nothing can be said about which one to "
            "trust."
        )
    if len(labels) == 1:
        return "There is one model only, so nothing can be said about which one to trust."
    if len(able) == 1:
        return (
            f"There is one model only that does not see the truth, {able[0]}, so nothing can be "
            "said about which one to trust."
        )
    if baseline is None or baseline in barred:
        why = f"{baseline} sees the truth" if baseline else "there is no baseline"
        best = {test: race.order[0] for test, race in races.items() if race.order}
        same = len(set(best.values())) == 1
        where = [name if same else f"{name} under {shift_title(t)}" for t, name in best.items()]
        names = listed(list(dict.fromkeys(where)))
        return (
            f"Best mean among models that do not see the truth: {names} ({title}); its lead is not "
            f"tested, for {why}."
        )
    return ""


def _headline(
    winners: Mapping[str, str | None], baseline: str | None, title: str, same: frozenset[str]
) -> str:
    named = {name for name in winners.values() if name is not None}
    if not named:
        return f"Out of distribution no model is clearly better than {baseline} ({title})."
    if len(named) == 1 and None not in winners.values():
        name = named.pop()
        where = "" if len(winners) == 1 else "on every shifted test "
        if name in same:
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
