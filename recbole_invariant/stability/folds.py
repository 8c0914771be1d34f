"""Every user's interactions dealt into folds, and batches for models that leave one fold out."""

import torch
from torch import Tensor

from recbole_invariant.data.sampling import StackedBatches
from recbole_invariant.errors import InputError


def user_folds(users: Tensor, n_folds: int, generator: torch.Generator) -> Tensor:
    """Deal each user's rows into folds as evenly as can be.

    Args:
        users: user of each row `(n_rows,)`.
        n_folds: F, >= 2.
        generator: CPU generator; each user starts at a fold of their own, so that users with few
            rows do not all leave the same folds empty.

    Returns:
        Fold of each row `(n_rows,)`, int64 in [0, F); a user's folds differ by one row at most.
    """
    on_cpu = users.cpu()
    shuffled = torch.randperm(len(on_cpu), generator=generator)
    order = shuffled[torch.argsort(on_cpu[shuffled], stable=True)]
    counts = torch.bincount(on_cpu)
    begins = (counts.cumsum(0) - counts)[on_cpu[order]]
    first = torch.randint(n_folds, (len(counts),), generator=generator)[on_cpu[order]]
    folds = torch.empty_like(on_cpu)
    folds[order] = (torch.arange(len(on_cpu)) - begins + first) % n_folds
    return folds.to(users.device)


def held_in_batches(
    folds: Tensor, n_folds: int, batch_size: int, generator: torch.Generator
) -> StackedBatches:
    """Batches of row numbers `(F, batch_size)`: row k has none of fold k's interactions.

    Raises:
        InputError: one fold has all interactions; its model would have none to learn from.
    """
    rows = [torch.nonzero(folds != fold).flatten() for fold in range(n_folds)]
    if not all(len(kept) for kept in rows):
        raise InputError(
            f"reference_folds: all {len(folds)} training interactions fell into one fold, which "
            "leaves its model none to learn from. Use more data, or do without the held-out "
            "reference: stability_gate: false and identification: models."
        )
    return StackedBatches(rows, batch_size, generator)
