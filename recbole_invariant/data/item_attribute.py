"""A column of tokens of the .item file, such as a category or a planted cue, by item id."""

from typing import Any

import numpy as np
from recbole.utils.enum_type import FeatureType

from recbole_invariant.errors import InputError, suggest


def item_attribute(dataset: Any, field: str) -> np.ndarray:
    """Look up the one token that every item has in a column.

    Args:
        dataset: a RecBole dataset that loads the column (`load_col: {item: [item_id, ...]}`).
        field: name of a column of single tokens.

    Returns:
        `(n_items,)` int64 by internal item id: the token's internal id from 1, 0 for padding and
        where the item has none.

    Raises:
        InputError: the column is not loaded, or holds something else than single tokens.
    """
    fits = (FeatureType.TOKEN,)
    return _column(dataset, field, fits, "an attribute is one token an item")


def item_tokens(dataset: Any, field: str) -> np.ndarray:
    """Look up the tokens, one or several, that every item has in a column.

    Args:
        dataset: as for `item_attribute`.
        field: name of a column of tokens or of sequences of tokens.

    Returns:
        `(n_items, k)` int64 by internal item id: the tokens' internal ids from 1, filled up with
        0; zeros for padding and where the item has none. k is the most tokens of any item, 1 for
        a column of single tokens.

    Raises:
        InputError: the column is not loaded, or holds numbers.
    """
    fits = (FeatureType.TOKEN, FeatureType.TOKEN_SEQ)
    values = _column(dataset, field, fits, "an attribute is one or several tokens an item")
    return values.reshape(len(values), -1)


def _column(dataset: Any, field: str, fits: tuple[FeatureType, ...], said: str) -> np.ndarray:
    """Return a column of the table of items as int64, by internal item id."""
    table = dataset.item_feat
    loaded = [] if table is None else [name for name in table if name != dataset.iid_field]
    if field not in loaded:
        raise InputError(
            f"'{field}' is no column that dataset '{dataset.dataset_name}' loads of its items."
            f"{suggest(field, loaded)} Loaded: {_typed(dataset, loaded)}. Columns of "
            f"{dataset.dataset_name}.item are named in load_col: {{item: [...]}}."
        )
    kind = dataset.field2type[field]
    if kind not in fits:
        raise InputError(
            f"'{field}' of the items of '{dataset.dataset_name}' is of type {kind.value}; {said}. "
            f"Loaded: {_typed(dataset, loaded)}."
        )
    # RecBole's table of items has a row for every internal id, in order
    return np.asarray(table[field], dtype=np.int64)


def _typed(dataset: Any, columns: list[str]) -> str:
    """List columns with their types, as in the file's first line."""
    return ", ".join(f"{name}:{dataset.field2type[name].value}" for name in columns) or "none"
