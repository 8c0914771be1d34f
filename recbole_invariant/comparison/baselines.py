"""Which of the compared models is a plain baseline, and which one the others are held against."""

from collections.abc import Callable, Hashable, Sequence
from statistics import fmean

from recbole_invariant.comparison.collect import FoundRun
from recbole_invariant.comparison.controls import is_balanced, knows_truth
from recbole_invariant.errors import InputError, suggest

MOST_POPULAR = "Pop"
ByLabel = dict[str, list[FoundRun]]
WITHOUT_OPTIONS = (MOST_POPULAR, "Random")
"""RecBole's models that learn nothing of a user and have nothing to tune."""

OURS_BUT_PLAIN = ("UltraGCN",)
"""Models of this package that are somebody else's baseline, without item features."""


def is_plain(run: FoundRun) -> bool:
    """Say whether a run's model is a plain baseline: RecBole's own, or UltraGCN.

    Training rows drawn by `balanced_attribute` are a method against the shift.
    """
    if run.is_control or is_balanced(run):
        return False
    of_host = str(run.record.get("model_class", "")).startswith("recbole.")
    return (of_host and run.model not in WITHOUT_OPTIONS) or run.model in OURS_BUT_PLAIN


def is_tuned(run: FoundRun) -> bool:
    """Say whether options of the run's model were chosen for this dataset.

    A section `models.X` of a file sets them, or `tune` or `compare --tune` has searched for them.
    """
    if run.search or run.is_tuned:
        return True
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
        part, metric = _selected_by(run)
        value = run.record["metrics"].get(part, {}).get(metric)
        if value is None:
            return None
        lower = str(run.record.get("selection", {}).get("rule", "")).startswith("lowest")
        values.append(-value if lower else value)
    return fmean(values) if values else None


def _selected_by(run: FoundRun) -> tuple[str, str]:
    """Return the rows and the metric that selected a run's weights, e.g. `valid` and `ndcg@10`."""
    selection = run.record.get("selection", {})
    return str(selection.get("name", "valid")), str(selection.get("metric"))


def _usual_only(by_label: ByLabel, by: Callable[[FoundRun], Hashable]) -> ByLabel:
    """Leave the models in which most of them agree."""
    kinds = [by(runs[0]) for runs in by_label.values()]
    usual = max(dict.fromkeys(kinds), key=kinds.count)
    return {label: runs for label, runs in by_label.items() if by(runs[0]) == usual}


def _on_shared_seeds(by_label: ByLabel) -> ByLabel:
    """Leave only the seeds that all have, where there are any: the split is the seed's."""
    shared = set.intersection(*({run.seed for run in runs} for runs in by_label.values()))
    if not shared:
        return by_label
    return {label: [run for run in runs if run.seed in shared] for label, runs in by_label.items()}


def _no_plain_one(by_label: ByLabel) -> str:
    """Say that there is no plain baseline, and that a model without options is not one."""
    simple = [label for label, runs in by_label.items() if runs[0].model in WITHOUT_OPTIONS]
    if not simple:
        return "there is no plain baseline"
    verb = "is" if len(simple) == 1 else "are"
    return f"no tuned plain baseline; {' and '.join(simple)} {verb} not counted as one"


def choose_baseline(by_label: ByLabel, wanted: str | None = None) -> tuple[str | None, str]:
    """Choose the model that the others are compared with.

    By default it is the plain baseline with the best validation score, among those that were
    selected by what most of them were selected by: the same metric on the same kind of rows.
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
    # one measured by AUC is no baseline for the rest
    judged_alike = _usual_only(honest, lambda run: _selected_by(run)[1])
    plain = {label: runs for label, runs in judged_alike.items() if is_plain(runs[0])}
    kind = "the plain baselines" if plain else f"the models ({_no_plain_one(honest)})"
    # scores on other validation rows cannot be compared
    candidates = _usual_only(plain or judged_alike, _selected_by)
    scores = {label: validation_score(runs) for label, runs in _on_shared_seeds(candidates).items()}
    known = {label: score for label, score in scores.items() if score is not None}
    if not known:
        first = next(iter(candidates))
        return first, f"{first}, the first of {kind}; there are no validation results"
    best = max(known, key=lambda label: known[label])
    return best, f"{best}, the strongest of {kind} on validation"
