"""Exposure shift: train on what users chose to look at, test on what was shown at random.

The data set brings the shift in its files: `train` as the system exposed it, `test` under uniform
(or popularity-balanced) exposure, and sometimes `valid` of the test's kind. `iid` is cut from
`train`, so the pair says how much of a model's quality is knowledge of the exposure.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from recbole_invariant.data.splits.base import DROPPED, OOD_VALID, Interactions, Split
from recbole_invariant.data.splits.nested import wants_ood_valid
from recbole_invariant.data.splits.ratio import split_users_by_ratio
from recbole_invariant.data.splits.unanswerable import seen_before
from recbole_invariant.errors import InputError
from recbole_invariant.seeding import numpy_generator

KNOWN_SETS = "coat (uniform exposure) and adressa (popularity-balanced)"


def split(
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None = None,
) -> Split:
    """Cut the file `train` for each user; the file `test` is the shifted test.

    The file `valid` becomes `ood_valid` where `selection` asks for that; else it is dropped,
    since it is the test's question and not validation on training's. A test row whose pair is
    in training as well is dropped too: a ranking leaves seen items out, so no model could find it.

    Options read: `pool_ratio`, `selection`.

    Returns:
        train, valid, iid, `ood_exposure` and, where asked for, `ood_valid`.

    Raises:
        InputError: the data is not in the files `train`, `test` and perhaps `valid`.
    """
    files = _files(interactions)
    rng = numpy_generator(seed, "data")
    pool = np.flatnonzero(files == "train")
    train, valid, iid = split_users_by_ratio(interactions.users, pool, options["pool_ratio"], rng)
    parts = {"train": train, "valid": valid, "iid": iid}
    other = {"ood_exposure": np.flatnonzero(files == "test")}
    extra = np.flatnonzero(files == "valid")
    wanted = wants_ood_valid(options)
    if wanted:
        other[OOD_VALID] = _needed(extra)
    seen_pairs = {}
    dropped = [extra[:0] if wanted else extra]
    for name, rows in other.items():
        seen = seen_before(interactions, rows, train)
        parts[name], seen_pairs[name] = rows[~seen], int(seen.sum())
        dropped.append(rows[seen])
    parts[DROPPED] = np.sort(np.concatenate(dropped))
    notes = {
        "rows_in_files": {name: int((files == name).sum()) for name in ("train", "valid", "test")},
        "unused_valid_rows": 0 if wanted else len(extra),
        "seen_pairs": seen_pairs,
        "random_precision": random_precision(interactions, parts["ood_exposure"], train),
    }
    return Split(parts, notes)


def _needed(rows: np.ndarray) -> np.ndarray:
    """Return the rows of the file `valid`, which selection asks for."""
    if not len(rows):
        raise InputError(
            "selection: ood_valid: under the protocol exposure that is the data set's file "
            "'valid', and there is none; set selection: valid."
        )
    return rows


def _files(interactions: Interactions) -> np.ndarray:
    """Return each row's file, if the files are those of an exposure test."""
    if interactions.files is None:
        raise InputError(
            "ood: exposure: this data set is one file, so nothing says which rows had another "
            "exposure. It takes benchmark_filename: [train, test] or [train, valid, test] whose "
            f"test was exposed differently, as in {KNOWN_SETS}."
        )
    found = set(np.unique(interactions.files).tolist())
    if not {"train", "test"} <= found <= {"train", "valid", "test"}:
        raise InputError(
            "ood: exposure: benchmark_filename: expected the files train, test and perhaps valid, "
            f"each with rows; rows come from {', '.join(sorted(found))}. Such data sets are "
            f"{KNOWN_SETS}."
        )
    return interactions.files


def random_precision(
    interactions: Interactions, test: np.ndarray, train: np.ndarray
) -> float | None:
    """Expected precision of a ranking at random: mean over test users of positives / candidates.

    Candidates are the items of the data outside of the user's training rows. The same at every
    length of the list. None where there is no test row.
    """
    users, positives = np.unique(interactions.users[test], return_counts=True)
    if not len(users):
        return None
    history = np.bincount(interactions.users[train], minlength=int(interactions.users.max()) + 1)
    candidates = len(np.unique(interactions.items)) - history[users]
    return float((positives / np.maximum(candidates, 1)).mean())
