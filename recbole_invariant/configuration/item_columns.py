"""Can a column of the .item file serve an option? Asked of its first line before data is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole_invariant.configuration.dataset_files import dataset_folder
from recbole_invariant.configuration.file_columns import columns_of
from recbole_invariant.errors import suggest


@dataclass(frozen=True)
class ColumnKind:
    """What a column must hold.

    Attributes:
        types: types of the first line that serve, e.g. `token`.
        held: what such columns hold, in words.
        each: what an item has in it, in words.
    """

    types: tuple[str, ...]
    held: str
    each: str


ONE_TOKEN = ColumnKind(("token",), "single tokens", "one token an item")
TOKENS = ColumnKind(("token", "token_seq"), "tokens", "one or several tokens an item")


def column_problem(
    values: Mapping[str, Any], dataset: str, name: str, kind: ColumnKind, read: bool = True
) -> str | None:
    """Say why a column of the .item file cannot serve, None if it can.

    Args:
        values: all options, before RecBole changed any.
        dataset: name of the dataset; where its folder is not there, nothing is said.
        name: of the column.
        kind: what it must hold.
        read: whether this run reads it, so that it must be loaded.
    """
    folder = dataset_folder(values, dataset)
    if not folder.is_dir():
        return None
    path = folder / f"{dataset}.item"
    if not path.is_file():
        return f"'{name}' would be a column of {path.absolute()}, which is not there."
    key = str(values["ITEM_ID_FIELD"])
    separator = str(values.get("field_separator") or "\t")
    columns = columns_of(path, separator, str(values.get("encoding") or "utf-8"))
    others = {column: type_ for column, type_ in columns.items() if column != key}
    fit = [column for column, type_ in others.items() if type_ in kind.types]
    listed = _listed(path, others, fit, kind)
    if name not in others:
        return f"there is no column '{name}'.{suggest(name, fit)} {listed}"
    if name not in fit:
        return f"'{name}:{others[name]}' is not {kind.each}. {listed}"
    if read and name not in _loaded(values, columns):
        return f"the column '{name}' is not loaded. {listed} {_how_to_load(values, key, name)}"
    return None


def _listed(path: Path, others: Mapping[str, str], fit: list[str], kind: ColumnKind) -> str:
    """List the file's columns, and those that can serve."""
    there = ", ".join(f"{column}:{type_}" for column, type_ in others.items()) or "no other column"
    serve = f"{kind.held}, which can serve: {', '.join(fit)}" if fit else f"none is {kind.held}"
    return f"{path.name} has {there} ({serve})."


def _loaded(values: Mapping[str, Any], columns: Mapping[str, str]) -> set[str]:
    """Return the columns of the .item file that RecBole loads: all, those named, or the others."""
    named, left = values.get("load_col"), values.get("unload_col")
    if named is not None:
        return set(named.get("item") or [])
    return set(columns) - set((left or {}).get("item") or [])


def _how_to_load(values: Mapping[str, Any], key: str, name: str) -> str:
    named = values.get("load_col")
    if named is None:
        return "Take it out of unload_col."
    item = [*(named.get("item") or [key]), name]
    parts = (f"{part}: [{', '.join(cols)}]" for part, cols in {**named, "item": item}.items())
    return f"Add --load_col='{{{', '.join(parts)}}}'"
