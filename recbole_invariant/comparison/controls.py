"""Which runs saw what a model in use cannot have; they bound the others and are no rivals."""

from collections.abc import Sequence

from recbole_invariant.comparison.collect import FoundRun

TRUTH_OPTIONS = {
    "mask_source": ("oracle",),
    "environment_source": ("true", True),
    "cue_adjustment": ("known",),
}
"""Values that let a model see the ground truth of planted data; YAML reads `true` as a boolean."""

SEES_TRUTH, BY_TEST = " (sees the truth)", " (selected by a test)"
"""What a table puts behind the label of such a run."""


def sees_truth(run: FoundRun) -> bool:
    """Say whether a run was told the planted truth."""
    options = run.record.get("options", {})
    return any(options.get(key, {}).get("value") in v for key, v in TRUTH_OPTIONS.items())


def is_balanced(run: FoundRun) -> bool:
    """Say whether a run's training rows were drawn by `balanced_attribute`."""
    return bool(run.record.get("options", {}).get("balanced_attribute", {}).get("value"))


def had_weights_to_choose(run: FoundRun) -> bool:
    """Say whether training had several epochs; Pop and ItemKNN have but one."""
    stages = run.record.get("stages")
    return stages is None or sum(int(stage["epochs"]) for stage in stages) > 1


def selected_by_test(run: FoundRun) -> bool:
    """Say whether a test set (an oracle) chose a run's weights, of several."""
    oracle = run.record.get("selection", {}).get("name") == "oracle"
    return oracle and had_weights_to_choose(run)


def knows_truth(run: FoundRun) -> bool:
    """Say whether a run saw the planted truth, or was selected by a test set (an oracle)."""
    return sees_truth(run) or selected_by_test(run)


def mark(runs: Sequence[FoundRun]) -> str:
    """Write what stands behind a label in a table; empty for a model that could be in use."""
    told = SEES_TRUTH if any(map(sees_truth, runs)) else ""
    return told + (BY_TEST if any(map(selected_by_test, runs)) else "")
