"""Read the truth that lies beside a planted dataset; it is not part of what models see."""

from pathlib import Path

import numpy as np
import pandas as pd
from recbole.data.dataset import Dataset

from recbole_invariant.data.planted.files import (
    TRUTH_FEATURES,
    TRUTH_INTERACTIONS,
    TRUTH_ITEMS,
    TRUTH_USERS,
)
from recbole_invariant.errors import InputError

UNKNOWN = -1
"""Environment of a row that the truth does not know."""


def has_truth(dataset: Dataset) -> bool:
    """Say whether the dataset's folder holds the truth of either kind of planted data."""
    kinds = ((TRUTH_INTERACTIONS, TRUTH_FEATURES), (TRUTH_USERS, TRUTH_ITEMS))
    return any(all(_path(dataset, name).is_file() for name in kind) for kind in kinds)


def true_environments(dataset: Dataset, file: str) -> np.ndarray:
    """Look up the hidden environment of every row: the row's own, or in sequences its user's.

    Args:
        dataset: the rows, in RecBole's ids.
        file: the benchmark file that they come from, e.g. `train`.

    Returns:
        `(n_rows,)` int64 from 0, `UNKNOWN` for a row that the file does not have.

    Raises:
        InputError: there is no such truth.
    """
    table = dataset.inter_feat
    if _path(dataset, TRUTH_USERS).is_file():
        users = np.asarray(table[dataset.uid_field])
        return _of_users(dataset, "environment", UNKNOWN).astype(np.int64)[users]
    truth = _read(dataset, TRUTH_INTERACTIONS, ("user_id", "item_id", "file", "environment"))
    truth = truth[truth["file"] == file]
    known = truth.set_index(["user_id", "item_id"])["environment"]
    rows = [
        dataset.id2token(field, np.asarray(table[field]))
        for field in (dataset.uid_field, dataset.iid_field)
    ]
    found = known.reindex(pd.MultiIndex.from_arrays(rows), fill_value=UNKNOWN)
    return found.to_numpy(dtype=np.int64)


def true_cue_strength(dataset: Dataset) -> np.ndarray:
    """Look up b, the logit that an item gains where it repeats the cue, of planted sequences.

    It is that of the user's environment in the training rows: 0 for all where the data were drawn
    with `training_cue: none`.

    Returns:
        `(n_users,)` float32 by internal id; 0 for padding.

    Raises:
        InputError: there is no such truth, or it does not know a user.
    """
    found = _of_users(dataset, "training_cue_strength", np.nan)
    found[0] = 0.0
    if np.isnan(found).any():
        lost = dataset.id2token(dataset.uid_field, int(np.flatnonzero(np.isnan(found))[0]))
        raise InputError(f"{_path(dataset, TRUTH_USERS)}: it does not know the user '{lost}'.")
    return found.astype(np.float32)


def _of_users(dataset: Dataset, column: str, unknown: float) -> np.ndarray:
    """Return a column of the truth about users by internal id, `(n_users,)` float64."""
    known = _read(dataset, TRUTH_USERS, ("user_id", column)).set_index("user_id")[column]
    tokens = dataset.field2id_token[dataset.uid_field]
    return np.array(known.reindex(tokens, fill_value=unknown), dtype=np.float64)


def true_kinds(dataset: Dataset) -> np.ndarray:
    """Look up the kind of every feature dimension.

    Args:
        dataset: a dataset with `modality_slices`.

    Returns:
        `(sum of the modalities' dims,)` of `invariant`, `spurious` and `noise`, in the order of
        `item_features()`.

    Raises:
        InputError: there is no such truth, or it is about other features.
    """
    truth = _read(dataset, TRUTH_FEATURES, ("modality", "dim", "kind"))
    kinds: list[np.ndarray] = []
    for name, columns in dataset.modality_slices.items():
        of_this = truth[truth["modality"] == name].sort_values("dim")["kind"].to_numpy()
        if len(of_this) != columns.stop - columns.start:
            raise InputError(
                f"{_path(dataset, TRUTH_FEATURES)}: it knows {len(of_this)} dimensions of the "
                f"modality '{name}', which has {columns.stop - columns.start}. Use the features "
                "that `planted` wrote, under their own names."
            )
        kinds.append(of_this)
    return np.concatenate(kinds)


def _path(dataset: Dataset, name: str) -> Path:
    return Path(dataset.dataset_path) / f"{dataset.dataset_name}.{name}"


def _read(dataset: Dataset, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    path = _path(dataset, name)
    if not path.is_file():
        raise InputError(
            f"{path}: there is no such file; only data that the command `planted` wrote has a "
            "known truth. Options that are given it need the file (mask_source: oracle, "
            "environment_source: true, ...)."
        )
    try:
        return pd.read_parquet(path, columns=list(columns))
    except (ValueError, OSError, KeyError) as error:
        raise InputError(
            f"{path}: expected a parquet table with the columns {', '.join(columns)}: {error}"
        ) from error
