"""Runs of models and seeds as tables: means with intervals, paired tests, times, notes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from recbole_invariant.comparison.baselines import choose_baseline
from recbole_invariant.comparison.collect import FoundRun
from recbole_invariant.comparison.controls import mark
from recbole_invariant.comparison.margins import frontier_margins
from recbole_invariant.comparison.notes import comparison_notes
from recbole_invariant.comparison.oracle_gap import check_oracle, closed_gaps
from recbole_invariant.comparison.paired import odd_splits, paired_tests
from recbole_invariant.comparison.snapshot_means import snapshot_means
from recbole_invariant.comparison.tables import summary_tables, usual_metrics
from recbole_invariant.errors import InputError
from recbole_invariant.report.tables import choose_metrics


@dataclass(frozen=True)
class Comparison:
    """Models compared on one dataset and protocol.

    Attributes:
        dataset: name of the dataset.
        protocol: name of the protocol; None is RecBole's own split.
        models: labels in the order of the table, random controls last.
        seeds: the seeds of which there is a run.
        test_sets: names of the test sets, `iid` first where there is one; a random control's
            `ood_random` is among them.
        metrics: what the printed table shows, e.g. `recall@10`; the tables below have all.
        baseline: label that the others are tested against; None where there is one model only or
            all see the truth.
        baseline_rule: how it was chosen.
        oracle: label of the model that bounds the others in `closed`; None where none was named.
        level: confidence level of all intervals.
        cells: `model, test, metric, n_seeds, mean, low, high`: mean over seeds with its
            t-interval (NaN for one seed).
        validation: the same of `valid` and, where there is one, `ood_valid`.
        gaps: the same of `iid` less each other test of the same run; `test` names the other.
        slices: `model, test, group, slice, metric, n_seeds, n_users, n_positives, mean, low,
            high`: every slice, the sizes being means over seeds too.
        worst: `model, test, group, slice, metric, n_seeds, n_users, mean, low, high`: the slice
            with the worst mean over seeds, among those with enough users on average.
        tests: `model, test, metric, over, n, difference, low, high, p, p_holm, effect_size,
            effect_name, better, worse`: against the baseline, over `users` and over `seeds`.
        closed: `model, test, metric, n_seeds, gap, mean, low, high, iid_change, iid_low,
            iid_high`: `gap` is the oracle's mean less the baseline's, `mean` the model's share of
            it with its Fieller interval (NaN where there is none to tell), `iid_change` the change
            on `iid` as a share of the baseline's; empty without an oracle.
        margins: `model, snapshot, test, metric, n_seeds, mean, low, high`: OOD less that of the
            baseline's frontier at equal IID; empty where the baseline has no frontier.
        ends: the same columns: the named snapshots of the models that have any, such as the ends
            of the stages of IDEA, below their selected weights.
        times: `model, training_seconds, evaluation_seconds`, means over seeds.
        selection_rules: the rules by which weights were selected; one, as a rule.
        notes: what a reader has to know, a sentence each.
        runs: the runs themselves.
        failures: what went wrong in runs that are therefore missing.
    """

    dataset: str
    protocol: str | None
    models: list[str]
    seeds: list[int]
    test_sets: list[str]
    metrics: list[str]
    baseline: str | None
    baseline_rule: str
    oracle: str | None
    level: float
    cells: pd.DataFrame
    validation: pd.DataFrame
    gaps: pd.DataFrame
    slices: pd.DataFrame
    worst: pd.DataFrame
    tests: pd.DataFrame
    closed: pd.DataFrame
    margins: pd.DataFrame
    ends: pd.DataFrame
    times: pd.DataFrame
    selection_rules: list[str]
    notes: list[str]
    runs: list[FoundRun] = field(repr=False)
    failures: list[str] = field(default_factory=list)

    @property
    def own_tests(self) -> list[str]:
        """Test sets of the models themselves; those of random controls alone are left out."""
        own = {name for run in self.runs if not run.is_control for name in run.tests}
        return [name for name in self.test_sets if name in own]

    @property
    def marks(self) -> dict[str, str]:
        """Label -> what a table puts behind it: that the model sees what one in use cannot."""
        return {
            label: mark([run for run in self.runs if run.label == label]) for label in self.models
        }

    def __repr__(self) -> str:
        """Say in a line what was compared; `str` gives the tables."""
        return (
            f"<Comparison of {', '.join(self.models)} on {self.dataset}, protocol "
            f"{self.protocol or 'none'}, seeds {self.seeds}; print() shows the tables>"
        )

    def __str__(self) -> str:
        """Return the tables and notes as plain text."""
        from recbole_invariant.comparison.layout import as_text

        return as_text(self)


def summarise(
    runs: Sequence[FoundRun],
    baseline: str | None = None,
    metrics: Sequence[str] | None = None,
    level: float = 0.95,
    failures: Sequence[str] = (),
    oracle: str | None = None,
) -> Comparison:
    """Compare the runs of one dataset and protocol.

    Args:
        runs: finished runs; labels keep the order in which they first occur. Where a label and
            seed occur twice, the run that finished last counts.
        baseline: label to test the others against; None takes the strongest plain baseline by
            validation, never by a test.
        metrics: what the printed table shows; None is the choice of a run's own table.
        level: confidence level.
        failures: sentences about runs that did not finish; they go into the notes.
        oracle: label of the model between which and the baseline `closed` measures the gap.

    Raises:
        InputError: there is no run, they are of several datasets or protocols, or the baseline or
            the oracle is not among them, or both were given and are the same.
    """
    _require_one_setting(runs)
    runs, repeated = _latest(runs)
    by_label: dict[str, list[FoundRun]] = {}
    for run in sorted(runs, key=lambda run: run.is_control):
        by_label.setdefault(run.label, []).append(run)
    compared = {label: found for label, found in by_label.items() if not found[0].is_control}
    chosen, rule = choose_baseline(compared, baseline)
    check_oracle(oracle, baseline, list(compared))
    odd = odd_splits(compared, chosen)
    tests, test_notes = paired_tests(compared, chosen, odd, level)
    closed, closed_notes = closed_gaps(compared, chosen, oracle, odd, level)
    margins, margin_notes = frontier_margins(compared, chosen, odd, level)
    tables = summary_tables(by_label, level)
    shown = _shown(runs, metrics)
    return Comparison(
        dataset=runs[0].dataset,
        protocol=runs[0].protocol,
        models=list(by_label),
        seeds=sorted({run.seed for run in runs}),
        test_sets=_test_sets(runs),
        metrics=shown,
        baseline=chosen,
        baseline_rule=rule,
        oracle=oracle,
        level=level,
        tests=tests,
        closed=closed,
        margins=margins,
        ends=snapshot_means(compared, level),
        selection_rules=list(dict.fromkeys(run.record["selection"]["rule"] for run in runs)),
        notes=[
            *comparison_notes(by_label, chosen, rule, tables["cells"], level),
            *repeated,
            *odd.values(),
            *test_notes,
            *closed_notes,
            *margin_notes,
            *failures,
        ],
        runs=list(runs),
        failures=list(failures),
        **tables,
    )


def _require_one_setting(runs: Sequence[FoundRun]) -> None:
    if not runs:
        raise InputError("there is no finished run to compare.")
    settings = sorted({f"{run.dataset}, protocol {run.protocol or 'none'}" for run in runs})
    if len(settings) > 1:
        raise InputError(
            f"runs of one dataset and protocol can be compared, not of {'; '.join(settings)}."
        )


def _latest(runs: Sequence[FoundRun]) -> tuple[list[FoundRun], list[str]]:
    """Keep the run that finished last of every label and seed, and say where there were more."""
    kept: dict[tuple[str, int], FoundRun] = {}
    notes = []
    for run in runs:
        key = run.label, run.seed
        if key in kept:
            notes.append(f"{run.label}, seed {run.seed}: several runs; the last one counts")
        if key not in kept or _finished(run) >= _finished(kept[key]):
            kept[key] = run
    return list(kept.values()), list(dict.fromkeys(notes))


def _finished(run: FoundRun) -> str:
    return str(run.record.get("finished", ""))


def _test_sets(runs: Sequence[FoundRun]) -> list[str]:
    names = dict.fromkeys(name for run in runs for name in run.tests)
    return sorted(names, key=lambda name: name != "iid")


def _shown(runs: Sequence[FoundRun], wanted: Sequence[str] | None) -> list[str]:
    usual = usual_metrics(runs)
    return choose_metrics(usual, wanted) or choose_metrics(usual)
