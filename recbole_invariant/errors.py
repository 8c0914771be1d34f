"""The errors this package raises on purpose, and the words they share.

`InputError` is the user's mistake (exit code 2, one message, no traceback);
`TrainingError` is a run that cannot go on (exit code 1, traceback in the log).
"""

from collections.abc import Iterable
from difflib import get_close_matches


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


def suggest(name: str, known: Iterable[str], n: int = 3) -> str:
    """Say which known names are nearest to a wrong one.

    Args:
        name: what the user wrote.
        known: the right names.
        n: at most so many suggestions.

    Returns:
        `" Did you mean 'a', 'b'?"` with a leading space, or an empty string if nothing is near.
    """
    by_folded = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower(), by_folded, n=n, cutoff=0.6)
    if not near:
        return ""
    return " Did you mean " + ", ".join(f"'{by_folded[folded]}'" for folded in near) + "?"
