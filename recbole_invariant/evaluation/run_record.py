"""A run folder as others read it: what of its files must be there, and of which kind."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from recbole_invariant.configuration.shapes import (
    Shape,
    both,
    either,
    fields,
    known,
    mapping,
    nothing,
    number,
    several,
    text,
    word,
)
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.records import RUN_FILE, read_json

_OPTIONS = ("metrics", "topk", "valid_metric")
_MEASURED = either(number(), nothing)


def _anything(value: Any, where: str) -> None:
    """Take any value."""


_COUNTS = mapping(number(0, whole=True))
_SPLIT = known(
    dropped=_COUNTS, trained_on=_COUNTS, gamma=either(several(number()), nothing), claims=text
)
_SLICE = fields(metrics=mapping(_MEASURED), n_users=number(0, whole=True))
_WORST = fields(metric=text, group=text, slice=text)

_OPTION = fields(value=_anything, layer=either(text, word("")))


def _slices(value: Any, where: str) -> str | None:
    """Take a test set's slices, group by group, and the worst of them."""
    if problem := fields()(value, where):
        return problem
    for group, parts in value.items():
        shape = either(_WORST, nothing) if group.startswith("worst") else mapping(_SLICE)
        if problem := shape(parts, f"{where}.{group}"):
            return problem
    return None


SHAPES: dict[str, Shape] = {
    "model": text,
    "model_class": text,
    "dataset": text,
    "protocol": either(text, nothing),
    "seed": number(whole=True),
    "metrics": mapping(mapping(_MEASURED)),
    "selection": fields(),
    "split": _SPLIT,
    "slices": mapping(_slices),
    "stages": several(fields(name=text, seconds=number(0), epochs=number(0, whole=True))),
    "options": mapping(fields(value=_anything)),
    "notes": several(text),
    "mends": several(text),
    "not_stored": several(text),
    **dict.fromkeys(("n_users", "n_items", "n_interactions"), _COUNTS),
    **dict.fromkeys(("seconds", "training_seconds"), either(number(0), nothing)),
    **dict.fromkeys(("data", "baselines"), mapping(text)),
    **dict.fromkeys(("modalities", "versions", "curves", "snapshots"), fields()),
    **dict.fromkeys(("finished", "split_checksum", "control"), either(text, nothing)),
    **dict.fromkeys(("shift", "diagnostics"), either(fields(), nothing)),
}
"""Entry -> its shape, where it is there."""

OF_REOPENED: dict[str, Shape] = {
    "options": both(mapping(_OPTION), fields(**dict.fromkeys(_OPTIONS, _OPTION)))
}
"""Shapes of a run that is evaluated again, besides."""

REOPENED = (
    "model",
    "model_class",
    "dataset",
    "protocol",
    "seed",
    "split",
    "n_interactions",
    "metrics",
    "selection",
    "stages",
    "options",
)
"""What a run must say to be evaluated again, or to recommend."""


def read_record(run_dir: Path, needed: Iterable[str] = REOPENED) -> dict[str, Any]:
    """Read the record of a finished run.

    Args:
        run_dir: its folder.
        needed: entries that must be there.

    Raises:
        InputError: it is missing, broken or not that of a run.
    """
    path = run_dir / RUN_FILE
    record: Any = read_json(path)
    if problem := fields()(record, "it"):
        raise InputError(f"{path}: damaged: {problem}")
    missing = [key for key in needed if key not in record]
    if missing:
        raise InputError(f"{path}: lacks {', '.join(missing)}; not a run's.")
    shapes = [*SHAPES.items(), *(OF_REOPENED.items() if "options" in needed else ())]
    for key, shape in shapes:
        problem = shape(record[key], key) if key in record else None
        if problem:
            raise InputError(f"{path}: damaged: {problem}")
    return dict(record)


def read_table(path: Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a parquet file of a run folder.

    Args:
        path: the file.
        columns: that must be there; others are read too.

    Raises:
        InputError: it is missing or broken, or lacks a column.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; a finished run has one.")
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise InputError(f"{path}: not a readable parquet file ({error}).") from error
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(f"{path}: damaged: it has no column {', '.join(missing)}.")
    return table
