"""Which runs saw what a model in use cannot have; they bound the others and are no rivals."""

from recbole_invariant.comparison.collect import FoundRun

TRUTH_OPTIONS = {"mask_source": ("oracle",), "environment_source": ("true", True)}
"""Values that let a model see the ground truth of planted data; YAML reads `true` as a boolean."""


def knows_truth(run: FoundRun) -> bool:
    """Say whether a run saw the planted truth, or was selected by a test set (an oracle)."""
    options = run.record.get("options", {})
    told = any(options.get(key, {}).get("value") in v for key, v in TRUTH_OPTIONS.items())
    return told or run.record.get("selection", {}).get("name") == "oracle"
