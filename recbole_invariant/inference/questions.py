"""What a caller asks a recommender, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

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
    if not by_popularity and not can.all():
        refuse_unknown(labels, users, can, known.users)
    histories = None if known.histories is None else take_rows(known.histories, users)
    return Questions(np.array(labels, dtype=object), users, histories, _seen(known, users), can)


def refuse_unknown(
    labels: list[str], users: np.ndarray, can: np.ndarray, tokens: Tokens
) -> NoReturn:
    """Raise InputError for users that the model cannot rank for."""
    absent = [label for label, user in zip(labels, users, strict=True) if user == 0]
    cold = [label for label, user, ok in zip(labels, users, can, strict=True) if user and not ok]
    advice = "unknown='popularity' (--unknown popularity) ranks items for them by their clicks."
    if absent:
        raise InputError(
            f"users: the run's data has no user {tokens.name_unknown(absent)} {advice}"
        )
    raise InputError(f"users: no training row to know {first_few(cold)} by; {advice}")


def first_few(labels: Sequence[str]) -> str:
    """Name the first few."""
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return ", ".join(f"'{label}'" for label in labels[:NAMED]) + more


def _seen(known: "Known", users: np.ndarray) -> RowItems:
    """Return the items seen by users, nothing for id 0."""
    return take_rows(known.seen, users)


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
    cold = items.of(ids[~trained[ids]]).tolist()
    if cold and not drop:
        raise InputError(
            f"candidates: {first_few(cold)}: without a training row, and this model has no item "
            f"features to score such by; {advice}"
        )
    return ids[trained[ids]]
