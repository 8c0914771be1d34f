"""Mends for RecBole's `Dataset` under pandas 3, where in-place filling of a column is lost."""

from types import ModuleType
from typing import Any

from recbole_invariant.compat.after_import import ModuleStandIn, after_import

HOST_DATASET = "recbole.data.dataset.dataset"
SEQUENCE_TYPES = (":token_seq", ":float_seq")


def fill_missing(dataset: Any) -> None:
    """Fill the missing values of a RecBole `Dataset`, in place.

    A missing token becomes 0 (the padding), a missing float the mean of its column, a missing
    sequence an empty array. Stands in for `Dataset._fill_nan`.

    Args:
        dataset: a RecBole `Dataset` whose features are still data frames of internal ids.
    """
    import numpy as np
    from recbole.utils import FeatureType

    for feature_name in dataset.feat_name_list:
        frame = getattr(dataset, feature_name)
        for field in frame:
            kind = dataset.field2type[field]
            if kind == FeatureType.TOKEN:
                frame[field] = frame[field].fillna(0)
            elif kind == FeatureType.FLOAT:
                frame[field] = frame[field].fillna(frame[field].mean())
            else:
                dtype = np.int64 if kind == FeatureType.TOKEN_SEQ else np.float64
                # A missing sequence is the float nan; present ones are arrays.
                frame[field] = [
                    np.empty(0, dtype=dtype) if isinstance(value, float) else value
                    for value in frame[field]
                ]


def mend_fill_missing() -> None:
    """Make missing token and float features 0 and the mean, as RecBole documents."""

    def patch(module: ModuleType) -> None:
        module.Dataset._fill_nan = fill_missing

    after_import(HOST_DATASET, patch)


def mend_missing_sequences() -> None:
    """Read a missing `*_seq` value as an empty text, which RecBole splits into no elements."""

    def patch(module: ModuleType) -> None:
        import pandas as pd

        def read_csv(*args: Any, **kwargs: Any) -> pd.DataFrame:
            frame: pd.DataFrame = pd.read_csv(*args, **kwargs)
            sequences = [name for name in frame if str(name).endswith(SEQUENCE_TYPES)]
            return frame.fillna(dict.fromkeys(sequences, ""))

        module.pd = ModuleStandIn(pd, read_csv=read_csv)  # type: ignore[attr-defined]

    after_import(HOST_DATASET, patch)
