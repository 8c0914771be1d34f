"""The verdict, and the figure that shows it: models on all tests, best shifted results first."""

from typing import Any

from recbole_invariant.comparison.cells import MIN_SEEDS
from recbole_invariant.report.charts.intervals import IntervalColumn, IntervalRow, interval_plot
from recbole_invariant.report.group import Group
from recbole_invariant.report.judgement import beside, by_ood_mean, caveats, judge, price, ties
from recbole_invariant.report.panels.base import Panel
from recbole_invariant.report.standing import ALPHA, Standing
from recbole_invariant.report.verdict import Verdict
from recbole_invariant.report.wording import listed, metric_title, set_title

MOST_SHIFTS = 3
"""Shifted tests drawn; more would be too narrow to read."""

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
    n_least = f" of fewer than {MIN_SEEDS}" if several else ""
    none = f"; intervals{n_least} are not drawn" if several else ", so there are no intervals"
    bars = f", bars their {level} intervals" if group.has_intervals else none
    place = _place(group)
    n_more = len(group.ood_tests) - MOST_SHIFTS
    more = f" {n_more} more shifted tests stand in the table below." if n_more > 0 else ""
    content: dict[str, Any] = {
        "headline": verdict.headline,
        "named": any(name is not None for name in verdict.winners.values()),
        "details": [*verdict.details, *ties(group, verdict), *beside(group, verdict)],
        "caveats": [*price(group, verdict), *caveats(group)],
        "figure": interval_plot(
            [_row(group, verdict, label) for label in order],
            _columns(group),
            f"{title} of {len(order)} models on {listed([set_title(t) for t in group.tests])}, "
            f"best {place} first. {verdict.headline}",
            place,
        ),
        "caption": f"{title}, best {place} on top; {dots}{bars}. Every column has its own axis. "
        f"The words at the right tell how they stand {place}. The dashed line is the baseline."
        f"{more}",
        "rule": _rule(group) + _controls(group),
    }
    return Panel("headline", "Which model to trust", content)


def _place(group: Group) -> str:
    """Say where the models are ordered and judged."""
    if group.no_shift:
        return "on the control"
    return "out of distribution" if group.ood_tests else "in distribution"


def drawn_tests(group: Group) -> list[str]:
    """Choose the tests that the figure has room for: three shifted ones, and iid."""
    return [*group.ood_tests[:MOST_SHIFTS], *(name for name in group.tests if name == "iid")]


def _columns(group: Group) -> list[IntervalColumn]:
    columns = []
    for test in drawn_tests(group):
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
        for test in drawn_tests(group)
        if (estimate := group.estimate(label, test)) is not None
    }
    remark, tone = _remark(group, verdict, label)
    named = label in verdict.winners.values()
    return IntervalRow(label, group.styles[label], estimates, remark, tone, named)


def _remark(group: Group, verdict: Verdict, label: str) -> tuple[str, str]:
    """Say in a few words how a model stands out of distribution."""
    judged = [verdict.standings[label, test] for test in group.ood_tests or group.tests]
    if label in group.test_selected:
        return "selected on the test", MUTED
    if label in group.truth_knowing:
        return "sees the truth", MUTED
    if group.no_shift and len(set(judged)) == 1:
        return judged[0].value, MUTED
    if len(set(judged)) == 1:
        text = SIGNS.get(judged[0], "") + judged[0].value
        return text, TONES.get(judged[0], MUTED)
    counts = [f"{sign}{judged.count(kind)}" for kind, sign in SIGNS.items() if judged.count(kind)]
    n = f"of {len(judged)} tests"
    return (f"{', '.join(counts)} {n}" if counts else "not told apart"), MUTED


def _controls(group: Group) -> str:
    """Say who takes part as a control only."""
    said = ""
    told = [label for label in group.labels if label in group.truth_knowing - group.test_selected]
    if told:
        verb = "sees" if len(told) == 1 else "see"
        said += f" {listed(told)} {verb} the truth of the data: what could be reached, never named."
    chosen = [label for label in group.labels if label in group.test_selected]
    if chosen:
        verb = "has its" if len(chosen) == 1 else "have their"
        said += f" {listed(chosen)} {verb} weights from a selection on the test: never named."
    return said


def _rule(group: Group) -> str:
    baseline = group.comparison.baseline
    if baseline is None:
        return ""
    made = set(group.comparison.tests.dropna(subset=["p_holm"])["over"])
    kinds = listed([f"over {kind}" for kind in ("users", "seeds") if kind in made]) or "made"
    where = "" if group.test_selected else " on validation"
    return (
        f"Clearly better: higher than {baseline} with p < {ALPHA:g} after Holm's correction in "
        f"the paired tests {kinds}. Judged by {metric_title(group.metric)}, which also selected "
        f"the weights{where}. Baseline: {group.comparison.baseline_rule}."
    )
