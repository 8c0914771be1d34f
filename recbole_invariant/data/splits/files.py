"""Data that comes split into files: which file is which part."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recbole_invariant.data.splits.base import Interactions, Split, is_test
from recbole_invariant.data.splits.ratio import split_users_by_ratio
from recbole_invariant.errors import InputError
from recbole_invariant.seeding import numpy_generator

POSITIONS = {2: ("train", "iid"), 3: ("train", "valid", "iid")}


def parts_of_files(names: Sequence[str]) -> dict[str, str]:
    """Say which part each benchmark file is.

    Files are parts by position, as in RecBole: train and test, or train, valid and test. A file
    named `iid` or `ood_...` is the test set of that name; then the others are `train` and, if
    there is one, `valid`.

    Args:
        names: `benchmark_filename`.

    Raises:
        InputError: there are neither two nor three files, nor names that say what they are.
    """
    if any(is_test(name) for name in names):
        unknown = [name for name in names if not is_test(name) and name not in ("train", "valid")]
        if unknown or "train" not in names or "iid" not in names:
            raise InputError(
                f"benchmark_filename: {list(names)}: beside named tests (iid, ood_...) expected "
                "'train', 'iid' and perhaps 'valid'"
                + (f", not {', '.join(unknown)}." if unknown else ".")
            )
        return {name: name for name in names}
    if len(names) not in POSITIONS:
        raise InputError(
            f"benchmark_filename: expected the files of train, valid and test, or of train and "
            f"test, or tests named iid and ood_..., not {len(names)}: {list(names)}"
        )
    return dict(zip(names, POSITIONS[len(names)], strict=True))


def split_by_files(interactions: Interactions, options: Mapping[str, Any], seed: int) -> Split:
    """Make each file a part; a missing validation part is cut from training.

    Options read: `benchmark_filename`, `pool_ratio` (its first two shares, for validation).

    Raises:
        InputError: the files do not say what they are.
    """
    part_of = parts_of_files(options["benchmark_filename"])
    files = np.asarray(interactions.files)
    parts = {part: np.flatnonzero(files == name) for name, part in part_of.items()}
    notes: dict[str, Any] = {"files": part_of}
    if "valid" not in parts:
        ratio = [*options["pool_ratio"][:2], 0.0]
        rng = numpy_generator(seed, "data")
        kept, valid, _ = split_users_by_ratio(interactions.users, parts["train"], ratio, rng)
        parts = {"train": kept, "valid": valid, **{k: v for k, v in parts.items() if k != "train"}}
        notes["valid_cut_from_train"] = len(valid)
    order = ["train", "valid", "iid", *(name for name in parts if name.startswith("ood_"))]
    return Split({name: parts[name] for name in order}, notes, frozenset(order[1:]))
