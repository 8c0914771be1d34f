"""What every modality source shares: its options, its context and what it returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from recbole_invariant.errors import InputError, suggest


@dataclass(frozen=True)
class SpecKey:
    """One key of a modality's spec.

    Attributes:
        kinds: the accepted Python types.
        default: the value when the key is left out.
        required: whether leaving the key out is an error.
        minimum: smallest accepted integer, or None.
        choices: accepted strings; empty means any.
    """

    kinds: tuple[type, ...]
    default: Any = None
    required: bool = False
    minimum: int | None = None
    choices: tuple[str, ...] = ()

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value, or None if it is fine."""
        # bool is a subclass of int, and `dim: true` is a mistake
        if isinstance(value, bool) or not isinstance(value, self.kinds):
            names = " or ".join(kind.__name__ for kind in self.kinds)
            return f"must be {names}, not {value!r}"
        if self.minimum is not None and isinstance(value, int) and value < self.minimum:
            return f"must be at least {self.minimum}, not {value}"
        if self.choices and value not in self.choices:
            known = ", ".join(self.choices)
            return f"must be one of {known}, not {value!r}.{suggest(str(value), self.choices)}"
        return None


@dataclass(frozen=True)
class SourceContext:
    """Where a modality is read for: the dataset, its folder and its catalogue.

    Attributes:
        modality: the modality's name in the `modalities` option.
        dataset: the dataset's name, the stem of its files.
        folder: the folder that holds the atomic files.
        token2id: raw item token -> internal id; id 0 is padding.
        item_field: name of the item id column.
        field_separator: column separator of the atomic files.
        seq_separator: separator inside a sequence column.
        encoding: text encoding of the atomic files.
        host: the RecBole dataset after its processing; only `preload` needs it.
    """

    modality: str
    dataset: str
    folder: Path
    token2id: Mapping[str, int]
    item_field: str
    field_separator: str = "\t"
    seq_separator: str = " "
    encoding: str = "utf-8"
    host: Any = None

    def fail(self, message: str) -> InputError:
        """Build the error for this modality; the caller raises it."""
        return InputError(f"modality '{self.modality}' of dataset '{self.dataset}': {message}")

    def resolve(self, path: str) -> Path:
        """Resolve a path from a spec; a relative one starts at the dataset's folder."""
        return self.folder / Path(path).expanduser()

    def existing_file(self, path: Path, hint: str) -> Path:
        """Return the path, or raise InputError with the hint if no file is there."""
        if not path.is_file():
            raise self.fail(f"no file {path}.{suggest(path.name, _names(path.parent))} {hint}")
        return path


@dataclass(frozen=True)
class TokenFeatures:
    """Item features as their source holds them: row k describes the item `tokens[k]`.

    Attributes:
        tokens: raw item tokens, each once.
        values: (n_rows, dim) numbers of any real dtype; may be memory-mapped.
        origin: where they come from (file, and columns), for messages.
    """

    tokens: Sequence[str]
    values: np.ndarray = field(repr=False)
    origin: str

    def __post_init__(self) -> None:
        problem = _shape_problem(self.tokens, self.values)
        if problem is not None:
            raise InputError(f"{self.origin}: {problem}")


def _shape_problem(tokens: Sequence[str], values: np.ndarray) -> str | None:
    if values.dtype.kind not in "fiub":
        return f"features must be real numbers, not dtype {values.dtype}"
    if values.ndim != 2:
        return f"features must have two dimensions (items, dim), not shape {values.shape}"
    if len(tokens) != values.shape[0]:
        return (
            f"{values.shape[0]} feature rows but {len(tokens)} item tokens; "
            "there must be one token for each row, in the same order"
        )
    if 0 in values.shape:
        return f"the features are empty: shape {values.shape}"
    duplicate = first_duplicate(tokens)
    if duplicate is not None:
        first = tokens.index(duplicate)
        second = tokens.index(duplicate, first + 1)
        return f"item '{duplicate}' has two rows, {first} and {second} (counted from 0); keep one"
    return None


def first_duplicate(tokens: Sequence[str]) -> str | None:
    """Return the first token that was already there before it, or None."""
    if len(set(tokens)) == len(tokens):
        return None
    seen: set[str] = set()
    for token in tokens:
        if token in seen:
            return token
        seen.add(token)
    return None


def parse_options(
    name: str, spec: Mapping[str, Any], keys: Mapping[str, SpecKey]
) -> dict[str, Any]:
    """Check a modality's spec and fill in its defaults.

    Args:
        name: the modality's name, for messages.
        spec: the keys the user gave, with or without `source`.
        keys: the keys this source knows.

    Returns:
        Every known key with its value.

    Raises:
        InputError: with all unknown, missing and wrong keys at once.
    """
    where = f"modalities: '{name}'"
    given = {key: value for key, value in spec.items() if key != "source"}
    problems = [
        f"{where}: unknown key '{key}'.{suggest(str(key), keys)} Known: {', '.join(keys) or 'none'}"
        for key in given
        if key not in keys
    ]
    for key, rule in keys.items():
        if given.get(key) is None:
            if rule.required:
                problems.append(f"{where}: key '{key}' is needed")
            continue
        problem = rule.problem(given[key])
        if problem is not None:
            problems.append(f"{where}: '{key}' {problem}")
    if problems:
        raise InputError(problems)
    chosen = {key: given.get(key) for key in keys}
    return {key: keys[key].default if value is None else value for key, value in chosen.items()}


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
