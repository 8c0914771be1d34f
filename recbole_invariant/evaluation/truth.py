"""How near a model came to the planted truth, and the hidden environment of test rows."""

from typing import Any

import numpy as np
import torch
from recbole.data.dataset import Dataset
from sklearn.metrics import adjusted_rand_score

from recbole_invariant.data.planted.truth import UNKNOWN, has_truth, true_environments, true_kinds
from recbole_invariant.data.planted.world import KINDS
from recbole_invariant.errors import InputError


def mask_quality(mask: np.ndarray, kinds: np.ndarray) -> dict[str, float]:
    """Average a mask over the invariant, the spurious and the noise dimensions.

    Args:
        mask: `(d,)` in [0, 1].
        kinds: kind of each dimension `(d,)`.

    Returns:
        Mean by kind; a kind without dimensions is left out. A mask has found the style only if it
        is lower on `spurious` than on `noise`: a mask of what predicts is low on both.
    """
    return {kind: float(mask[kinds == kind].mean()) for kind in KINDS if (kinds == kind).any()}


def environment_agreement(labels: np.ndarray, truth: np.ndarray) -> dict[str, float | int]:
    """Compare labels with the true environments, `(n_rows,)` each.

    Returns:
        `ari`, the adjusted Rand index: 1 for the same partition, 0 on average for a random one;
        and `n_environments_true`.
    """
    return {
        "ari": float(adjusted_rand_score(truth, labels)),
        "n_environments_true": len(np.unique(truth)),
    }


def truth_diagnostics(
    dataset: Dataset, mask: torch.Tensor, labels: torch.Tensor | None
) -> dict[str, Any]:
    """Measure mask and labels against the truth.

    Args:
        dataset: the training rows.
        mask: the model's mask `(d,)`.
        labels: environments of the training rows, or None.

    Returns:
        `mask_quality` and `environment_agreement`, as far as the truth is known: nothing for data
        without it, for other features, or for rows of another split than the files'.
    """
    if not has_truth(dataset):
        return {}
    found: dict[str, Any] = {}
    try:
        kinds = true_kinds(dataset)
        found["mask_quality"] = mask_quality(mask.detach().cpu().numpy(), kinds)
    except InputError:
        pass  # the run has other features than the planted ones
    if labels is not None:
        truth = true_environments(dataset, "train")
        if not (truth == UNKNOWN).any():
            found["environment_agreement"] = environment_agreement(labels.cpu().numpy(), truth)
    return found


def test_environments(dataset: Dataset, part: str) -> np.ndarray | None:
    """Look up the hidden environment of every row of a test set, for slices.

    Args:
        dataset: the test's rows.
        part: its name, which is that of its file: `iid`, `ood_flip`, ...

    Returns:
        `(n_rows,)` int64 from 0; None where the truth is not known for every row.
    """
    if not has_truth(dataset):
        return None
    found = true_environments(dataset, part)
    return None if (found == UNKNOWN).any() else found


test_environments.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test
