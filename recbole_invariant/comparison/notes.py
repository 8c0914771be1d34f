"""What a reader of a comparison has to know, in sentences."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean

import pandas as pd
from scipy import stats

from recbole_invariant.comparison.baselines import (
    MOST_POPULAR,
    WITHOUT_OPTIONS,
    is_plain,
    is_tuned,
)
from recbole_invariant.comparison.candidates import chance_notes, ranking_notes
from recbole_invariant.comparison.collect import CONTROL, ByLabel, FoundRun
from recbole_invariant.comparison.controls import sees_truth, selected_by_test
from recbole_invariant.comparison.fingerprint import WITHOUT_EFFECT
from recbole_invariant.comparison.loss_notes import loss_notes
from recbole_invariant.comparison.search_notes import search_notes
from recbole_invariant.comparison.split_notes import split_notes
from recbole_invariant.comparison.stage_notes import stage_notes
from recbole_invariant.comparison.tables import usual_metrics
from recbole_invariant.configuration.option_checks import UNREAD
from recbole_invariant.report.tables import split_name


def comparison_notes(
    by_label: ByLabel,
    baseline: str | None,
    baseline_rule: str,
    cells: pd.DataFrame,
    level: float = 0.95,
) -> list[str]:
    """Write the notes of a comparison.

    Args:
        by_label: the runs of every label, controls included.
        baseline: label that the others are tested against.
        baseline_rule: how it was chosen.
        cells: means over seeds.
        level: of the intervals.
    """
    runs = [run for found in by_label.values() for run in found]
    compared = {label: found for label, found in by_label.items() if not found[0].is_control}
    return [
        *_setting(runs),
        *split_notes(compared),
        _interval_note(len({run.seed for run in runs}), level),
        *ranking_notes(compared),
        *_tests_note(baseline, baseline_rule, len(compared)),
        *loss_notes(compared, baseline),
        *_relayed(compared),
        *stage_notes(compared),
        *_truth(by_label),
        *_options(compared),
        *search_notes(compared),
        *missing_baselines(compared),
        *_unequal_seeds(compared),
        *_unequal_options(compared),
        *_unequal_metrics(compared),
        *chance_notes(compared, cells),
        *control_notes(by_label),
        *_reused(runs),
    ]


def _setting(runs: Sequence[FoundRun]) -> Iterator[str]:
    """Say data, protocol, seeds, sizes and the rule of selection."""
    first = next(run for run in runs if not run.is_control)
    parts: dict[str, list[int]] = {}
    for run in runs:
        if not run.is_control:
            for name, count in run.record.get("n_interactions", {}).items():
                parts.setdefault(name, []).append(count)
    sizes = ", ".join(f"{name} {_range(counts)}" for name, counts in parts.items())
    seeds = sorted({run.seed for run in runs})
    protocol = split_name(first.record)
    yield f"dataset {first.dataset}, protocol {protocol}; seeds {seeds}; rows: {sizes}"
    for rule in dict.fromkeys(run.record["selection"]["rule"] for run in runs):
        yield f"selection: {rule}"


def _interval_note(n_seeds: int, level: float) -> str:
    """Say what ± is, or why there is none; see `cells.MIN_SEEDS`."""
    if n_seeds == 1:
        return "one seed: there is no interval over seeds"
    if n_seeds == 2:
        width = stats.t.ppf((1 + level) / 2, df=1)
        return (
            f"2 seeds: an interval is {width:.1f} standard errors wide to either side; it says "
            "little and is not shown (the csv has it)"
        )
    return f"± is half the {level:.0%} t-interval of the mean over seeds, shown from 3 seeds on"


def _relayed(by_label: ByLabel) -> list[str]:
    """Repeat what the runs' own tables say below them, once each, and of how many runs.

    That a model does not read an option of others is told of all models before the first run.
    """
    notes = []
    for label, runs in by_label.items():
        own: Counter[str] = Counter()
        for run in runs:
            if claims := run.record.get("split", {}).get("claims"):
                notes.append(str(claims))
            said = dict.fromkeys(run.record.get("notes", []))
            own.update(note for note in said if not UNREAD.search(note))
        for note, count in own.items():
            share = "" if count == len(runs) else f" ({count} of {len(runs)} runs)"
            notes.append(f"{label}: {note}{share}")
    return list(dict.fromkeys(notes))


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _tests_note(baseline: str | None, rule: str, n_models: int) -> Iterator[str]:
    if baseline is None:
        if n_models > 1:
            yield f"no paired tests; the baseline is {rule}"
        return
    yield (
        f"paired tests are against {baseline} ({rule.removeprefix(baseline).lstrip(', ')}); over "
        "users: sign flips of each user's difference (mean over seeds), with a bootstrap interval; "
        "over seeds: paired t; Holm's correction over the models within a test set and metric; "
        "d_z: mean difference by its standard deviation"
    )


def _truth(by_label: ByLabel) -> Iterator[str]:
    """Name the models that bound the others rather than compete with them."""
    told = [label for label, runs in by_label.items() if any(map(sees_truth, runs))]
    by_test = [label for label, runs in by_label.items() if any(map(selected_by_test, runs))]
    if told:
        yield (
            f"(sees the truth): {', '.join(told)} is given planted facts that no model in use has; "
            "it bounds the others and is no rival"
        )
    if by_test:
        yield (
            f"(selected by a test): the weights of {', '.join(by_test)} were chosen by the test "
            "itself; its values are too good to compare with the others"
        )


def _options(by_label: ByLabel) -> Iterator[str]:
    """Say whose options were searched or set for this dataset, and whose are defaults."""
    searched = [label for label, runs in by_label.items() if runs[0].is_tuned]
    others = {
        label: runs
        for label, runs in by_label.items()
        if not runs[0].search and label not in searched
    }
    tuned = [label for label, runs in others.items() if is_tuned(runs[0])]
    rest = [
        label
        for label, runs in others.items()
        if label not in tuned and runs[0].model not in WITHOUT_OPTIONS
    ]
    if searched:
        yield (
            f"options of {', '.join(searched)} are the best of a search (tune) on validation, no "
            "test opened"
        )
    if tuned:
        yield f"options set for this dataset (a section models.<name>): {', '.join(tuned)}"
    if rest:
        yield f"options are the model's defaults, untuned: {', '.join(rest)}"


def missing_baselines(by_label: ByLabel) -> list[str]:
    """Say whether the most popular items and a tuned plain baseline are missing."""
    runs = [found[0] for found in by_label.values()]
    notes = []
    if not any(run.model == MOST_POPULAR for run in runs):
        notes.append(
            f"the most popular items ({MOST_POPULAR}) are missing: whether a model learnt anything "
            "of its users cannot be seen here"
        )
    if not any(is_plain(run) and is_tuned(run) for run in runs):
        notes.append(
            "a tuned plain baseline is missing: no plain model here has options of its own for "
            "this dataset (a section models.<name> in dataset_configs or a config file)"
        )
    return notes


def _unequal_seeds(by_label: ByLabel) -> Iterator[str]:
    seeds = {run.seed for runs in by_label.values() for run in runs}
    for label, runs in by_label.items():
        if missing := sorted(seeds - {run.seed for run in runs}):
            yield f"{label}: seeds {missing} are missing, its means are over the others"


def _unequal_options(by_label: ByLabel) -> Iterator[str]:
    """Name the options in which runs of one label differ: its mean is then of several models."""
    for label, runs in by_label.items():
        options = [run.record.get("options", {}) for run in runs]
        keys = dict.fromkeys(key for option in options for key in option)
        said = []
        for key in sorted(keys.keys() - WITHOUT_EFFECT - {"seed"}):
            values = dict.fromkeys(str(option.get(key, {}).get("value")) for option in options)
            if len(values) > 1:
                said.append(f"{key} {'/'.join(values)}")
        if said:
            yield f"{label}: differs between seeds: {', '.join(said)}"


def _unequal_metrics(by_label: ByLabel) -> Iterator[str]:
    """Name models that were measured by other metrics than most, such as AUC."""
    usual = set(usual_metrics([run for runs in by_label.values() for run in runs]))
    for label, (run, *_) in by_label.items():
        ours = {metric for test in run.tests for metric in run.record["metrics"][test]}
        if ours and not ours & usual:
            yield f"{label}: measured by {', '.join(sorted(ours))}; not comparable"


def control_notes(by_label: ByLabel) -> Iterator[str]:
    """Say by the random control of the protocol `environment` whether its split is a shift."""
    found = {
        label: [run.record["shift"] for run in runs if run.record.get("shift")]
        for label, runs in by_label.items()
        if not label.endswith(CONTROL)
    }
    found = {label: shifts for label, shifts in found.items() if shifts}
    if not found:
        return
    said = []
    for label, shifts in found.items():
        gap, control = (fmean(shift[key] for shift in shifts) for key in ("gap", "control_gap"))
        n = sum(shift["is_shift"] for shift in shifts)
        said.append(f"{label} {gap:+.4f} and {control:+.4f} (a shift in {n} of {len(shifts)})")
    metric = next(iter(found.values()))[0]["metric"]
    yield (
        f"(random control) is the same model on a random split of the same sizes, its test beside "
        f"ood_environment; {metric}, iid less ood here and in the control: {', '.join(said)}"
    )
    shifted = [all(shift["is_shift"] for shift in shifts) for shifts in found.values()]
    anywhere = any(shift["is_shift"] for shifts in found.values() for shift in shifts)
    if all(shifted):
        yield "by the random control this split is a shift"
    elif anywhere:
        yield "by the random control this split is a shift for some models and seeds only"
    else:
        yield "the split and its random control agree: this is no shift"


def _reused(runs: Sequence[FoundRun]) -> Iterator[str]:
    if reused := sum(run.reused for run in runs if not run.is_control):
        yield f"{reused} of {sum(not run.is_control for run in runs)} runs were done before"
