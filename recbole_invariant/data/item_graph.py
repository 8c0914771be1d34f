"""The item-item co-occurrence graph of UltraGCN, sparse from end to end (PaInvRL Eq. 8)."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

ROWS_AT_A_TIME = 4096


@dataclass(frozen=True)
class ItemNeighbours:
    """The nearest co-occurring items of every item.

    Attributes:
        items: ids `(n_items, k)`, int64; 0 (padding) fills rows with fewer neighbours.
        similarity: `s_ij` `(n_items, k)`, float32; 0 where there is no neighbour.
    """

    items: Tensor
    similarity: Tensor


def item_neighbours(
    users: np.ndarray, items: np.ndarray, n_users: int, n_items: int, k: int
) -> ItemNeighbours:
    """Find the k items with the largest `s_ij = G_ij / (g_i - G_ii) * sqrt(g_i / g_j)`.

    G = R^T R counts the users two items share; g is its row sum over all items (the paper writes
    a sum over K, which can only be meant as the degree). An item is not its own neighbour: with
    the diagonal kept, as in UltraGCN's code, the nearest neighbour is normally the item itself.
    G is made a block of rows at a time, so memory follows its largest block, never n_items^2.

    Args:
        users: user id of every training interaction, int, `(n,)`.
        items: item id of every training interaction, int, `(n,)`; 0 is padding.
        n_users: rows of R, padding included.
        n_items: columns of R, padding included.
        k: neighbours kept an item, >= 1.

    Returns:
        `ItemNeighbours`; ties are broken by the smaller id. An item that shares users with no
        other has none.
    """
    pairs = np.unique(np.stack([users, items]), axis=1)
    ones = np.ones(pairs.shape[1], dtype=np.float64)
    matrix = sparse.csr_matrix((ones, (pairs[0], pairs[1])), shape=(n_users, n_items))
    transposed = matrix.T.tocsr()
    degree = np.asarray(transposed @ np.asarray(matrix.sum(axis=1))).ravel()
    neighbours = np.zeros((n_items, k), dtype=np.int64)
    similarity = np.zeros((n_items, k), dtype=np.float32)
    for start in range(0, n_items, ROWS_AT_A_TIME):
        block = (transposed[start : start + ROWS_AT_A_TIME] @ matrix).tocsr()
        _fill_block(block, start, degree, neighbours, similarity)
    return ItemNeighbours(torch.from_numpy(neighbours), torch.from_numpy(similarity))


def _fill_block(
    block: sparse.csr_matrix,
    start: int,
    degree: np.ndarray,
    neighbours: np.ndarray,
    similarity: np.ndarray,
) -> None:
    """Write the top k of each row of a block of G into the result, vectorised over the block."""
    counts = np.diff(block.indptr)
    row = np.repeat(np.arange(len(counts)), counts)
    column, count = block.indices, block.data
    own = column == row + start
    own_count = np.zeros(len(counts))
    own_count[row[own]] = count[own]
    row, column, count = row[~own], column[~own], count[~own]
    row_degree = degree[row + start]
    score = count / (row_degree - own_count[row]) * np.sqrt(row_degree / degree[column])
    order = np.lexsort((column, -score, row))
    row, column, score = row[order], column[order], score[order]
    first_of_row = np.searchsorted(row, np.arange(len(counts)))
    rank = np.arange(len(row)) - first_of_row[row]
    kept = rank < neighbours.shape[1]
    neighbours[row[kept] + start, rank[kept]] = column[kept]
    similarity[row[kept] + start, rank[kept]] = score[kept]
