"""A column of tokens of the .item file, such as a category or a planted cue, by item id."""

from typing import Any

import numpy as np
from recbole.utils.enum_type import FeatureType

from recbole_invariant.errors import InputError, suggest


def item_attribute(dataset: Any, field: str) -> np.ndarray:
    """Look up one attribute of every item.

    Args:
        dataset: a RecBole dataset that loads the column (`load_col: {item: [item_id, ...]}`).
        field: name of a column of single tokens.

    Returns:
        `(n_items,)` int64 by internal item id: the token's internal id from 1, 0 for padding and
        where the item has none.

    Raises:
        InputError: the column is not loaded, or holds something else than single tokens.
    """
    table = dataset.item_feat
    loaded = [] if table is None else [name for name in table if name != dataset.iid_field]
    if field not in loaded:
        raise InputError(
            f"'{field}' is no column that dataset '{dataset.dataset_name}' loads of its items."
            f"{suggest(field, loaded)} Loaded: {_typed(dataset, loaded)}. Columns of "
            f"{dataset.dataset_name}.item are named in load_col: {{item: [...]}}."
        )
    kind = dataset.field2type[field]
    if kind != FeatureType.TOKEN:
        raise InputError(
            f"'{field}' of the items of '{dataset.dataset_name}' is of type {kind.value}; an "
            f"attribute is one token an item. Loaded: {_typed(dataset, loaded)}."
        )
    # RecBole's table of items has a row for every internal id, in order
    return np.asarray(table[field], dtype=np.int64)


def _typed(dataset: Any, columns: list[str]) -> str:
    """List columns with their types, as in the file's first line."""
    return ", ".join(f"{name}:{dataset.field2type[name].value}" for name in columns) or "none"
