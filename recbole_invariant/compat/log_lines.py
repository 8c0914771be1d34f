"""Mend for RecBole's RaCT, which gives the logger a value that no place is left for."""

import logging
from types import ModuleType

from recbole_invariant.compat.after_import import after_import


def mend_log_lines() -> None:
    """Let a log line without a placeholder end with its values.

    `logger.info("Load pretrained model from", path)` logs nothing and prints a traceback, as if
    finetuning had failed.
    """

    def patch(module: ModuleType) -> None:
        root = logging.getLogger()
        if values_at_the_end not in root.filters:
            root.addFilter(values_at_the_end)

    after_import("recbole.model.general_recommender.ract", patch)


def values_at_the_end(record: logging.LogRecord) -> bool:
    """Append a record's values to its text where that has no `%`; drop no record."""
    if record.args and "%" not in str(record.msg):
        values = record.args if isinstance(record.args, tuple) else (record.args,)
        record.msg, record.args = " ".join(map(str, (record.msg, *values))), ()
    return True
