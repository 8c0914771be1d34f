"""Agreement of two views of the same examples (InfoNCE)."""

import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from recbole_invariant.objective.information import unit_rows


def info_nce(
    first: Tensor, second: Tensor, temperature: float, targets: Tensor | None = None
) -> Tensor:
    """Symmetric InfoNCE on cosine similarities, with the other rows of the batch as negatives.

    `1/2 (CE(first -> second) + CE(second -> first))`, where the classes of row i are the rows of
    the other view and i is the right one (van den Oord et al. 2018; symmetric as in CLIP). Views
    are made by dropout, as in SimCSE (Gao et al. 2021) and DuoRec (Qiu et al. 2022); rows with the
    same target are no negatives of each other, as they are positives in DuoRec.

    Args:
        first: one view of the examples `(rows, dim)`; a zero row is equally far from all.
        second: the other view `(rows, dim)`.
        temperature: > 0, divides the cosines.
        targets: `(rows,)`, int64, or None when all rows are negatives of each other.

    Returns:
        0-d, >= 0, in nats; log rows for equal rows without targets, 0 for one row.
    """
    similarity = unit_rows(first) @ unit_rows(second).T / temperature
    own = torch.arange(len(first), device=first.device)
    if targets is not None:
        alike = targets[:, None] == targets
        alike[own, own] = False
        similarity = similarity.masked_fill(alike, -math.inf)
    return (cross_entropy(similarity, own) + cross_entropy(similarity.T, own)) / 2
