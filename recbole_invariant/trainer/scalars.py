"""Numbers of an epoch's steps, kept as 0-d tensors, for a checkpoint."""

from collections.abc import Sequence

import torch
from torch import Tensor


def stacked(values: Sequence[Tensor]) -> Tensor | None:
    """Put 0-d tensors into one `(n,)`: a file of thousands of tensors is slow; None for none."""
    return torch.stack(list(values)) if values else None


def unstacked(values: Tensor | None) -> list[Tensor]:
    """Undo `stacked`."""
    return [] if values is None else list(values.unbind())
