"""Protocols that cut a dataset into train, valid, iid and shifted tests; one a file."""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, cast

import torch

from recbole_invariant.data.splits.base import (
    DROPPED,
    OOD_VALID,
    Interactions,
    Split,
    SplitFunction,
)
from recbole_invariant.data.splits.nested import wants_ood_valid, with_ood_valid
from recbole_invariant.data.splits.unanswerable import drop_repeats, drop_unseen
from recbole_invariant.errors import InputError, suggest

__all__ = [
    "DROPPED",
    "NEEDS_FEATURES",
    "OOD_VALID",
    "PROTOCOLS",
    "Interactions",
    "Split",
    "make_split",
    "protocol",
]

_HERE = __name__

PROTOCOLS: dict[str, str] = {
    name: f"{_HERE}.{name}"
    for name in (
        "popularity",
        "temporal",
        "environment",
        "cluster",
        "exposure",
        "cold",
        "column",
        "random",
    )
}
"""Name of `--ood` -> module with a function `split` (see `base.SplitFunction`)."""

NEEDS_FEATURES = frozenset({"environment", "cluster"})
"""Protocols that look at the item features; loading these costs time."""


def protocol(name: str) -> SplitFunction:
    """Find a protocol by the name that `--ood` takes.

    Raises:
        InputError: there is no such protocol.
    """
    return cast(SplitFunction, _module(name).split)


def _module(name: str) -> ModuleType:
    """Import a protocol's module."""
    if name not in PROTOCOLS:
        raise InputError(
            f"ood: there is no protocol '{name}'.{suggest(name, PROTOCOLS)} "
            f"Known: {', '.join(PROTOCOLS)}."
        )
    return import_module(PROTOCOLS[name])


def make_split(
    name: str,
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None = None,
) -> Split:
    """Cut the interactions by a protocol; held-out rows that are cold or seen are `dropped`.

    With `rank_seen` seen rows stay: seen items are then ranked like any other.
    With `selection: ood_valid` or `cut_ood_valid` the part `ood_valid` is cut too, see `nested`.
    The notes get `sizes`, the rows of every part, and `dropped`, see `drop_unseen`.

    Args:
        name: of the protocol.
        interactions: all rows.
        options: the run's options.
        seed: the run's seed; the same seed gives the same rows.
        features: `(n_items, d)`, for protocols that look at them.

    Raises:
        InputError: the protocol is not known, its options are wrong, or a part is empty.
        ValueError: the protocol has a mistake, see `Split.check`.
    """
    module = _module(name)
    split: Split = module.split(interactions, options, seed, features)
    split.check(len(interactions))
    if wants_ood_valid(options):
        split = with_ood_valid(name, module, split, interactions, options, seed, features)
        split.check(len(interactions))
    split = drop_unseen(split, interactions)
    if "rank_seen" not in options or not options["rank_seen"]:
        split = drop_repeats(split, interactions)
    split.notes["sizes"] = {part: len(rows) for part, rows in split.parts.items()}
    empty = [part for part, rows in split.parts.items() if part != DROPPED and not len(rows)]
    if empty:
        held = ", ".join(f"{part} {len(rows)}" for part, rows in split.parts.items())
        raise InputError(
            f"ood: {name}: nothing is left for {', '.join(empty)} of {len(interactions)} rows "
            f"({held}). Use more data (positive_threshold, user_inter_num_interval), another "
            f"pool_ratio, or other options of the protocol '{name}'."
        )
    return split
