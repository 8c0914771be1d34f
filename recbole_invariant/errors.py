"""The errors this package raises on purpose, and the words they share.

`InputError` is the user's mistake (exit code 2, one message, no traceback);
`TrainingError` is a run that cannot go on (exit code 1, traceback in the log);
`WriteError` is a file that the machine does not take (exit code 1, one message).
"""

from collections.abc import Iterable
from pathlib import Path

from recbole_invariant.spelling import nearest


class InputError(ValueError):
    """One or more mistakes in what the user gave, all reported at once.

    Args:
        problems: one message or several; each names the key or file, what was expected
            and what to do.
    """

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems: list[str] = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class TrainingError(RuntimeError):
    """A run that must stop, e.g. on a non-finite loss; names stage, epoch and batch."""


class WriteError(OSError):
    """A file could not be written; what stood under its name before is untouched.

    Args:
        path: the file.
        cause: what the operating system said.
    """

    def __init__(self, path: Path | str, cause: OSError) -> None:
        self.path = Path(path)
        self.reason = cause.strerror or str(cause)
        super().__init__(cause.errno, f"{path} cannot be written: {self.reason}")

    def __str__(self) -> str:
        """Return the message without Python's number of the error."""
        return str(self.strerror)


def suggest(name: str, known: Iterable[str], n: int = 3, others: Iterable[str] = ()) -> str:
    """Say which known names are nearest to a wrong one.

    Args:
        name: what the user wrote.
        known: the right names.
        n: at most so many suggestions; all of those that are a single edit away.
        others: right names that were less likely meant, see `spelling.nearest`.

    Returns:
        `" Did you mean 'a', 'b'?"` with a leading space, or an empty string if nothing is near.
    """
    near = nearest(name, known, n, others)
    return " Did you mean " + ", ".join(f"'{found}'" for found in near) + "?" if near else ""
