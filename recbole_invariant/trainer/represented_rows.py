"""Validation histories encoded by both representations of Irl4Rec."""

from dataclasses import dataclass
from typing import Any

import torch
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_invariant.evaluation.loader import UserRankingLoader

MOST_ROWS = 2048
BATCH = 256
"""Rows scored at a time: each has a score for every item."""

ADJUSTMENT, SPURIOUS = "adjustment", "spurious"


@dataclass(frozen=True)
class Representation:
    """One representation of every row.

    Attributes:
        vectors: means `(rows, size)`, on the CPU.
        margins: score of each row's target less that of its negative `(rows,)`.
    """

    vectors: Tensor
    margins: Tensor


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
    all other items, as in training.

    Args:
        model: Irl4Rec, or whatever has its `represent`, `adjustment_scores`, `spurious_scores`; its
            mode, training or evaluation, is left as it was.
        loader: of validation rows.
        generator: draws rows, targets and negatives.

    Raises:
        ValueError: the loader has no row.
    """
    was_training = model.training
    model.eval()
    chosen = torch.randperm(_n_rows(loader), generator=generator)[:MOST_ROWS]
    if not len(chosen):
        raise ValueError("validation has no row to measure representations on")
    found: dict[str, list[tuple[Tensor, Tensor]]] = {}
    last_items, targets = [], []
    for index in chosen.split(BATCH):
        rows, target = _questions(loader, index, generator)
        negative = _other_items(target, model.n_items, generator)
        rows = rows.to(model.device)
        pair = torch.stack([target, negative], dim=1).to(model.device)
        represented = model.represent(rows)
        for name, vectors, scores in (
            (ADJUSTMENT, represented.adjustment, model.adjustment_scores),
            (SPURIOUS, represented.spurious, model.spurious_scores),
        ):
            if vectors is not None:
                high, low = scores(vectors).gather(1, pair).unbind(1)
                found.setdefault(name, []).append((vectors.cpu(), (high - low).cpu()))
        ends = rows[model.ITEM_SEQ_LEN].unsqueeze(1) - 1
        last_items.append(rows[model.ITEM_SEQ].gather(1, ends).squeeze(1).cpu())
        targets.append(target)
    model.train(was_training)
    by_name = {
        name: Representation(*(torch.cat(side) for side in zip(*parts, strict=True)))
        for name, parts in found.items()
    }
    return RepresentedRows(by_name, torch.cat(last_items), torch.cat(targets))


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
