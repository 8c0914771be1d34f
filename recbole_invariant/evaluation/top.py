"""The k highest of every row, exactly as `torch.topk` orders them, from maxima of blocks."""

import torch
from torch import Tensor

BLOCK = 64
"""Columns of a block: one maximum is taken of each."""
WORTHWHILE = 4
"""Rows must be this many times longer than the candidates for the blocks to pay."""


def top_k(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Find the highest scores of each row.

    The k + 1 highest lie in the k + 1 blocks with the highest maxima, and only these are ranked.
    Rows whose k + 1 highest are not all different go to `torch.topk` itself, whose order among
    equal scores depends on the whole row; so do short rows and scores on a GPU.

    Args:
        scores: `(n_rows, n_columns)`.
        k: how many, at most `n_columns`.

    Returns:
        Values and columns `(n_rows, k)`, equal to those of `torch.topk(scores, k, dim=-1)`.
    """
    n_rows, n_columns = scores.shape
    if scores.device.type != "cpu" or n_columns < WORTHWHILE * BLOCK * (k + 2):
        values, columns = torch.topk(scores, k, dim=-1)
        return values, columns
    n_blocks = n_columns // BLOCK
    blocks = scores[:, : n_blocks * BLOCK].unflatten(1, (n_blocks, BLOCK))
    best = torch.topk(blocks.amax(dim=-1), k + 1, dim=-1, sorted=False).indices
    rest = torch.arange(n_blocks * BLOCK, n_columns).expand(n_rows, -1)
    inside = (best[:, :, None] * BLOCK + torch.arange(BLOCK)).flatten(1)
    candidates = torch.cat((inside, rest), dim=1)
    values, places = torch.topk(scores.gather(1, candidates), k + 1, dim=-1)
    columns = candidates.gather(1, places)[:, :k]
    different = (values[:, :-1] > values[:, 1:]).all(dim=1)
    values = values[:, :k].contiguous()
    if not bool(different.all()):
        equal = torch.nonzero(~different).squeeze(1)
        values[equal], columns[equal] = torch.topk(scores[equal], k, dim=-1)
    return values, columns
