"""Protocols that cut a dataset into train, valid, iid and shifted tests; one a file."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

import torch

from recbole_invariant.data.splits.base import (
    DROPPED,
    Interactions,
    Split,
    SplitFunction,
    drop_unseen,
)
from recbole_invariant.errors import InputError, suggest

__all__ = [
    "DROPPED",
    "NEEDS_FEATURES",
    "PROTOCOLS",
    "Interactions",
    "Split",
    "make_split",
    "protocol",
]

_HERE = __name__

PROTOCOLS: dict[str, str] = {
    "popularity": f"{_HERE}.popularity",
    "environment": f"{_HERE}.environment",
    "random": f"{_HERE}.random",
}
"""Name of `--ood` -> module with a function `split` (see `base.SplitFunction`)."""

NEEDS_FEATURES = frozenset({"environment"})
"""Protocols that look at the item features; loading these costs time."""

LATER = ("temporal", "cluster", "exposure", "cold", "column")
"""Protocols with a name but no file yet."""


def protocol(name: str) -> SplitFunction:
    """Find a protocol by the name that `--ood` takes.

    Raises:
        InputError: there is no such protocol, or not yet.
    """
    if name in LATER or (name in PROTOCOLS and find_spec(PROTOCOLS[name]) is None):
        here = [known for known, module in PROTOCOLS.items() if find_spec(module) is not None]
        raise InputError(f"ood: '{name}' is not in this version yet; there is {', '.join(here)}.")
    if name not in PROTOCOLS:
        raise InputError(
            f"ood: there is no protocol '{name}'.{suggest(name, [*PROTOCOLS, *LATER])} "
            f"Known: {', '.join(PROTOCOLS)}."
        )
    return cast(SplitFunction, import_module(PROTOCOLS[name]).split)


def make_split(
    name: str,
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None = None,
) -> Split:
    """Cut the interactions by a protocol; held-out rows that are cold go to `dropped`.

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
    split = protocol(name)(interactions, options, seed, features)
    split.check(len(interactions))
    split = drop_unseen(split, interactions)
    empty = [part for part, rows in split.parts.items() if part != DROPPED and not len(rows)]
    if empty:
        held = ", ".join(f"{part} {len(rows)}" for part, rows in split.parts.items())
        raise InputError(
            f"ood: {name}: nothing is left for {', '.join(empty)} of {len(interactions)} rows "
            f"({held}). Use more data (positive_threshold, user_inter_num_interval), another "
            f"pool_ratio, or other options of the protocol '{name}'."
        )
    return split
