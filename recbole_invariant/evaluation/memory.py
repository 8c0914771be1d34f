"""How much is scored at once, so that `eval_memory_mb` suffices.

The estimates are rough on purpose and lean to the safe side. What a model keeps outside of a
batch (weights, a graph, cached vectors of all items) is not counted.
"""

from recbole.data.interaction import Interaction

BYTES_PER_SCORE = 12
"""A score, a copy of it by an activation or a transfer, and what finding the top takes."""
COPIES_OF_AN_EMBEDDING = 8
"""Looked up, combined, and passed through the layers above, for each number that a pair has."""
MEBIBYTE = 2**20


def users_in_memory(memory_mb: int | None, n_items: int) -> int | None:
    """Return how many users' scores of all items fit, at least one; None without a limit.

    One user's row is never parted: `full_sort_predict` returns whole rows. A row of a million
    items takes 12 MB.

    Args:
        memory_mb: `eval_memory_mb`.
        n_items: catalogue, padding included.
    """
    if memory_mb is None:
        return None
    return max(1, memory_mb * MEBIBYTE // (BYTES_PER_SCORE * n_items))


def pairs_in_memory(memory_mb: int, row: Interaction, item: Interaction, embedding: int) -> int:
    """Return how many pairs of a row and an item a model may be asked for at once.

    Args:
        memory_mb: `eval_memory_mb`.
        row: rows of a batch.
        item: features of the items.
        embedding: length of an embedding, taken for each number of a row and an item.
    """
    numbers = sum(
        tensor[:1].numel() for part in (row, item) for tensor in part.interaction.values()
    )
    return max(1, memory_mb * MEBIBYTE // (numbers * (8 + 4 * embedding * COPIES_OF_AN_EMBEDDING)))
