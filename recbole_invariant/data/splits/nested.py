"""`ood_valid`: a validation part under the same shift as the test, cut from the training side.

The protocol is applied a second time to what it left for training (train, valid and iid together).
Cutting train alone would leave valid and iid with rows that training no longer resembles, such as
rows after the earlier boundary of `temporal`. So train, valid and iid are drawn anew, while the
tests keep their rows (except those of users and items that training no longer knows).
"""

from collections import ChainMap
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch

from recbole_invariant.data.splits.base import DROPPED, OOD_VALID, Interactions, Split
from recbole_invariant.errors import InputError
from recbole_invariant.seeding import derive_seed

POOL = ("train", "valid", "iid")


def wants_ood_valid(options: Mapping[str, Any]) -> bool:
    """Say whether the run selects on `ood_valid`, or wants it measured beside what selects."""
    selects = "selection" in options and options["selection"] == OOD_VALID
    return selects or ("cut_ood_valid" in options and bool(options["cut_ood_valid"]))


def with_ood_valid(
    name: str,
    module: ModuleType,
    split: Split,
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None,
) -> Split:
    """Apply a protocol again within its pool; what that holds out is `ood_valid`.

    Its size is about validation's share of the pool, by the module's `options_for_share`.

    Args:
        name: of the protocol, for messages.
        module: has `split` and, where the protocol can be nested, `options_for_share`.
        split: the first cut.
        interactions: all rows.
        options: the run's options.
        seed: the run's seed; the second cut has a seed of its own, derived from it.
        features: `(n_items, d)` or None.

    Returns:
        The tests of the first cut with train, valid, iid and `ood_valid` of the second.

    Raises:
        InputError: the protocol cannot be nested, or `pool_ratio` has no validation share.
    """
    if OOD_VALID in split.parts:
        return split
    pool = np.sort(np.concatenate([split.parts[part] for part in POOL]))
    inner = _cut_again(name, module, interactions.take(pool), options, seed, features)
    none = pool[:0]
    parts = {part: pool[inner.parts[part]] for part in POOL}
    parts.update({part: split.parts[part] for part in split.tests if part != "iid"})
    held_out = [inner.parts[part] for part in inner.tests if part != "iid"]
    parts[OOD_VALID] = pool[np.sort(np.concatenate(held_out))]
    dropped = [split.parts.get(DROPPED, none), pool[inner.parts.get(DROPPED, none)]]
    parts[DROPPED] = np.sort(np.concatenate(dropped))
    cold = split.cold_parts | ({OOD_VALID} if inner.cold_parts else frozenset())
    return Split(parts, {**split.notes, OOD_VALID: inner.notes}, cold)


def _cut_again(
    name: str,
    module: ModuleType,
    inside: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None,
) -> Split:
    """Apply a protocol to its pool, so that it holds out about validation's share."""
    if not hasattr(module, "options_for_share"):
        raise InputError(
            f"selection: ood_valid is not offered under the protocol '{name}', which does not let "
            "one choose how many rows it holds out; set selection: valid."
        )
    ratio = options["pool_ratio"]
    if not ratio[1] > 0:
        raise InputError(
            f"pool_ratio: {list(ratio)} has no share for validation, and ood_valid takes its size "
            "from that."
        )
    changed = module.options_for_share(inside, options, ratio[1] / sum(ratio))
    # RecBole's Config can be read by key, which is all a ChainMap needs
    inner_options: Mapping[str, Any] = ChainMap(changed, options)  # type: ignore[arg-type]
    try:
        inner: Split = module.split(inside, inner_options, derive_seed(seed, OOD_VALID), features)
    except InputError as error:
        raise InputError(
            f"selection: ood_valid: the protocol '{name}' cannot cut a second time from what it "
            f"left for training; set selection: valid. {error}"
        ) from error
    inner.check(len(inside))
    return inner
