"""Rows that stand in histories and are never to be predicted, such as banners that were shown."""

from typing import Any

import numpy as np
from recbole.utils.enum_type import FeatureType

from recbole_invariant.data.positives import file_columns, inter_files
from recbole_invariant.data.raw_columns import RAW
from recbole_invariant.errors import InputError, suggest


def request_targets(config: Any) -> None:
    """Ask RecBole to load the column that says which rows are targets.

    It is dropped after the cut unless the user loads it: it is no feature.

    Args:
        config: reads `target_field`; `load_col` and `unused_col` are changed.
    """
    field, load = config["target_field"], config["load_col"]
    if not field or not load or field in load.get("inter", []):
        return
    config["load_col"] = {**load, "inter": [*load["inter"], field]}
    unused = dict(config["unused_col"] or {})
    config["unused_col"] = {**unused, "inter": [*unused.get("inter", []), field]}


def target_rows(dataset: Any) -> np.ndarray | None:
    """Say which rows may be targets.

    Args:
        dataset: a RecBole dataset that was not built yet.

    Returns:
        `(n_rows,)` bool; None where the option `target_field` names no column.

    Raises:
        InputError: there is no such column, or it holds something else than 0 and 1.
    """
    field = dataset.config["target_field"]
    if not field:
        return None
    table = dataset.inter_feat
    if field not in table:
        file = inter_files(dataset.config)[0]
        known = file_columns(file, dataset.config) if file.is_file() else table
        raise InputError(
            f"target_field: the interactions of '{dataset.dataset_name}' have no column "
            f"'{field}'.{suggest(field, known)} Name a column of 0 and 1, or leave it null."
        )
    values = _raw(dataset, field)
    wrong = values[~np.isin(values, (0.0, 1.0))]
    if len(wrong):
        raise InputError(
            f"target_field: the column '{field}' of '{dataset.dataset_name}' holds {wrong[0]}; "
            "expected 1 for a row that may be a target and 0 for one that stands in histories only."
        )
    return np.asarray(values == 1)


def _raw(dataset: Any, field: str) -> np.ndarray:
    """Read a column as numbers before RecBole scaled them; NaN where it is none."""
    table, raw = dataset.inter_feat, getattr(dataset, RAW, None)
    if raw is not None and field in raw:
        return np.asarray(raw[field].to_numpy(dtype=np.float64))
    values = np.asarray(table[field])
    if dataset.field2type[field] != FeatureType.TOKEN:
        return values.astype(np.float64)
    number = {"0": 0.0, "1": 1.0}
    tokens = np.asarray(dataset.field2id_token[field])[values]
    return np.array([number.get(token, np.nan) for token in tokens])
