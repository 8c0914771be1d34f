"""Runs of one model and seed whose options differ are lines of their own."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from recbole_invariant.comparison.fingerprint import WITHOUT_EFFECT
from recbole_invariant.comparison.structure import (
    set_by_user,
    structural_label,
    structural_options,
)

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
        groups[_line(run)].append(run)
    differing = {line: _differing(group) for line, group in groups.items()}
    return [run if run.is_named else _labelled(run, differing[_line(run)]) for run in runs]


def _line(run: "FoundRun") -> Hashable:
    """Return what the runs of one line of a table share."""
    return run.dataset, run.protocol, run.label


def _differing(group: Sequence["FoundRun"]) -> list[str]:
    """Name the options in which the runs of a line differ; none where no seed is there twice."""
    own = [_own_options(run.record) for run in group]
    first: dict[int, Mapping[str, Any]] = {}
    pairs = zip(group, own, strict=True)
    if all(first.setdefault(run.seed, options) == options for run, options in pairs):
        return []
    keys = dict.fromkeys(key for options in own for key in options)
    return [key for key in keys if any(options.get(key) != own[0].get(key) for options in own)]


def _own_options(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the user set of the options that change what comes out."""
    left_out = {*WITHOUT_EFFECT, *MEASURED, *structural_options()}
    return {key: value for key, value in set_by_user(record).items() if key not in left_out}


def _labelled(run: "FoundRun", differing: Sequence[str]) -> "FoundRun":
    """Name some options in the label of a run, before what marks it as tuned or a control."""
    mark = run.label.removeprefix(structural_label(run.record))
    return replace(run, label=structural_label(run.record, differing) + mark)
