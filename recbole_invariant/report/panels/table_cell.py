"""What a cell of the results table holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A value of the table.

    Attributes:
        value: the mean, written.
        half: half of its interval, written; empty where there is none.
        mark: of significance, or empty.
        hint: the tests in words.
        best: whether no model has a better mean.
    """

    value: str
    half: str = ""
    mark: str = ""
    hint: str = ""
    best: bool = False
