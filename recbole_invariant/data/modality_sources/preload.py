"""Source `preload`: RecBole's own way, an additional atomic file and `preload_weight`.

RecBole needs four options that fit each other for it; left to itself it answers a wrong one with
a bare KeyError, so `host_problems` checks them before RecBole loads anything.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from recbole_invariant.data.modality_sources.base import SourceContext, SpecKey, TokenFeatures
from recbole_invariant.errors import suggest

KEYS = {"id_field": SpecKey((str,), required=True)}


def read(spec: dict[str, Any], context: SourceContext) -> TokenFeatures:
    """Take the matrix RecBole preloaded for `id_field`.

    Args:
        spec: `id_field`, the id column of the additional atomic file.
        context: the dataset; its `host` is the RecBole dataset after processing.

    Returns:
        One row for each item that stands in the additional file, float64.

    Raises:
        InputError: an item has two rows, or rows differ in length (RecBole would keep the last,
            and fill up with zeros, without a word).
    """
    host, id_field = context.host, spec["id_field"]
    value_field = host.config["preload_weight"][id_field]
    suffix = host.field2source[id_field]
    path = context.folder / f"{context.dataset}.{suffix}"
    table = getattr(host, f"{suffix}_feat")
    ids = np.asarray(table[id_field])
    tokens = [str(token) for token in host.id2token(id_field, ids)]
    lengths = np.array([np.size(row) for row in table[value_field]])
    odd = np.flatnonzero(lengths != np.bincount(lengths).argmax())
    if odd.size:
        k = odd[0]
        raise context.fail(
            f"{path}: item '{tokens[k]}' has {lengths[k]} numbers in '{value_field}' "
            f"where most have {np.bincount(lengths).argmax()}"
        )
    values = np.asarray(host.get_preload_weight(id_field))
    values = values if values.ndim == 2 else values[:, None]
    return TokenFeatures(tokens, values[ids], f"{path} ({value_field})")


def host_problems(
    name: str, spec: dict[str, Any], config: Any, dataset: str, folder: Path
) -> Iterable[str]:
    """Yield what is wrong in the RecBole options a preloaded modality needs.

    Args:
        name: the modality's name.
        spec: its parsed spec.
        config: RecBole's config.
        dataset: the dataset's name.
        folder: the folder of its atomic files.
    """
    id_field = spec["id_field"]
    where = f"modalities: '{name}' (source preload)"
    weights = config["preload_weight"] or {}
    if id_field not in weights:
        yield (
            f"{where}: preload_weight has no '{id_field}'.{suggest(id_field, weights)} "
            f"Set preload_weight: {{{id_field}: <feature column>}}"
        )
        return
    if id_field not in (config["alias_of_item_id"] or []):
        yield (
            f"{where}: alias_of_item_id must list '{id_field}', so that RecBole gives "
            "its items the ids of the interactions"
        )
    suffixes = config["additional_feat_suffix"] or []
    suffixes = [suffixes] if isinstance(suffixes, str) else list(suffixes)
    columns = {suffix: _header(folder / f"{dataset}.{suffix}", config) for suffix in suffixes}
    holders = [suffix for suffix in suffixes if id_field in columns[suffix]]
    if not holders:
        files = ", ".join(str(folder / f"{dataset}.{suffix}") for suffix in suffixes)
        yield (
            f"{where}: no additional file has the column '{id_field}' "
            f"(additional_feat_suffix: {suffixes}; looked in: {files or 'none'})"
        )
        return
    yield from _column_problems(where, (id_field, weights[id_field]), holders[0], columns, config)


def _column_problems(
    where: str, pair: tuple[str, str], suffix: str, columns: dict[str, dict[str, str]], config: Any
) -> Iterable[str]:
    id_field, value_field = pair
    types = columns[suffix]
    if value_field not in types:
        yield (
            f"{where}: preload_weight names '{value_field}', which the .{suffix} file does not "
            f"have.{suggest(value_field, types)} Its columns: {', '.join(types)}"
        )
    elif types[value_field] not in ("float_seq", "float"):
        yield f"{where}: '{value_field}' must be float_seq or float, not {types[value_field]}"
    if types[id_field] != "token":
        yield f"{where}: '{id_field}' must be token, not {types[id_field]}"
    load_col = config["load_col"]
    if load_col is None:
        return
    loaded = load_col.get(suffix) or []
    absent = [] if loaded == "*" else [column for column in pair if column not in loaded]
    if absent:
        yield f"{where}: load_col.{suffix} must list {', '.join(absent)}"


def _header(path: Path, config: Any) -> dict[str, str]:
    # name -> type of each column; a missing file has none, and RecBole names it itself
    if not path.is_file():
        return {}
    with path.open(encoding=config["encoding"] or "utf-8", errors="replace") as file:
        names = file.readline().rstrip("\r\n").split(config["field_separator"] or "\t")
    return {name: kind for name, _, kind in (column.partition(":") for column in names)}
