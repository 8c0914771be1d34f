"""The verdict on a group of runs: who is named, who ties, what it costs, what to mind."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from recbole_invariant.comparison.baselines import WITHOUT_OPTIONS
from recbole_invariant.comparison.collect import FoundRun
from recbole_invariant.comparison.paired import odd_splits, paired_tests
from recbole_invariant.comparison.split_notes import lost_share
from recbole_invariant.report.group import Group
from recbole_invariant.report.standing import Standing, standing, standings
from recbole_invariant.report.verdict import Verdict, decide, gathered
from recbole_invariant.report.wording import DASH, listed, number, set_title, smaller_is_better

MUCH_LOST = 0.3
"""Share of a test's rows left out as unseen, above which a reader is warned."""


def judge(group: Group) -> Verdict:
    """Apply the rule of `report.verdict` to a group."""
    comparison = group.comparison
    found = standings(
        comparison.tests, group.labels, comparison.baseline, group.tests, group.metric
    )
    means = {
        test: {
            label: estimate.mean
            for label in group.labels
            if (estimate := group.estimate(label, test)) is not None
        }
        for test in group.ood_tests
    }
    said = unjudged(group)
    if said:
        return Verdict(said, [], dict.fromkeys(group.ood_tests), found)
    same = frozenset(
        label for label in group.labels if group.runs[label][0].model in WITHOUT_OPTIONS
    )
    barred, n_seeds = group.truth_knowing, len(comparison.seeds)
    return decide(means, found, comparison.baseline, group.metric, barred, same, n_seeds)


def unjudged(group: Group) -> str:
    """Say why these runs carry no verdict at all; empty where they may."""
    if group.no_shift:
        return "Control without a shift: says nothing about out of distribution."
    if group.all_test_selected:
        return "Weights were selected on the test: an upper bound, no verdict."
    return ""


def by_ood_mean(group: Group) -> list[str]:
    """Order the models by their mean over the shifted tests (over iid where there is none)."""
    sign = 1 if smaller_is_better(group.metric) else -1

    def key(label: str) -> tuple[bool, float]:
        values = [group.estimate(label, test) for test in group.ood_tests or group.tests]
        known = [value.mean for value in values if value is not None]
        # who was not measured everywhere cannot be ranked with the others
        return len(known) < len(values), sign * fmean(known) if known else 0.0

    return sorted(group.labels, key=key)


def ties(group: Group, verdict: Verdict) -> list[str]:
    """Say which of the other clearly better models cannot be told apart from the best of them."""
    said: dict[str, list[str]] = {}
    for test, winner in verdict.winners.items():
        rivals = [
            label
            for label in group.labels
            if verdict.standings[label, test] is Standing.BETTER
            and label != winner
            and label not in group.truth_knowing
        ]
        if winner is None or not rivals:
            said[test] = []
            continue
        level = not_told_apart(group, winner, rivals, test)
        if level:
            said[test] = [
                f"{winner} leads by its mean only: paired tests do not clearly tell it from "
                f"{listed(level, 'or')}, clearly better than {group.comparison.baseline} as well."
            ]
        else:
            verb, them = ("is", "it") if len(rivals) == 1 else ("are", "each of them")
            said[test] = [
                f"{listed(rivals)} {verb} clearly better than {group.comparison.baseline} too, and "
                f"{winner} is clearly better than {them}."
            ]
    return gathered(said)


def not_told_apart(group: Group, winner: str, rivals: Sequence[str], test: str) -> list[str]:
    """Find the rivals that are not clearly worse than the winner in paired tests with it."""
    chosen = {label: _with_test(group.runs[label], test) for label in (winner, *rivals)}
    tests, _ = paired_tests(chosen, winner, odd_splits(chosen, winner), group.comparison.level)
    smaller = smaller_is_better(group.metric)
    here = tests[(tests["test"] == test) & (tests["metric"] == group.metric)]
    return [
        label
        for label in rivals
        if standing(here[here["model"] == label], smaller) is not Standing.WORSE
    ]


def _with_test(runs: Sequence[FoundRun], test: str) -> list[FoundRun]:
    """Leave one test set in the runs' records: tests over many users take their time."""
    return [
        replace(run, record={**run.record, "metrics": {test: run.record["metrics"][test]}})
        for run in runs
        if test in run.record["metrics"]
    ]


def beside(group: Group, verdict: Verdict) -> list[str]:
    """Say what the named model gains out of distribution and gives in distribution."""
    winner, baseline = verdict.winner, group.comparison.baseline
    if winner is None or baseline is None:
        return []
    said = []
    for test in group.tests:
        ours, theirs = group.estimate(winner, test), group.estimate(baseline, test)
        if ours is None or theirs is None or not theirs.mean:
            continue
        change = (ours.mean - theirs.mean) / theirs.mean
        figures = f"{number(ours.mean, 3)} against {number(theirs.mean, 3)}"
        said.append(f"{set_title(test)} {figures} ({change:+.1%})")
    return [f"{winner} against {baseline}: {'; '.join(said)}."] if said else []


def price(group: Group, verdict: Verdict) -> list[str]:
    """Say who of the named models pays for its robustness in distribution."""
    if "iid" not in group.tests:
        return []
    return [
        f"{name} is clearly worse than {group.comparison.baseline} in distribution (IID)."
        for name in dict.fromkeys(verdict.winners.values())
        if name is not None and verdict.standings[name, "iid"] is Standing.WORSE
    ]


def caveats(group: Group) -> list[str]:
    """Say what a reader must not overlook."""
    said = []
    seeds = group.comparison.seeds
    if len(seeds) == 1:
        said.append(
            f"One seed only ({seeds[0]}): another training of the same models may change the order."
        )
    if len(seeds) == 2:
        said.append(
            f"Two seeds only ({seeds[0]} and {seeds[1]}): a test over two seeds hardly ever proves "
            "anything, and other trainings may change the order."
        )
    said += lost_rows(group)
    shifts = [run.record.get("shift") for runs in group.runs.values() for run in runs]
    known = [shift for shift in shifts if shift]
    if known and not any(shift.get("is_shift") for shift in known):
        said.append(
            "The random control loses as much as this protocol does: by its test, this is no shift."
        )
    return said


def lost_rows(group: Group) -> list[str]:
    """Say of which tests a large share was dropped, users or items being unseen in training."""
    runs = [run for label in group.labels for run in group.runs[label]]
    said = []
    for test in group.tests:
        share, users = lost_share(runs, test)
        if share <= MUCH_LOST:
            continue
        ends = dict.fromkeys((min(users), max(users))) if users else {}
        remain = f"; {DASH.join(map(str, ends))} users remain" if users else ""
        said.append(
            f"{share:.0%} of the rows of {set_title(test)} were left out, as their user or item "
            f"has no training row{remain}. It asks about the rest only."
        )
    return said
