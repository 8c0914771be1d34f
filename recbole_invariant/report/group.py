"""What one section of the page is about: the runs of one dataset and protocol."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from recbole_invariant.comparison.cells import MIN_SEEDS
from recbole_invariant.comparison.collect import FoundRun
from recbole_invariant.comparison.controls import (
    had_weights_to_choose,
    knows_truth,
    selected_by_test,
)
from recbole_invariant.comparison.summary import Comparison, summarise
from recbole_invariant.errors import InputError, suggest
from recbole_invariant.report.charts.intervals import Estimate
from recbole_invariant.report.charts.palette import Style, assign_styles

RANDOM = "ood_random"
"""The test of the protocol `random`: a control without a shift."""


@dataclass(frozen=True)
class Group:
    """The compared models of one dataset and protocol.

    Attributes:
        comparison: their means, tests and times.
        labels: the models in the order of the table, random controls left out.
        runs: label -> its runs by seed.
        styles: label -> its look, the same in all sections of the page.
        metric: the metric by which the models are judged: the one that selected their weights
            where it was measured on the tests, so that nobody chooses it afterwards.
        truth_knowing: labels that see what a model in use cannot: the planted truth, or the test
            sets (selection by an oracle).
        test_selected: those of them whose weights a test set chose.
    """

    comparison: Comparison
    labels: list[str]
    runs: Mapping[str, Sequence[FoundRun]]
    styles: Mapping[str, Style]
    metric: str
    truth_knowing: frozenset[str] = field(default_factory=frozenset)
    test_selected: frozenset[str] = field(default_factory=frozenset)

    @property
    def no_shift(self) -> bool:
        """Whether the only test beside iid is a random one, a control."""
        return self.ood_tests == [RANDOM]

    @property
    def has_intervals(self) -> bool:
        """Whether there are seeds enough for intervals of the means."""
        return len(self.comparison.seeds) >= MIN_SEEDS

    @property
    def all_test_selected(self) -> bool:
        """Whether a test chose the weights of every model that had weights to choose from."""
        trained = [
            label for label in self.labels if any(map(had_weights_to_choose, self.runs[label]))
        ]
        return bool(trained) and self.test_selected.issuperset(trained)

    @property
    def ood_tests(self) -> list[str]:
        """Names of the shifted tests of the models themselves."""
        return [name for name in self.comparison.own_tests if name != "iid"]

    @property
    def tests(self) -> list[str]:
        """Names of all tests of the models themselves, shifted ones first."""
        return sorted(self.comparison.own_tests, key=lambda name: name == "iid")

    @property
    def metrics(self) -> list[str]:
        """What the table shows: the judging metric, then the comparison's own choice."""
        return list(dict.fromkeys([self.metric, *self.comparison.metrics]))

    def estimate(self, label: str, test: str, metric: str | None = None) -> Estimate | None:
        """Return a model's mean over seeds with its interval, None where it was not measured.

        As in the printed tables there is no interval of fewer than `MIN_SEEDS` seeds.
        """
        cells = self.comparison.cells
        wanted = metric or self.metric
        where = (cells["model"] == label) & (cells["test"] == test) & (cells["metric"] == wanted)
        if not where.any():
            return None
        row = cells[where].iloc[0]
        if pd.isna(row["mean"]):
            return None
        if row["n_seeds"] < MIN_SEEDS or pd.isna(row["low"]) or pd.isna(row["high"]):
            return Estimate(float(row["mean"]))
        return Estimate(float(row["mean"]), float(row["low"]), float(row["high"]))

    def records(self, label: str) -> list[Mapping[str, Any]]:
        """Return the `run.json` of a model's runs."""
        return [run.record for run in self.runs[label]]


def make_groups(
    runs: Sequence[FoundRun], baseline: str | None = None, oracle: str | None = None
) -> list[Group]:
    """Sort runs by dataset and protocol and compare those of each.

    Args:
        runs: of any datasets and protocols.
        baseline: label that the others are tested against, in the groups that have it; None takes
            each group's own choice.
        oracle: label that bounds the others in a table of the shares of the gap closed, in the
            groups that have it.

    Raises:
        InputError: no group has the baseline or the oracle.
    """
    settings: dict[tuple[str, str], list[FoundRun]] = {}
    for run in runs:
        settings.setdefault((run.dataset, run.protocol or ""), []).append(run)
    known = list(dict.fromkeys(run.label for run in runs if not run.is_control))
    for option, label in (("baseline", baseline), ("oracle", oracle)):
        if label is not None and label not in known:
            raise InputError(
                f"--{option}: '{label}' is not among the models {', '.join(known)}."
                f"{suggest(label, known)}"
            )
    styles = assign_styles(known)
    return [_group(found, styles, baseline, oracle) for found in settings.values()]


def _group(
    runs: Sequence[FoundRun],
    styles: Mapping[str, Style],
    baseline: str | None,
    oracle: str | None,
) -> Group:
    own = {run.label for run in runs if not run.is_control}
    baseline, oracle = (label if label in own else None for label in (baseline, oracle))
    comparison = summarise(runs, baseline, oracle=oracle)
    by_label: dict[str, list[FoundRun]] = {}
    for run in comparison.runs:
        if not run.is_control:
            by_label.setdefault(run.label, []).append(run)
    labels = [label for label in comparison.models if label in by_label]
    knowing = frozenset(label for label in labels if any(map(knows_truth, by_label[label])))
    chosen = frozenset(label for label in labels if any(map(selected_by_test, by_label[label])))
    metric = judging_metric(comparison)
    return Group(comparison, labels, by_label, styles, metric, knowing, chosen)


def judging_metric(comparison: Comparison) -> str:
    """Choose the metric that models are judged by: that of most selections, where measured.

    Raises:
        InputError: no run was measured on a test set.
    """
    measured = list(dict.fromkeys(comparison.cells["metric"]))
    selected = [str(run.record.get("selection", {}).get("metric")) for run in comparison.runs]
    usual = [metric for metric in selected if metric in measured]
    if usual:
        return max(dict.fromkeys(usual), key=usual.count)
    if not measured:
        raise InputError(
            f"the runs on {comparison.dataset} have no metrics of a test set; there is nothing "
            "to report."
        )
    return comparison.metrics[0] if comparison.metrics else str(measured[0])


def same_everywhere(values: Sequence[Any]) -> bool:
    """Say whether JSON values are all equal."""
    return len({json.dumps(value, sort_keys=True) for value in values}) <= 1
