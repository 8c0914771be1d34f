"""What a reader of a comparison has to know, in sentences."""

from collections.abc import Mapping, Sequence

import pandas as pd

from recbole_invariant.comparison.baselines import MOST_POPULAR, is_plain, is_tuned
from recbole_invariant.comparison.collect import FoundRun

ByLabel = Mapping[str, Sequence[FoundRun]]


def comparison_notes(
    by_label: ByLabel,
    baseline: str | None,
    baseline_rule: str,
    cells: pd.DataFrame,
    metrics: Sequence[str],
) -> list[str]:
    """Write the notes of a comparison.

    Args:
        by_label: the runs of every label, controls included.
        baseline: label that the others are tested against.
        baseline_rule: how it was chosen.
        cells: means over seeds.
        metrics: what the table shows.
    """
    return [f"baseline of the paired tests: {baseline_rule}", *missing_baselines(by_label)]


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
