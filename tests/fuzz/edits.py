"""Typing errors of a name: a character inserted, deleted, replaced, or two swapped."""

import string

from hypothesis import strategies as st

LETTERS = string.ascii_letters + string.digits + "_-"


def edits(word: str) -> st.SearchStrategy[str]:
    """Draw one edit of a word; it may be the word itself, or empty."""
    at = st.integers(0, len(word))
    inside = st.integers(0, len(word) - 1)
    letter = st.sampled_from(LETTERS)
    kinds = [
        st.builds(lambda k, c: word[:k] + c + word[k:], at, letter),
        st.builds(lambda k: word[:k] + word[k + 1 :], inside),
        st.builds(lambda k, c: word[:k] + c + word[k + 1 :], inside, letter),
    ]
    if len(word) > 1:
        swap = st.integers(0, len(word) - 2)
        kinds.append(st.builds(lambda k: word[:k] + word[k + 1] + word[k] + word[k + 2 :], swap))
    return st.one_of(kinds)


def every_edit(word: str) -> set[str]:
    """Return all edits of a word but itself and the empty text."""
    found = {word[:k] + c + word[k:] for k in range(len(word) + 1) for c in LETTERS}
    for k in range(len(word)):
        found.add(word[:k] + word[k + 1 :])
        found |= {word[:k] + c + word[k + 1 :] for c in LETTERS}
        found.add(word[:k] + word[k + 1 : k + 2] + word[k] + word[k + 2 :])
    return found - {word, ""}
