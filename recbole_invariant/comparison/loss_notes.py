"""Which lines of a comparison were trained with which `loss_type`, where they differ."""

from collections.abc import Iterator

from recbole_invariant.comparison.collect import ByLabel, FoundRun


def loss_notes(by_label: ByLabel, baseline: str | None) -> Iterator[str]:
    """Name the lines of each `loss_type` where there are several, the baseline's first.

    Args:
        by_label: runs of each label, controls left out.
        baseline: label that the others are tested against; None where there is none.
    """
    found: dict[str, list[str]] = {}
    for label in sorted(by_label, key=lambda label: label != baseline):
        for loss in dict.fromkeys(map(_loss_type, by_label[label])):
            if loss is not None:
                found.setdefault(loss, []).append(label)
    if len(found) < 2:
        return
    said = "; ".join(f"{loss}: {', '.join(labels)}" for loss, labels in found.items())
    yield (
        f"trained with different loss_type, which alone can move a metric by more than a method "
        f"does: {said}; hold a line against one of the same loss_type (NAME[loss_type=...] makes "
        "one, where the model takes it)"
    )


def _loss_type(run: FoundRun) -> str | None:
    """Return the loss by its name; None where the model has no such option."""
    value = run.record.get("options", {}).get("loss_type", {}).get("value")
    return None if value is None else str(value)
