"""Source `multi_hot`: attribute columns of the dataset's .item file, one 0/1 column a value.

Every value counts alike, unlike in source `text`, whose TF-IDF gives rare values more weight.
"""

from collections import Counter
from typing import Any

import numpy as np

from recbole_invariant.data.modality_sources.base import SourceContext, SpecKey, TokenFeatures
from recbole_invariant.data.modality_sources.text import prefixed_parts, read_fields

KEYS = {
    "fields": SpecKey((str, list), required=True),
    "min_df": SpecKey((int,), default=1, minimum=1),
}


def read(spec: dict[str, Any], context: SourceContext) -> TokenFeatures:
    """Turn attribute columns of `<dataset>.item` into 0/1 features.

    Only items of the catalogue are read. A value is a part of the column as it stands; the same
    word in two columns is two values, and a value that an item has twice counts once.

    Args:
        spec: `fields` (one column or a list); `min_df`, the fewest items a value stands in.
        context: the dataset.

    Returns:
        (n_rows, n_values) float32 of 0 and 1, the values in alphabetical order of `field=value`.

    Raises:
        InputError: no .item file, no such column, or no value left.
    """
    tokens, columns, origin = read_fields(spec["fields"], context)
    items = [set(parts) for parts in prefixed_parts(columns, context.seq_separator)]
    counts = Counter(value for values in items for value in values)
    kept = sorted(value for value, count in counts.items() if count >= spec["min_df"])
    if not kept:
        raise context.fail(
            f"{origin}: no value stands in {spec['min_df']} items or more; lower min_df"
        )
    position = {value: column for column, value in enumerate(kept)}
    matrix = np.zeros((len(items), len(kept)), dtype=np.float32)
    for row, values in enumerate(items):
        matrix[row, [position[value] for value in values if value in position]] = 1
    return TokenFeatures(tokens, matrix, origin)
