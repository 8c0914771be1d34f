"""A few scores kept with a run, by which a model built without its data is held to be the same."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from recbole_invariant.evaluation.loader import RowItems
from recbole_invariant.inference.scoring import Scorer

USERS, SCORES = "probe.users", "probe.scores"
N_USERS, N_ITEMS = 4, 512
TOLERANCE = 1e-3
"""Of the spread of the scores: the largest difference between two devices is far below."""


def take_probe(scorer: Scorer, users: np.ndarray, histories: RowItems | None) -> dict[str, Tensor]:
    """Score a few items for a few users.

    Args:
        scorer: of the trained model.
        users: internal ids to choose from.
        histories: by internal user id, of a sequential model.

    Returns:
        Users and their scores `(n_users, n_items)`, of at most `N_ITEMS` items; empty where two
        calls differ: such a model draws.
    """
    chosen = users[_spread(len(users), N_USERS)]
    if not len(chosen):
        return {}
    with undisturbed_generators():
        scores, again = (probe_scores(scorer, chosen, histories) for _ in range(2))
    if differs(again, scores):
        return {}
    return {USERS: torch.from_numpy(chosen), SCORES: scores}


def probe_scores(scorer: Scorer, users: np.ndarray, histories: RowItems | None) -> Tensor:
    """Return the scores `(n_users, at most N_ITEMS)` of some users on the CPU."""
    if histories is None:
        rows = scorer.user_rows(users)
    else:
        rows = scorer.history_rows(users, take_rows(histories, users))
    items = torch.from_numpy(_spread(scorer.tot_item_num - 1, N_ITEMS) + 1)
    return scorer.score(rows).cpu().float().index_select(1, items)


def differs(found: Tensor, kept: Tensor) -> bool:
    """Whether scores are not those that were kept."""
    if found.shape != kept.shape:
        return True
    scale = max(float(kept.max() - kept.min()), 1e-6)
    return not bool(((found - kept).abs() <= TOLERANCE * scale).all())


def take_rows(items: RowItems, rows: np.ndarray) -> RowItems:
    """Return the items of some rows, in their order."""
    places, taken = items.take(rows)
    starts = np.searchsorted(places.numpy(), np.arange(len(rows) + 1))
    return RowItems(starts, taken.numpy())


def _spread(n: int, at_most: int) -> np.ndarray:
    """Return places among n, evenly spread, each once."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, at_most)).astype(np.int64))


@contextmanager
def undisturbed_generators() -> Iterator[None]:
    """Put the global generators back to where they stood, whatever is drawn inside."""
    python, host = random.getstate(), np.random.get_state()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=list(devices)):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(host)
