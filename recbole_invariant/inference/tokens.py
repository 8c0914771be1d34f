"""Raw tokens of users or items, and what a caller means by them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from recbole_invariant.errors import InputError, suggest

NAMED = 3
"""Unknown tokens that a message names; of the others it says how many there are."""
COMPARED = 20_000
"""Known tokens that an unknown one is compared with; in a larger catalogue, of equal beginning."""


class Tokens:
    """The tokens of users or items by internal id.

    Args:
        what: `user` or `item`, for messages.
        names: token of the ids 1, 2, ...; 0 is padding.
    """

    def __init__(self, what: str, names: Sequence[str]) -> None:
        self.what = what
        self.names = np.asarray(names, dtype=object)
        self._index: Any = pd.Index(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def ids(self, tokens: Sequence[str]) -> np.ndarray:
        """Look tokens up: internal ids `(n,)`, 0 where there is no such token."""
        return np.asarray(self._index.get_indexer(np.asarray(tokens, dtype=object))) + 1

    def of(self, ids: np.ndarray) -> np.ndarray:
        """Return the tokens of internal ids, none of which is 0."""
        return np.asarray(self.names[ids - 1])

    def name_unknown(self, tokens: Iterable[str]) -> str:
        """Name the first few of some tokens, each with the nearest known ones."""
        wrong = list(dict.fromkeys(tokens))
        named = [f"'{token}'.{suggest(token, self._near(token))}" for token in wrong[:NAMED]]
        more = [f"And {len(wrong) - NAMED} more."] if len(wrong) > NAMED else []
        return " ".join([*named, *more])

    def _near(self, token: str) -> list[str]:
        """Return the tokens that an unknown one is compared with."""
        if len(self) <= COMPARED:
            return list(self.names)
        return [name for name in self.names if name.startswith(token[:3])][:COMPARED]


def read_tokens(given: Any, option: str) -> list[str]:
    """Return what a caller gave as a list of tokens.

    Args:
        given: strings or whole numbers, in any sequence, array or series; a number is the token
            that is written so.
        option: name of the argument, for messages.

    Raises:
        InputError: it is one string, no sequence, or holds something else.
    """
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InputError(f"{option}: expected a list of tokens, e.g. ['196'], not {given!r}.")
    values = given.tolist() if hasattr(given, "tolist") else list(given)
    # strings, by far the most, in one pass
    if all(type(value) is str for value in values):
        return values
    return [_token(value, option) for value in values]


def _token(value: Any, option: str) -> str:
    """Return one token.

    Raises:
        InputError: it is neither text nor a whole number.
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return str(int(value))
    raise InputError(
        f"{option}: expected tokens as in the data's files, text or whole numbers; {value!r} is "
        f"of type {type(value).__name__}."
    )
