"""Scores of all items for models that score one pair at a time, in tiles of rows by items.

RecBole repeats every row over the whole catalogue first and only then cuts the pairs into
batches, so that a batch of users needs the memory of all their pairs.
"""

from functools import partial
from typing import Any

import torch
from recbole.data.interaction import Interaction
from recbole.trainer import Trainer
from torch import Tensor

from recbole_invariant.evaluation.collector import TopKCollector
from recbole_invariant.evaluation.memory import pairs_in_memory


def quicken(trainer: Trainer) -> Trainer:
    """Give a trainer the fast collector and tiled scoring, for validation and tests alike.

    Args:
        trainer: changed in place; RecBole's trainers of decision trees, which measure values of
            the whole test at once, are left as they are.
    """
    if isinstance(trainer, Trainer):
        trainer.eval_collector = TopKCollector(trainer.config)
        trainer._full_sort_batch_eval = partial(score_batch, trainer)
    return trainer


def score_batch(trainer: Any, batch: Any) -> tuple[Interaction, Tensor, Tensor, Tensor]:
    """Score all items for a batch, as RecBole's `Trainer._full_sort_batch_eval` does.

    Args:
        trainer: RecBole's trainer; `item_tensor` and `tot_item_num` are set.
        batch: rows, (places, items) of the history or None, places and items of the positives.

    Returns:
        Rows, scores `(n_rows, n_items)` with minus infinity for padding and history, places and
        items of the positives.
    """
    rows, history, positive_rows, positive_items = batch
    try:
        scores = trainer.model.full_sort_predict(rows.to(trainer.device))
    except NotImplementedError:
        scores = score_pairs(trainer, rows.to(trainer.device))
    scores = scores.view(-1, trainer.tot_item_num)
    scores[:, 0] = -torch.inf
    if history is not None:
        scores[history] = -torch.inf
    return rows, scores, positive_rows, positive_items


def score_pairs(trainer: Any, rows: Interaction) -> Tensor:
    """Ask `predict` for every pair, at most `eval_memory_mb` of pairs at a time.

    Returns:
        Scores `(n_rows, n_items)`.
    """
    n_rows, n_items = len(rows), trainer.tot_item_num
    pairs = _pairs_at_once(trainer, rows)
    items_a_tile = min(n_items, pairs)
    rows_a_tile = max(1, pairs // n_items)
    scores = torch.empty(n_rows, n_items, device=trainer.device)
    for row in range(0, n_rows, rows_a_tile):
        tile_rows = rows[slice(row, row + rows_a_tile)]
        for item in range(0, n_items, items_a_tile):
            tile_items = trainer.item_tensor[slice(item, item + items_a_tile)]
            height, width = len(tile_rows), len(tile_items)
            asked = tile_rows.repeat_interleave(width)
            asked.update(tile_items.repeat(height))
            answer = trainer.model.predict(asked).view(height, width)
            scores[row : row + height, item : item + width] = answer
    return scores


def _pairs_at_once(trainer: Any, rows: Interaction) -> int:
    """Return the pairs of a tile; without the option `eval_memory_mb`, RecBole's batch."""
    memory = trainer.config["eval_memory_mb"]
    if memory is None:
        return max(1, int(trainer.test_batch_size))
    embedding = trainer.config["embedding_size"]
    width = embedding if isinstance(embedding, int) else 64
    return pairs_in_memory(memory, rows, trainer.item_tensor, width)
