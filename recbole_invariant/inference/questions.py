"""What a caller asks a recommender, read and checked."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recbole_invariant.errors import InputError, suggest
from recbole_invariant.evaluation.loader import RowItems
from recbole_invariant.inference.probe import take_rows
from recbole_invariant.inference.tokens import NAMED, Tokens, read_tokens

if TYPE_CHECKING:
    from recbole_invariant.inference.recommender import Known

POPULARITY = "popularity"


@dataclass(frozen=True)
class Questions:
    """Rows to be answered, n of them.

    Attributes:
        labels: what stands in `user_id` `(n,)`.
        users: internal ids `(n,)`, 0 for unknown ones; None where there are only histories.
        histories: one a row; None for models that read none.
        seen: items that are not recommended again, one list a row.
        known: which rows the model can answer `(n,)` bool.
    """

    labels: np.ndarray
    users: np.ndarray | None
    histories: RowItems | None
    seen: RowItems
    known: np.ndarray


def require_choice(option: str, value: Any, choices: tuple[str, ...]) -> None:
    """Raise InputError unless a value is one of the choices."""
    if value not in choices:
        near = suggest(str(value), choices)
        raise InputError(f"{option}: expected {' or '.join(choices)}, not {value!r}.{near}")


def read_length(k: Any, n_items: int) -> int:
    """Return the length of a ranking, at most the size of the catalogue.

    Raises:
        InputError: k is no whole number, or smaller than 1.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k: expected a whole number from 1 on, not {k!r}.")
    return min(int(k), n_items)


def read_users(given: Any, known: "Known", answered: np.ndarray, by_popularity: bool) -> Questions:
    """Read users by raw token, each once.

    Args:
        given: what the caller gave.
        known: what the run folder says.
        answered: which internal ids the model can rank for `(n_users,)`.
        by_popularity: users that it cannot are answered by popularity.

    Raises:
        InputError: a user is unknown, and there is no popularity for such.
    """
    labels = list(dict.fromkeys(read_tokens(given, "users")))
    users = known.users.ids(labels)
    can = answered[users]
    if not by_popularity:
        _require_known(labels, users, can, known.users)
    histories = None if known.histories is None else take_rows(known.histories, users)
    return Questions(np.array(labels, dtype=object), users, histories, _seen(known, users), can)


def _require_known(labels: list[str], users: np.ndarray, can: np.ndarray, tokens: Tokens) -> None:
    """Raise InputError for users that the model cannot rank for."""
    absent = [label for label, user in zip(labels, users, strict=True) if user == 0]
    cold = [label for label, user, ok in zip(labels, users, can, strict=True) if user and not ok]
    advice = "unknown='popularity' (--unknown popularity) ranks items for them by their clicks."
    if absent:
        raise InputError(
            f"users: the run's data has no user {tokens.name_unknown(absent)} {advice}"
        )
    if cold:
        named = ", ".join(f"'{label}'" for label in cold[:NAMED])
        more = f" and {len(cold) - NAMED} more" if len(cold) > NAMED else ""
        raise InputError(f"users: no training row to know {named}{more} by; {advice}")


def _seen(known: "Known", users: np.ndarray) -> RowItems:
    """Return the items seen by users, nothing for id 0."""
    return take_rows(known.seen, users)


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
            "unknown_items='drop' leaves such items out."
        )
    rows, items = rows[items > 0], items[items > 0]
    starts = np.searchsorted(rows, np.arange(len(lists) + 1))
    can = np.diff(starts) > 0
    if not by_popularity and not can.all():
        raise InputError(
            f"histories[{int(np.flatnonzero(~can)[0])}]: is empty; unknown='popularity' ranks "
            "items for such by their clicks."
        )
    ids, seen = None, RowItems.from_pairs((rows, items), len(lists))
    if users is not None:
        ids = known.users.ids(labels)
        places, own = known.seen.take(ids)
        pairs = np.r_[rows, places.numpy()], np.r_[items, own.numpy()]
        seen = RowItems.from_pairs(pairs, len(lists))
    return Questions(np.array(labels, dtype=object), ids, RowItems(starts, items), seen, can)


def choose_candidates(
    given: Any, items: Tokens, trained: np.ndarray | None, drop: bool
) -> np.ndarray:
    """Read candidates by raw token, each once.

    Args:
        given: what the caller gave.
        items: the catalogue.
        trained: which items have a training row `(n_items,)`; None where the model can score
            those without as well.
        drop: items that cannot be scored are left out.

    Returns:
        Internal ids in the order given.

    Raises:
        InputError: an item is unknown or cannot be scored.
    """
    labels = list(dict.fromkeys(read_tokens(given, "candidates")))
    ids = items.ids(labels)
    absent = [label for label, item in zip(labels, ids, strict=True) if item == 0]
    advice = "unknown_items='drop' leaves such items out."
    if absent and not drop:
        raise InputError(
            f"candidates: the catalogue has no item {items.name_unknown(absent)} {advice}"
        )
    ids = ids[ids > 0]
    if trained is None:
        return ids
    cold = items.of(ids[~trained[ids]])
    if len(cold) and not drop:
        named = ", ".join(f"'{label}'" for label in cold[:NAMED])
        more = f" and {len(cold) - NAMED} more" if len(cold) > NAMED else ""
        raise InputError(
            f"candidates: {named}{more}: without a training row, and this model has no item "
            f"features to score such by; {advice}"
        )
    return ids[trained[ids]]
