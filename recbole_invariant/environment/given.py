"""Environments that are not inferred: the planted truth, or none at all (random labels).

Both are controls. With the true environments a method shows what its mask can do; with random ones
what is left of its gain has nothing to do with environments.
"""

from typing import Any

import numpy as np
import torch
from recbole.data.dataset import Dataset
from torch import Tensor

from recbole_invariant.data.planted.truth import UNKNOWN, true_environments
from recbole_invariant.environment.labels import random_labels
from recbole_invariant.errors import InputError

INFERRED, TRUE, RANDOM = "inferred", "true", "random"


def environment_source(value: Any) -> str:
    """Read the option; YAML makes a boolean of an unquoted `true`.

    Raises:
        InputError: it is `false`.
    """
    if value is False:
        raise InputError(f"environment_source: expected {INFERRED}, {TRUE} or {RANDOM}, not false.")
    return TRUE if value is True else str(value)


def given_environments(
    source: str, dataset: Dataset, n_environments: int, generator: torch.Generator
) -> Tensor:
    """Label every training row.

    Args:
        source: `true` or `random`.
        dataset: the training rows.
        n_environments: number of random environments; the true ones have their own number.
        generator: CPU generator of the random labels.

    Returns:
        `(n_rows,)` int64 from 0.

    Raises:
        InputError: true environments are asked for and not known.
    """
    if source == RANDOM:
        return random_labels(len(dataset.inter_feat), n_environments, generator)
    labels = true_environments(dataset, "train")
    lost = int((labels == UNKNOWN).sum())
    if lost:
        raise InputError(
            f"environment_source: true: {lost} of {len(labels)} training rows are not in "
            f"{dataset.dataset_name}.train.inter. The truth is known for the files' own split: "
            "leave --ood away."
        )
    return torch.from_numpy(np.unique(labels, return_inverse=True)[1].astype(np.int64))
