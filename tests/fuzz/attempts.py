"""A thing to try on the program, and what came of it: accepted, refused, or a fault of ours."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from recbole_invariant.errors import InputError

ACCEPTED, REFUSED = "accepted", "refused"
TRACEBACK, HANG, LEFT, MISREAD, UNCLEAR = "traceback", "hang", "files left", "misread", "unclear"
FAULTS = (TRACEBACK, HANG, LEFT, MISREAD, UNCLEAR)
"""Outcomes that must never be; `unclear`: refused without a name that helps, or at great length."""

LONGEST = 2000
"""Characters of one problem at most: it is read on a terminal."""


@dataclass(frozen=True)
class Case:
    """One input.

    Attributes:
        kind: of mistake, a row of the table.
        text: says the case apart.
        act: uses the input in an empty folder of its own; what it returns tells whether the input
            was read as it stands: None or an empty text, else what was misread.
        prepare: writes the input into that folder beforehand.
        names: texts of which the refusal must hold one; empty for any.
    """

    kind: str
    text: str
    act: Callable[[Path], str | None]
    prepare: Callable[[Path], None] = lambda folder: None
    names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        kind: `accepted`, `refused` or one of `FAULTS`.
        said: the messages, or what went wrong.
    """

    kind: str
    said: str


class _TooLong(BaseException):
    """The time of a case is over; no Exception, so that nothing swallows it."""


def attempt(case: Case, folder: Path, seconds: float = 120.0) -> Outcome:
    """Try a case.

    Args:
        case: what to try.
        folder: an empty one.
        seconds: of wall time after which it hangs.
    """
    case.prepare(folder)
    before = _files(folder)
    try:
        with _limited(seconds):
            misread = case.act(folder)
    except InputError as error:
        left = sorted(_files(folder) - before)
        if left:
            return Outcome(LEFT, ", ".join(left))
        unclear = _unclear(error, case.names)
        return Outcome(UNCLEAR if unclear else REFUSED, unclear or str(error))
    except _TooLong:
        return Outcome(HANG, f"not done after {seconds:.0f} s")
    except Exception as error:
        return Outcome(TRACEBACK, f"{type(error).__name__}: {error} at {_place(error)}")
    return Outcome(MISREAD, misread) if misread else Outcome(ACCEPTED, "")


def _unclear(error: InputError, names: tuple[str, ...]) -> str:
    """Say what a refusal lacks."""
    text = str(error)
    if not error.problems or not all(problem.strip() for problem in error.problems):
        return "an empty message"
    if max(map(len, error.problems)) > LONGEST:
        return f"a message of {len(text)} characters: {text[:200]}"
    if names and not any(name in text for name in names):
        return f"none of {names} in: {text[:600]}"
    return ""


def _files(folder: Path) -> set[str]:
    """List what is in a folder, folders too."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _place(error: BaseException) -> str:
    """Name the innermost lines of a traceback that are of this project."""
    places, at = [], error.__traceback__
    while at is not None:
        places.append(f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}")
        at = at.tb_next
    return " < ".join(reversed(places[-4:]))


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise `_TooLong` after some time; an alarm that was set before goes on afterwards."""

    def ring(number: int, frame: FrameType | None) -> Any:
        raise _TooLong

    handler = signal.signal(signal.SIGALRM, ring)
    remaining, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, remaining)
        signal.signal(signal.SIGALRM, handler)
