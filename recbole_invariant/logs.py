"""Where a run's log goes: the console, and `log.txt` in the run folder."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COLOUR = re.compile(r"\x1B(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])")
LEVELS = ("debug", "info", "warning", "error", "critical")
"""What RecBole's option `state` may be."""


class PlainFormatter(logging.Formatter):
    """Writes records without the colour codes that RecBole puts into its messages."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one or more plain lines; the record itself stays as it is."""
        return COLOUR.sub("", super().format(record))


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
    handlers: list[logging.Handler] = [logging.FileHandler(path, encoding="utf-8")]
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
