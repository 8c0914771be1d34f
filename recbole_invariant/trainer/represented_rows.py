"""Validation histories encoded by both representations of Irl4Rec."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_invariant.evaluation.loader import UserRankingLoader
from recbole_invariant.trainer.checkpoint import random_states, set_random_states

MOST_ROWS = 2048
BATCH = 256
"""Rows encoded at a time."""

ADJUSTMENT, SPURIOUS = "adjustment", "spurious"


@dataclass(frozen=True)
class Representation:
    """One representation of every row.

    Attributes:
        vectors: means `(rows, size)`, on the CPU.
        margins: score of each row's target less that of its negative `(rows,)`.
        shuffled: the same by the vector of another row, which knows nothing of this one's history
            but does know what is popular `(rows,)`.
    """

    vectors: Tensor
    margins: Tensor
    shuffled: Tensor


@dataclass(frozen=True)
class RepresentedRows:
    """Rows of validation histories, encoded.

    Attributes:
        by_name: `adjustment` and, where there is a spurious encoder, `spurious`.
        last_items: last item of each history `(rows,)`.
        targets: one item of each row that is to be found `(rows,)`.
    """

    by_name: dict[str, Representation]
    last_items: Tensor
    targets: Tensor


@torch.no_grad()
def represent_rows(model: Any, loader: Any, generator: torch.Generator) -> RepresentedRows:
    """Encode at most `MOST_ROWS` validation rows, drawn at random, in evaluation mode.

    Of several items of a row that are to be found one is drawn. A negative is drawn uniformly from
    all other items, as in training. The model's mode, training or evaluation, and the global random
    generators are left as they were.

    Args:
        model: Irl4Rec, or whatever has its `represent`, `adjustment_item_scores` and
            `spurious_item_scores`.
        loader: of validation rows.
        generator: draws rows, targets, negatives, and which row is held against which.

    Raises:
        ValueError: the loader has no row.
    """
    chosen = torch.randperm(_n_rows(loader), generator=generator)[:MOST_ROWS]
    if not len(chosen):
        raise ValueError("validation has no row to measure representations on")
    vectors: dict[str, list[Tensor]] = {ADJUSTMENT: [], SPURIOUS: []}
    last_items, found = [], []
    with _undisturbed(model):
        for index in chosen.split(BATCH):
            rows, target = _questions(loader, index, generator)
            rows = rows.to(model.device)
            represented = model.represent(rows)
            vectors[ADJUSTMENT].append(represented.adjustment)
            if represented.spurious is not None:
                vectors[SPURIOUS].append(represented.spurious)
            ends = rows[model.ITEM_SEQ_LEN].unsqueeze(1) - 1
            last_items.append(rows[model.ITEM_SEQ].gather(1, ends).squeeze(1).cpu())
            found.append(target)
        targets = torch.cat(found)
        pair = targets, _other_items(targets, model.n_items, generator)
        others = _other_rows(len(targets), generator)
        scores = {ADJUSTMENT: model.adjustment_item_scores, SPURIOUS: model.spurious_item_scores}
        by_name = {
            name: _scored(torch.cat(parts), scores[name], pair, others)
            for name, parts in vectors.items()
            if parts
        }
    return RepresentedRows(by_name, torch.cat(last_items), targets)


@contextmanager
def _undisturbed(model: Any) -> Iterator[None]:
    """Set evaluation mode; put back the mode and the global random states, whatever happens.

    A loader's transform may draw from any of these: RecBole's for BERT4Rec masks by Python's.
    """
    was_training, states = model.training, random_states()
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
        set_random_states(states)


def _scored(
    vectors: Tensor,
    item_scores: Callable[[Tensor, Tensor], Tensor],
    pair: tuple[Tensor, Tensor],
    others: Tensor,
) -> Representation:
    """Compare targets with negatives by each row's vector, and by that of the row `others` has."""
    target, negative = (items.to(vectors.device) for items in pair)
    margins = [
        (item_scores(by, target) - item_scores(by, negative)).cpu()
        for by in (vectors, vectors[others.to(vectors.device)])
    ]
    return Representation(vectors.cpu(), *margins)


def _n_rows(loader: Any) -> int:
    """Count the questions of a loader."""
    return len(loader.user_df if isinstance(loader, UserRankingLoader) else loader._dataset)


def _questions(
    loader: Any, index: Tensor, generator: torch.Generator
) -> tuple[Interaction, Tensor]:
    """Return rows of histories, and one item of each that is to be found `(rows,)`."""
    if not isinstance(loader, UserRankingLoader):  # RecBole's own: a row has one target
        rows = loader.transform(loader._dataset, loader._dataset[index])
        return rows, rows[loader._dataset.iid_field]
    rows, _, places, items = loader.collate_fn(index.tolist())
    order = torch.randperm(len(items), generator=generator)
    # the least of a row's ranks: which of several values written to one place stays is not said
    first = torch.full((len(rows),), len(items)).scatter_reduce_(
        0, places[order], torch.arange(len(items)), "amin"
    )
    return rows, items[order][first]


def _other_items(items: Tensor, n_items: int, generator: torch.Generator) -> Tensor:
    """Draw an item for each given one, uniformly from the rest of the catalogue (ids from 1)."""
    drawn = torch.randint(1, max(n_items - 1, 2), items.shape, generator=generator)
    return drawn + (drawn >= items)


def _other_rows(n_rows: int, generator: torch.Generator) -> Tensor:
    """Draw a permutation `(n_rows,)` that gives no row itself, save a row that is alone."""
    order = torch.randperm(n_rows, generator=generator)
    others = torch.empty_like(order)
    others[order] = order.roll(1)
    return others
