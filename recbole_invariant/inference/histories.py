"""Histories that a caller gives to a sequential model, read and checked."""

from typing import TYPE_CHECKING, Any

import numpy as np

from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.loader import RowItems
from recbole_invariant.inference.questions import Questions, refuse_unknown
from recbole_invariant.inference.tokens import read_tokens

if TYPE_CHECKING:
    from recbole_invariant.inference.recommender import Known


def read_histories(
    given: Any, users: Any, known: "Known", by_popularity: bool, drop: bool
) -> Questions:
    """Read histories by raw item token.

    Args:
        given: lists of tokens.
        users: tokens of the users, one for each history, or None.
        known: what the run folder says.
        by_popularity: empty histories are answered by popularity.
        drop: unknown items are left out.

    Raises:
        InputError: an item is unknown, a history is empty, or there are not as many users.
    """
    if isinstance(given, str | bytes) or not hasattr(given, "__iter__"):
        raise InputError(f"histories: expected a list of lists of item tokens, not {given!r}.")
    if users is None and known.reads_users:
        raise InputError(
            "histories: this model has a vector for every user beside the history; give `users`, "
            "one for each history, too."
        )
    lists = [read_tokens(one, f"histories[{n}]") for n, one in enumerate(given)]
    labels = [str(n) for n in range(len(lists))] if users is None else read_tokens(users, "users")
    if len(labels) != len(lists):
        raise InputError(f"users: {len(labels)} users for {len(lists)} histories; give as many.")
    rows = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    tokens = [token for one in lists for token in one]
    items = known.items.ids(tokens)
    if not drop and not items.all():
        wrong = [token for token, item in zip(tokens, items, strict=True) if item == 0]
        first = int(rows[np.flatnonzero(items == 0)[0]])
        raise InputError(
            f"histories[{first}]: the catalogue has no item {known.items.name_unknown(wrong)} "
            "unknown_items='drop' (--unknown_items drop) leaves such items out."
        )
    rows, items = rows[items > 0], items[items > 0]
    starts = np.searchsorted(rows, np.arange(len(lists) + 1))
    can = np.diff(starts) > 0
    if not by_popularity and not can.all():
        raise InputError(
            f"histories[{int(np.flatnonzero(~can)[0])}]: is empty; unknown='popularity' "
            "(--unknown popularity) ranks items for such by their clicks."
        )
    ids, seen = None, RowItems.from_pairs((rows, items), len(lists))
    if users is not None:
        ids = known.users.ids(labels)
        if known.reads_users:
            can = _with_known_users(labels, ids, can, known, by_popularity)
        places, own = known.seen.take(ids)
        pairs = np.r_[rows, places.numpy()], np.r_[items, own.numpy()]
        seen = RowItems.from_pairs(pairs, len(lists))
    return Questions(np.array(labels, dtype=object), ids, RowItems(starts, items), seen, can)


def _with_known_users(
    labels: list[str], ids: np.ndarray, can: np.ndarray, known: "Known", by_popularity: bool
) -> np.ndarray:
    """Return which rows have a trained user as well.

    Raises:
        InputError: one has not, and there is no popularity for such.
    """
    trained = known.user_counts[ids] > 0
    trained &= ids > 0
    if not by_popularity and not trained.all():
        refuse_unknown(labels, ids, trained, known.users)
    return np.asarray(can & trained)
