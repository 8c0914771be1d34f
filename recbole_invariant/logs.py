"""Where a run's log goes: the console, and `log.txt` in the run folder."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recbole_invariant.errors import WriteError

COLOUR = re.compile(r"\x1B(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])")
LEVELS = ("debug", "info", "warning", "error", "critical")
"""What RecBole's option `state` may be."""


class PlainFormatter(logging.Formatter):
    """Writes records without the colour codes that RecBole puts into its messages."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one or more plain lines; the record itself stays as it is."""
        return COLOUR.sub("", super().format(record))


class RunLogHandler(logging.FileHandler):
    """Writes `log.txt`; a disk that takes no more ends the run with one message.

    The standard library prints a traceback a line instead, and the run goes on without a log.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base's name
        """Raise what writing a record raised, with the name of the file.

        Raises:
            WriteError: the disk is full or the like.
        """
        error = sys.exception()
        if isinstance(error, OSError):
            raise WriteError(self.baseFilename, error) from error
        super().handleError(record)

    def close(self) -> None:
        """Close the file; what it could not take was an error already."""
        with suppress(OSError):
            super().close()


@contextmanager
def logging_to(path: Path, state: str | None) -> Iterator[None]:
    """Log everything inside the block to a file, and to the console if nobody else does.

    RecBole logs through the root logger, so that is the one that is set up. Blocks may stand in
    each other: the outer file then has the inner run's lines too.

    Args:
        path: the file; its folder exists.
        state: RecBole's option of that name; None and unknown words mean `info`.
    """
    root = logging.getLogger()
    name = (state or "info").lower()
    level = logging.getLevelNamesMapping()[name.upper()] if name in LEVELS else logging.INFO
    handlers: list[logging.Handler] = [RunLogHandler(path, encoding="utf-8")]
    handlers[0].setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(message)s"))
    if not root.handlers:
        handlers.append(logging.StreamHandler())
        coloured = logging.Formatter if sys.stderr.isatty() else PlainFormatter
        handlers[1].setFormatter(coloured("%(asctime)s %(mark)s%(message)s", "%H:%M:%S"))
        handlers[1].addFilter(_marked)
    before = root.level
    root.setLevel(level)
    for handler in handlers:
        handler.setLevel(level)
        root.addHandler(handler)
    try:
        yield
    finally:
        root.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


def _marked(record: logging.LogRecord) -> bool:
    """Mark a record for the console, where a warning is else a line among many; keep it."""
    name = record.levelname.lower()
    record.mark = f"{name}: " if record.levelno >= logging.WARNING else ""
    return True
