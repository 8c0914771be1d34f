"""Options that need an attribute of the items: is it named, and does the dataset have it?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recbole_invariant.configuration.dataset_files import columns_of, dataset_folder
from recbole_invariant.errors import suggest

TOKEN = "token"
NEEDING = {"environments": ("attribute_shift",), "cue_adjustment": ("estimated", "known")}
"""Option -> its values that need the option `attribute`."""


def needs_attribute(values: Any, origin: Mapping[str, str]) -> list[str]:
    """Name what asks for an attribute, in the words of who asked.

    Args:
        values: all options of a model that has those of `NEEDING`.
        origin: option -> the layer that set it; one that a variant set is named by the variant.
    """
    needing = []
    for key, needed in NEEDING.items():
        if values[key] in needed:
            layer = origin.get(key, "")
            by_variant = layer.startswith("variant ")
            said = f"{key}: {values[key]}"
            chosen = layer.removeprefix("variant ")
            needing.append(f"variant: {chosen} ({said})" if by_variant else said)
    return needing


def unfit_for_attribute(values: Any, origin: Mapping[str, str]) -> str | None:
    """Say what is wrong where an option needs an attribute, as far as the options tell.

    Args:
        values: see `needs_attribute`.
        origin: see there.
    """
    needing = " and ".join(needs_attribute(values, origin))
    if not needing:
        return None
    if values["backbone"] == "BERT4Rec":
        return (
            f"{needing}: BERT4Rec also learns from the item after a masked one, where the cue "
            "stands the other way round; take a backbone that reads forwards, e.g. SASRec."
        )
    if not values["attribute"]:
        return (
            f"{needing} needs the option attribute, a column of the .item file that load_col "
            "loads, one token an item, e.g. --attribute=category."
        )
    return None


def attribute_problems(
    values: Mapping[str, Any], origin: Mapping[str, str], dataset: str
) -> list[str]:
    """Check the options that need an attribute, and the column, before any data is loaded.

    Args:
        values: all options, before RecBole changed any.
        origin: option -> the layer that set it.
        dataset: name of the dataset; where it is not there, only the options are checked.
    """
    if not {*NEEDING, "attribute", "backbone"} <= values.keys():
        return []
    needing = " and ".join(needs_attribute(values, origin))
    problem = unfit_for_attribute(values, origin)
    if not needing or problem:
        return [problem] if problem else []
    folder = dataset_folder(values, dataset)
    if not folder.is_dir() or not isinstance(values["attribute"], str):
        return []
    said = _column_problem(values, folder / f"{dataset}.item", values["attribute"])
    return [f"{needing} needs the option attribute: {said}"] if said else []


def _column_problem(values: Mapping[str, Any], path: Path, name: str) -> str | None:
    """Say why a column of the .item file cannot serve, None if it can."""
    if not path.is_file():
        return f"'{name}' would be a column of {path.absolute()}, which is not there."
    key = str(values["ITEM_ID_FIELD"])
    separator = str(values.get("field_separator") or "\t")
    columns = columns_of(path, separator, str(values.get("encoding") or "utf-8"))
    others = {column: kind for column, kind in columns.items() if column != key}
    there = ", ".join(f"{column}:{kind}" for column, kind in others.items()) or "no other column"
    fit = [column for column, kind in others.items() if kind == TOKEN]
    serve = f"single tokens, which can serve: {', '.join(fit)}" if fit else "none is single tokens"
    listed = f"{path.name} has {there} ({serve})."
    if name not in others:
        return f"there is no column '{name}'.{suggest(name, fit)} {listed}"
    if others[name] != TOKEN:
        return f"'{name}:{others[name]}' is not one token an item. {listed}"
    if name not in _loaded(values, columns):
        return f"the column '{name}' is not loaded. {listed} {_how_to_load(values, key, name)}"
    return None


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
