"""Runs of one model and seed whose options differ are lines of their own."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from recbole_invariant.comparison.fingerprint import WITHOUT_EFFECT
from recbole_invariant.comparison.structure import structural_options
from recbole_invariant.config import USER_LAYERS

if TYPE_CHECKING:
    from recbole_invariant.comparison.collect import FoundRun

MEASURED = frozenset({"metrics", "topk", "seed", "ood"})
"""Options that make no other model: what is measured, and what tables tell apart anyway."""


def options_told_apart(runs: Sequence["FoundRun"]) -> list["FoundRun"]:
    """Add to a label the options that the user set in one run of it and not in another.

    Only where two runs of a label share a seed: one of them would otherwise stand for both, a
    trial of one epoch, say, for a whole training. What `compare` named keeps its name.
    """
    groups: dict[Hashable, list[FoundRun]] = defaultdict(list)
    for run in runs:
        groups[run.dataset, run.protocol, run.label].append(run)
    told = {id(run): run for run in runs}
    for group in groups.values():
        own = [_own_options(run.record) for run in group if not run.is_named]
        if len(own) < len(group) or not _collide(group, own):
            continue
        differing = {key for one in own for key in one if any(o.get(key) != one[key] for o in own)}
        for run, options in zip(group, own, strict=True):
            words = [f"{key}={value}" for key, value in options.items() if key in differing]
            told[id(run)] = replace(run, label=_with_options(run.label, words))
    return [told[id(run)] for run in runs]


def _own_options(record: Mapping[str, Any]) -> dict[str, str]:
    """Return what the user set of the options that change what comes out, as text."""
    left_out = {*WITHOUT_EFFECT, *MEASURED, *structural_options()}
    return {
        key: str(option.get("value"))
        for key, option in (record.get("options") or {}).items()
        if key not in left_out and str(option.get("layer", "")).startswith(USER_LAYERS)
    }


def _collide(group: Sequence["FoundRun"], own: Sequence[Mapping[str, str]]) -> bool:
    """Whether two runs have one seed and unlike options."""
    first: dict[int, Mapping[str, str]] = {}
    pairs = zip(group, own, strict=True)
    return any(first.setdefault(run.seed, options) != options for run, options in pairs)


def _with_options(label: str, words: Sequence[str]) -> str:
    """Write options into a label's brackets, or into new ones behind the model's name."""
    if not words:
        return label
    name, bracket, rest = label.partition("[")
    if bracket:
        return f"{name}[{','.join(words)},{rest}"
    model, blank, mark = label.partition(" ")
    return f"{model}[{','.join(words)}]{blank}{mark}"
