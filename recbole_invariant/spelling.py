"""Which known names a wrong one was probably meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches

CUTOFF = 0.6
"""Similarity (difflib's ratio) from which a name is near."""


def nearest(name: str, known: Iterable[str], n: int = 3, others: Iterable[str] = ()) -> list[str]:
    """Return the known names nearest to a wrong one, the nearest first.

    Names that a single edit turns into the wrong one are all there is to say, however short they
    are and however many; without any, those that are alike as a whole.

    Args:
        name: what the user wrote.
        known: the right names; of equally near ones the first given comes first.
        n: at most so many, save for single edits.
        others: right names that were less likely meant: they count where a single edit leads to
            one, and where nothing else is near.
    """
    names, rest = list(dict.fromkeys(known)), list(dict.fromkeys(others))
    every = [one for one in dict.fromkeys([*names, *rest]) if abs(len(one) - len(name)) < 2]
    folded = name.lower()
    exact = [other for other in every if one_edit_apart(name, other)]
    same = [other for other in every if one_edit_apart(folded, other.lower(), or_equal=True)]
    if exact or same:
        return list(dict.fromkeys([*exact, *same]))[: max(n, len(exact))]
    return (_alike(folded, names, n) or _alike(folded, rest, n))[:n]


def _alike(folded: str, names: Iterable[str], n: int) -> list[str]:
    """Return the names that are alike as a whole, case left aside."""
    by_folded: dict[str, list[str]] = {}
    for other in names:
        by_folded.setdefault(other.lower(), []).append(other)
    near = get_close_matches(folded, by_folded, n=n, cutoff=CUTOFF)
    return [other for match in near for other in by_folded[match]]


def one_edit_apart(first: str, second: str, or_equal: bool = False) -> bool:
    """Say whether one insertion, deletion, substitution or swap of neighbours makes them equal.

    Source: distance 1 of the restricted Damerau-Levenshtein distance (optimal string alignment).

    Args:
        first: a word.
        second: another.
        or_equal: whether equal words count, too.
    """
    if first == second:
        return or_equal
    short, long = (first, second) if len(first) < len(second) else (second, first)
    if len(long) - len(short) > 1:
        return False
    start = next((k for k, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), None)
    if start is None:  # one begins with the other
        return True
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    if short[start + 1 :] == long[start + 1 :]:
        return True
    swapped = long[start + 1 : start + 2] + long[start] + long[start + 2 :]
    return short[start:] == swapped
