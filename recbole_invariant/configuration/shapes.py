"""What a value inside of an option's value may be: small checks that are put together.

A shape takes a value and the words that lead to it and returns what is wrong, or None.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from recbole_invariant.errors import suggest
from recbole_invariant.options import shown

Shape = Callable[[Any, str], str | None]

_NUMBER = r"\s*[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf)\s*"
_INTERVAL = re.compile(rf"\s*[\[(](?P<low>{_NUMBER}),(?P<high>{_NUMBER})[\])]\s*")


def number(low: float = -math.inf, whole: bool = False, open_end: bool = False) -> Shape:
    """Take finite numbers from `low` on, perhaps whole ones only; never a bool.

    Args:
        low: the smallest.
        whole: whether only whole numbers are taken.
        open_end: whether `low` itself is left out.
    """
    kind = "a whole number" if whole else "a number"
    wanted = kind if low == -math.inf else f"{kind} {'>' if open_end else '>='} {low:g}"

    def check(value: Any, where: str) -> str | None:
        right = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if right and math.isfinite(value) and value >= low and not (open_end and value == low):
            return None
        return f"{where} must be {wanted}; it is {shown(value)}."

    return check


def word(
    *choices: Any, other: re.Pattern[str] | None = None, also: str = "", any_case: bool = False
) -> Shape:
    """Take one of some words, or what a pattern matches.

    Args:
        choices: the words; None is a choice where it is among them.
        other: further texts.
        also: the pattern in words.
        any_case: whether capitals make no difference.
    """
    words = [str(choice) for choice in choices if choice is not None]

    def check(value: Any, where: str) -> str | None:
        if value is None and None in choices:
            return None
        if isinstance(value, str):
            if (value.lower() if any_case else value) in words:
                return None
            if other is not None and other.fullmatch(value):
                return None
        wanted = ", ".join([*words, *([also] if also else []), *(["null"] * (None in choices))])
        near = suggest(value, words) if isinstance(value, str) else ""
        return f"{where} must be one of {wanted}; it is {shown(value)}.{near}"

    return check


def text(value: Any, where: str) -> str | None:
    """Take text that is not empty."""
    if isinstance(value, str) and value:
        return None
    return f"{where} must be text; it is {shown(value)}."


def flag(value: Any, where: str) -> str | None:
    """Take true and false."""
    return (
        None if isinstance(value, bool) else f"{where} must be true or false, not {shown(value)}."
    )


def interval(value: Any, where: str) -> str | None:
    """Take intervals as RecBole writes them, several joined by `;`.

    It skips what it cannot read itself.
    """
    for part in value.split(";") if isinstance(value, str) else [""]:
        match = _INTERVAL.fullmatch(part)
        if match is None or float(match["low"]) > float(match["high"]):
            return (
                f"{where} must be intervals of numbers such as [3,inf) or (0,5];[8,9]; it is "
                f"{shown(value)}."
            )
    return None


def several(shape: Shape, length: int | None = None) -> Shape:
    """Take lists whose items have a shape, of a length where one is given."""

    def check(value: Any, where: str) -> str | None:
        if not isinstance(value, list | tuple):
            return f"{where} must be a list; it is {shown(value)}."
        if length is not None and len(value) != length:
            return f"{where} must hold {length} values; it is {shown(value)}."
        return next(
            (problem for item in value if (problem := shape(item, f"{where}, in it:"))), None
        )

    return check


def mapping(shape: Shape, length: int | None = None) -> Shape:
    """Take mappings of text to values of a shape, with so many keys where a number is given."""

    def check(value: Any, where: str) -> str | None:
        if not isinstance(value, dict) or not all(isinstance(key, str) and key for key in value):
            return f"{where} must be {{name: value}}; it is {shown(value)}."
        if length is not None and len(value) != length:
            return f"{where} must have {length} key; it is {shown(value)}."
        found = (shape(item, f"{where}.{key}") for key, item in value.items())
        return next((problem for problem in found if problem), None)

    return check


def record(needed: tuple[str, ...] = (), **shapes: Shape) -> Shape:
    """Take mappings of known keys, each with its shape.

    Args:
        needed: keys that must be there.
        shapes: key -> shape.
    """

    def check(value: Any, where: str) -> str | None:
        known = ", ".join(shapes)
        if not isinstance(value, dict):
            return f"{where} must be a mapping of {known}; it is {shown(value)}."
        for key, item in value.items():
            if key not in shapes:
                near = suggest(str(key), shapes)
                return f"{where} has no key {shown(key)}.{near} Known: {known}."
            if problem := shapes[key](item, f"{where}.{key}"):
                return problem
        missing = [key for key in needed if key not in value]
        return f"{where} lacks the key '{missing[0]}'." if missing else None

    return check


def known(**shapes: Shape) -> Shape:
    """Take mappings in which some keys, where they are there, have a shape."""

    def check(value: Any, where: str) -> str | None:
        if not isinstance(value, dict):
            return f"{where} must be a mapping; it is {shown(value)}."
        found = (shape(value[k], f"{where}.{k}") for k, shape in shapes.items() if k in value)
        return next((problem for problem in found if problem), None)

    return check


def fields(**shapes: Shape) -> Shape:
    """Take mappings that have some keys, each with its shape, and perhaps others."""

    def complete(value: Any, where: str) -> str | None:
        missing = [key for key in shapes if key not in value]
        return f"{where} lacks the key '{missing[0]}'." if missing else None

    return both(known(), complete, known(**shapes))


def nothing(value: Any, where: str) -> str | None:
    """Take null."""
    return None if value is None else f"{where} must be null; it is {shown(value)}."


def either(*shapes: Shape) -> Shape:
    """Take what one of some shapes takes; the first says what is wrong."""

    def check(value: Any, where: str) -> str | None:
        problems = [shape(value, where) for shape in shapes]
        return None if None in problems else problems[0]

    return check


def both(*shapes: Shape) -> Shape:
    """Take what all of some shapes take."""

    def check(value: Any, where: str) -> str | None:
        found = (shape(value, where) for shape in shapes)
        return next((problem for problem in found if problem), None)

    return check
