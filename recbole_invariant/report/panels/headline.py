"""The verdict, and the figure that shows it: models on all tests, best shifted results first."""

from typing import Any

from recbole_invariant.comparison.paired import odd_splits, paired_tests
from recbole_invariant.report.charts.intervals import IntervalColumn, IntervalRow, interval_plot
from recbole_invariant.report.group import Group
from recbole_invariant.report.panels.base import Panel, mean
from recbole_invariant.report.verdict import ALPHA, Standing, Verdict, decide, standing, standings
from recbole_invariant.report.wording import (
    listed,
    metric_title,
    number,
    set_title,
    smaller_is_better,
)

GOOD, BAD, MUTED = "good", "bad", "muted"
TONES = {Standing.BETTER: GOOD, Standing.WORSE: BAD}
SIGNS = {Standing.BETTER: "▲ ", Standing.WORSE: "▼ "}


def make(group: Group) -> Panel:
    """Judge the models and draw them."""
    verdict = judge(group)
    order = by_ood_mean(group)
    title = metric_title(group.metric)
    several = len(group.comparison.seeds) > 1
    level = f"{group.comparison.level:.0%}"
    dots = f"dots are means over {len(group.comparison.seeds)} seeds" if several else "one seed"
    bars = f", bars their {level} intervals" if several else ", so there are no intervals"
    content: dict[str, Any] = {
        "headline": verdict.headline,
        "details": [*verdict.details, *ties(group, verdict), *_beside(group, verdict)],
        "caveats": caveats(group),
        "figure": interval_plot(
            [_row(group, verdict, label) for label in order],
            _columns(group),
            f"{title} of {len(order)} models on {listed([set_title(t) for t in group.tests])}, "
            f"best out of distribution first. {verdict.headline}",
        ),
        "caption": f"{title}, best out of distribution on top; {dots}{bars}. Every column has its "
        "own axis. The dashed line is the baseline.",
        "rule": _rule(group),
    }
    return Panel("headline", "Which model to trust", content)


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
    return decide(means, found, comparison.baseline, group.metric, group.truth_knowing)


def by_ood_mean(group: Group) -> list[str]:
    """Order the models by their mean over the shifted tests (over iid where there is none)."""
    sign = 1 if smaller_is_better(group.metric) else -1

    def key(label: str) -> tuple[bool, float]:
        values = [group.estimate(label, test) for test in group.ood_tests or group.tests]
        known = [value.mean for value in values if value is not None]
        # who was not measured everywhere cannot be ranked with the others
        return len(known) < len(values), sign * mean(known) if known else 0.0

    return sorted(group.labels, key=key)


def ties(group: Group, verdict: Verdict) -> list[str]:
    """Say which of the clearly better models cannot be told apart from the best of them."""
    said = []
    for test, winner in verdict.winners.items():
        rivals = [
            label
            for label in group.labels
            if verdict.standings[label, test] is Standing.BETTER and label != winner
        ]
        if winner is None or not rivals:
            continue
        chosen = {label: group.runs[label] for label in (winner, *rivals)}
        tests, _ = paired_tests(chosen, winner, odd_splits(chosen, winner))
        smaller = smaller_is_better(group.metric)
        here = tests[(tests["test"] == test) & (tests["metric"] == group.metric)]
        level = [
            label
            for label in rivals
            if standing(here[here["model"] == label], smaller) is not Standing.WORSE
        ]
        where = f"{set_title(test)}: " if len(verdict.winners) > 1 else ""
        if level:
            said.append(
                f"{where}{winner} has the best mean of these, but paired tests do not clearly "
                f"tell it from {listed(level)}."
            )
        else:
            others = "it" if len(rivals) == 1 else "each of them"
            said.append(f"{where}{winner} is clearly better than {others}.")
    return said


def _beside(group: Group, verdict: Verdict) -> list[str]:
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


def caveats(group: Group) -> list[str]:
    """Say what a reader must not overlook."""
    said = []
    seeds = group.comparison.seeds
    if len(seeds) == 1:
        said.append(
            f"One seed only ({seeds[0]}): another training of the same models may change the order."
        )
    if group.truth_knowing:
        names = [label for label in group.labels if label in group.truth_knowing]
        said.append(
            f"{listed(names)}: a control that sees the truth of the data; it shows what could be "
            "reached and is never named."
        )
    shifts = [run.record.get("shift") for runs in group.runs.values() for run in runs]
    known = [shift for shift in shifts if shift]
    if known and not any(shift.get("is_shift") for shift in known):
        said.append(
            "The random control loses as much as this protocol does: by its test, this is no shift."
        )
    return said


def _columns(group: Group) -> list[IntervalColumn]:
    columns = []
    for test in group.tests:
        base = group.comparison.baseline
        reference = group.estimate(base, test) if base else None
        second = test == "iid" and bool(group.ood_tests)
        columns.append(
            IntervalColumn(
                test,
                set_title(test),
                weight=0.62 if second else 1.0,
                reference=reference.mean if reference else None,
                quiet=second,
            )
        )
    return columns


def _row(group: Group, verdict: Verdict, label: str) -> IntervalRow:
    estimates = {
        test: estimate
        for test in group.tests
        if (estimate := group.estimate(label, test)) is not None
    }
    remark, tone = _remark(group, verdict, label)
    named = label in verdict.winners.values()
    return IntervalRow(label, group.styles[label], estimates, remark, tone, named)


def _remark(group: Group, verdict: Verdict, label: str) -> tuple[str, str]:
    """Say in a few words how a model stands out of distribution."""
    judged = [verdict.standings[label, test] for test in group.ood_tests or group.tests]
    control = " (sees the truth)" if label in group.truth_knowing else ""
    if len(set(judged)) == 1:
        text = SIGNS.get(judged[0], "") + judged[0].value
        return text + control, MUTED if control else TONES.get(judged[0], MUTED)
    counts = [f"{sign}{judged.count(kind)}" for kind, sign in SIGNS.items() if judged.count(kind)]
    n = f"of {len(judged)} tests"
    return (f"{', '.join(counts)} {n}" if counts else "not told apart") + control, MUTED


def _rule(group: Group) -> str:
    baseline = group.comparison.baseline
    if baseline is None:
        return ""
    made = set(group.comparison.tests.dropna(subset=["p_holm"])["over"])
    kinds = listed([f"over {kind}" for kind in ("users", "seeds") if kind in made]) or "made"
    return (
        f"Clearly better: higher than {baseline} with p < {ALPHA:g} after Holm's correction in "
        f"the paired tests {kinds}. Judged by {metric_title(group.metric)}, which also selected "
        f"the weights on validation. Baseline: {group.comparison.baseline_rule}."
    )
