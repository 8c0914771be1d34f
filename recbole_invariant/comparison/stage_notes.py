"""What the stages of compared runs came to: models beneath, weights kept, limits reached."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from recbole_invariant.comparison.collect import ByLabel
from recbole_invariant.report.stage_words import (
    chooser_words,
    kept_words,
    limit_words,
    limited_stages,
    wrapped_name,
)


def stage_notes(by_label: ByLabel) -> Iterator[str]:
    """Write the notes of all lines.

    Args:
        by_label: runs of each label, controls left out.
    """
    yield from _backbones(by_label)
    for label, runs in by_label.items():
        yield from _kept(label, [run.record for run in runs])
    for label, runs in by_label.items():
        yield from _limits(label, {run.seed: run.record for run in runs})


def _backbones(by_label: ByLabel) -> Iterator[str]:
    """Name what each line wraps, in one sentence; a default stands in no label."""
    found: dict[str, list[str]] = {}
    for label, runs in by_label.items():
        for name in dict.fromkeys(wrapped_name(run.record) for run in runs):
            if name is not None:
                found.setdefault(name, []).append(label)
    if found:
        said = (f"{', '.join(labels)} over {name}" for name, labels in found.items())
        yield f"wrapped models: {'; '.join(said)}"


def _kept(label: str, records: list[dict[str, Any]]) -> Iterator[str]:
    """Count which end of its stages each seed kept."""
    told = [record for record in records if kept_words(record)]
    if not told:
        return
    counts = Counter(kept_words(record) for record in told)
    said = ", ".join(f"{words} in {n} of {len(told)} seeds" for words, n in counts.items())
    choosers = dict.fromkeys(chooser_words(record) for record in told)
    yield f"{label} kept: {said}; {', or '.join(choosers)}"


def _limits(label: str, by_seed: dict[int, dict[str, Any]]) -> Iterator[str]:
    """Name the stages that ended at their limit, with their seeds where it was not all."""
    found: dict[str, dict[int, int]] = {}
    for seed, record in by_seed.items():
        for stage, epochs in limited_stages(record):
            found.setdefault(stage, {})[seed] = epochs
    for stage, limits in found.items():
        of = label if len(limits) == len(by_seed) else f"{label} (seeds {sorted(limits)})"
        yield limit_words(stage, of, list(limits.values()), by_seed[next(iter(limits))])
