"""Which of the compared models is a plain baseline, and which one the others are held against."""

from collections.abc import Sequence
from statistics import fmean

from recbole_invariant.comparison.collect import FoundRun
from recbole_invariant.comparison.controls import knows_truth
from recbole_invariant.errors import InputError, suggest

MOST_POPULAR = "Pop"
WITHOUT_OPTIONS = (MOST_POPULAR, "Random")
"""RecBole's models that learn nothing of a user and have nothing to tune."""

OURS_BUT_PLAIN = ("UltraGCN",)
"""Models of this package that are somebody else's baseline, without item features."""


def is_plain(run: FoundRun) -> bool:
    """Say whether a run's model is a plain baseline: RecBole's own, or UltraGCN."""
    if run.is_control:
        return False
    of_host = str(run.record.get("model_class", "")).startswith("recbole.")
    return (of_host and run.model not in WITHOUT_OPTIONS) or run.model in OURS_BUT_PLAIN


def is_tuned(run: FoundRun) -> bool:
    """Say whether options of the run's model were set for this dataset (a section `models.X`)."""
    section = f" models.{run.model}"
    options = run.record.get("options", {}).values()
    return any(str(option.get("layer", "")).endswith(section) for option in options)


def validation_score(runs: Sequence[FoundRun]) -> float | None:
    """Compute a model's mean validation metric over seeds; higher is better.

    Returns:
        The mean of what the model was selected by, negated where lower is better; None where a
        run has none.
    """
    values = []
    for run in runs:
        selection = run.record.get("selection", {})
        # an oracle's test is no validation; such runs are judged by the plain one
        part = "ood_valid" if selection.get("name") == "ood_valid" else "valid"
        value = run.record["metrics"].get(part, {}).get(selection.get("metric"))
        if value is None:
            return None
        lower = str(selection.get("rule", "")).startswith("lowest")
        values.append(-value if lower else value)
    return fmean(values) if values else None


def _selection_metric(run: FoundRun) -> str:
    return str(run.record.get("selection", {}).get("metric"))


def _usual_metric(by_label: dict[str, list[FoundRun]]) -> str:
    """Return what most models were selected by: one measured by AUC is no baseline for the rest."""
    metrics = [_selection_metric(runs[0]) for runs in by_label.values()]
    return max(dict.fromkeys(metrics), key=metrics.count)


def _on_shared_seeds(by_label: dict[str, list[FoundRun]]) -> dict[str, list[FoundRun]]:
    """Leave only the seeds that all have, where there are any: the split is the seed's."""
    shared = set.intersection(*({run.seed for run in runs} for runs in by_label.values()))
    if not shared:
        return by_label
    return {label: [run for run in runs if run.seed in shared] for label, runs in by_label.items()}


def choose_baseline(
    by_label: dict[str, list[FoundRun]], wanted: str | None = None
) -> tuple[str | None, str]:
    """Choose the model that the others are compared with.

    A model that sees the planted truth or was selected by a test is chosen only where it is named.

    Args:
        by_label: the runs of every label, controls left out.
        wanted: the label that the user named.

    Returns:
        The label, and a sentence saying how it was chosen; None where there is but one model
        or every one sees the truth.

    Raises:
        InputError: the named one is not among the models.
    """
    if wanted is not None:
        if wanted not in by_label:
            raise InputError(
                f"baseline: '{wanted}' is not among the models {', '.join(by_label)}."
                f"{suggest(wanted, by_label)}"
            )
        return wanted, f"{wanted}, as asked for"
    if len(by_label) < 2:
        return None, "none: there is one model only"
    honest = {label: runs for label, runs in by_label.items() if not any(map(knows_truth, runs))}
    if not honest:
        return None, "none: every model sees what a model in use cannot; name one"
    usual = _usual_metric(honest)
    plain = {
        label: runs
        for label, runs in honest.items()
        if is_plain(runs[0]) and _selection_metric(runs[0]) == usual
    }
    kind = "the plain baselines" if plain else "the models (there is no plain baseline)"
    candidates = plain or {
        label: runs for label, runs in honest.items() if _selection_metric(runs[0]) == usual
    }
    scores = {label: validation_score(runs) for label, runs in _on_shared_seeds(candidates).items()}
    known = {label: score for label, score in scores.items() if score is not None}
    if not known:
        first = next(iter(candidates))
        return first, f"{first}, the first of {kind}; there are no validation results"
    best = max(known, key=lambda label: known[label])
    return best, f"{best}, the strongest of {kind} on validation"
