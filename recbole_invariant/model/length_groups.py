"""Sequences of like length together, so that short ones are not computed as if they were long."""

from dataclasses import dataclass

import torch
from torch import Tensor

SHORTEST = 8
"""Sequences up to this length stand in one group: below, a group costs more than it spares."""


@dataclass(frozen=True)
class LengthGroup:
    """Some rows of a batch.

    Attributes:
        rows: which `(n_rows,)`, int64.
        longest: length of the longest of them.
    """

    rows: Tensor
    longest: int


def group_by_length(length: Tensor, shortest: int = SHORTEST) -> list[LengthGroup]:
    """Put rows of a batch together whose lengths lie between the same powers of two.

    Lengths up to 8 are one group, then 9 to 16, 17 to 32 and so on; a group without rows is left
    out. Above the first group fewer than half of a group's positions are in vain, whatever the
    distribution of lengths; of Amazon Beauty's training histories at a length of 50, a quarter of
    all positions is left.

    Args:
        length: items of each row `(batch,)`, >= 1.
        shortest: upper bound of the first group.

    Returns:
        Groups in the order of length; every row is in exactly one, rows in the order of the batch.
    """
    groups = []
    low, high, longest = 0, shortest, int(length.max()) if len(length) else 0
    while low < longest:
        rows = torch.nonzero((length > low) & (length <= high)).flatten()
        if len(rows):
            groups.append(LengthGroup(rows, int(length[rows].max())))
        low, high = high, 2 * high
    return groups


def rows_in_order(groups: list[LengthGroup]) -> Tensor:
    """Return where each row of the batch stands in the groups laid end to end, `(batch,)`."""
    return torch.cat([group.rows for group in groups]).argsort()
