"""The models and seeds of a comparison, as the user writes them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recbole_invariant.errors import InputError
from recbole_invariant.options import parse_value

FIRST_SEED = 2020
"""RecBole's own default seed."""

SEED_IN_PATH = "{seed}"
"""Stands in `data_path` for the seed of the run."""

OPEN, CLOSED = "[{(", "]})"


@dataclass(frozen=True)
class ModelSpec:
    """A line of the table.

    Attributes:
        label: what the user wrote, e.g. `PaInvRL[n_environments=5]`.
        model: name or dotted path of the model.
        options: this line's own options, as text.
        search: what the search was that found some of them (`searches.py`); None without one.
    """

    label: str
    model: str
    options: dict[str, str] = field(default_factory=dict)
    search: dict[str, Any] | None = None


def parse_models(models: str | Sequence[str | type]) -> list[ModelSpec]:
    """Read model specs: `NAME` or `NAME[key=value,...]`, by commas or as a sequence.

    Args:
        models: text, or names, specs and classes that can be imported by name.

    Raises:
        InputError: a spec cannot be read, or stands there twice; everything at once.
    """
    words = (
        _split(models) if isinstance(models, str) else [importable_name(model) for model in models]
    )
    specs: list[ModelSpec] = []
    problems: list[str] = []
    for word in words:
        try:
            spec = _parse(word.strip())
        except InputError as error:
            problems += error.problems
            continue
        if any(spec.label == other.label for other in specs):
            problems.append(f"models: '{spec.label}' is named twice.")
        specs.append(spec)
    if not words:
        problems.append("models: none is named. Write e.g. --models PaInvRL,UltraGCN,BPR,Pop.")
    if problems:
        raise InputError(problems)
    return specs


def importable_name(model: str | type, option: str = "models") -> str:
    """Return the name by which another process finds a model.

    Args:
        model: a name or a spec, which stays as it is, or a class.
        option: names the argument in an error.

    Raises:
        InputError: a class that cannot be imported by name.
    """
    if isinstance(model, str):
        return model
    if model.__module__ == "__main__" or "<locals>" in model.__qualname__:
        raise InputError(
            f"{option}: {model.__qualname__} cannot be imported by name, and every run is a "
            "process of its own; put the class into a module."
        )
    return f"{model.__module__}.{model.__qualname__}"


def _split(text: str) -> list[str]:
    """Split at commas outside of brackets; empty text gives nothing.

    Raises:
        InputError: the brackets do not match.
    """
    words, depth = [""], 0
    for letter in text:
        depth += (letter in OPEN) - (letter in CLOSED)
        if depth < 0:
            break
        if letter == "," and depth == 0:
            words.append("")
        else:
            words[-1] += letter
    if depth:
        raise InputError(f"models: the brackets in '{text}' do not match.")
    return words if text.strip() else []


def _parse(word: str) -> ModelSpec:
    name, bracket, rest = word.partition("[")
    if not name or (bracket and not rest.endswith("]")):
        raise InputError(
            f"models: '{word}' is no model. Write NAME or NAME[key=value,...], with commas between "
            "models."
        )
    options: dict[str, str] = {}
    for part in _split(rest[:-1]) if bracket else []:
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise InputError(f"models: '{part}' in '{word}' is no option. Write key=value.")
        options[key.strip()] = value.strip()
    return ModelSpec(word, name, options)


def parse_seeds(seeds: str | int | Sequence[int], first_seed: str | int | None = None) -> list[int]:
    """Read the seeds: a number of them, counted from the first, or a list.

    Args:
        seeds: `5`, `[1,2,7]`, or text of either.
        first_seed: the first of a number of seeds; None is 2020, RecBole's default seed.

    Raises:
        InputError: something else is given.
    """
    value = parse_value(seeds) if isinstance(seeds, str) else seeds
    first = parse_value(first_seed) if isinstance(first_seed, str) else first_seed
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        start = FIRST_SEED if first is None else first
        if not _is_seed(start):
            raise InputError(f"first_seed: expected an integer >= 0, not {start!r}.")
        return list(range(start, start + value))
    listed = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    if not listed or not all(_is_seed(seed) for seed in listed) or len({*listed}) < len(listed):
        raise InputError(
            f"seeds: expected how many (>= 1), or a list of different integers >= 0 such as "
            f"[1,2,7], not {seeds!r}."
        )
    if first is not None:
        raise InputError("first_seed: it goes with a number of seeds, not with a list of them.")
    return listed


def _is_seed(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def own_options(
    common: Mapping[str, str], spec: ModelSpec, seed: int, settled: Mapping[str, str]
) -> dict[str, str]:
    """Put together the command line of one run; the line's own options win over the common ones.

    `{seed}` in `data_path` becomes the run's seed: each seed then has data of its own, such as
    planted worlds.
    """
    words = {**settled, **common, **spec.options, "seed": str(seed)}
    if "data_path" in words:
        words["data_path"] = words["data_path"].replace(SEED_IN_PATH, str(seed))
    return words


def folder_name(label: str) -> str:
    """Make a label a part of a folder's name."""
    return re.sub(r"[^A-Za-z0-9_.=-]+", "-", label).strip("-.")[:80]
