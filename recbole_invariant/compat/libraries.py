"""Mends for names and behaviour that numpy, scipy and pandas have dropped."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from recbole_invariant.compat.after_import import after_import

NUMPY_ALIASES = {
    "bool": "bool_",
    "int": "int_",
    "float": "float64",
    "complex": "complex128",
    "object": "object_",
    "str": "str_",
    "long": "int_",
    "unicode": "str_",
}
"""Old numpy name -> the scalar type that RecBole means by it."""


def set_missing_numpy_aliases(*_: object) -> None:
    """Give numpy the aliases RecBole uses, leaving every name that numpy still has.

    Takes and ignores a `Config`, since it stands in for `Config.compatibility_settings`.
    """
    import numpy as np

    for alias, scalar in NUMPY_ALIASES.items():
        if alias not in vars(np):
            setattr(np, alias, getattr(np, scalar))


def mend_numpy_aliases() -> None:
    """Make `Config` set only the numpy aliases that are missing, under names that exist."""

    def patch(configurator: ModuleType) -> None:
        configurator.Config.compatibility_settings = set_missing_numpy_aliases

    after_import("recbole.config.configurator", patch)


def mend_dok_update() -> None:
    """Give `scipy.sparse.dok_matrix` back its unchecked bulk update."""
    from scipy.sparse import dok_matrix

    if not hasattr(dok_matrix, "_update"):

        def update(self: Any, entries: dict[tuple[int, int], float]) -> None:
            self._dict.update(entries)

        dok_matrix._update = update


def mend_series_agg_len() -> None:
    """Make `series.agg(len)` called from RecBole give one length a row, as pandas 2 did.

    Callers outside RecBole keep pandas' own meaning.
    """
    import pandas as pd

    series: Any = pd.Series
    pandas_agg: Callable[..., Any] = series.agg
    if getattr(pandas_agg, "mended_by_recbole_invariant", False):
        return

    def agg(self: Any, func: Any = None, *args: Any, **kwargs: Any) -> Any:
        if func is len and sys._getframe(1).f_globals.get("__name__", "").startswith("recbole."):
            return self.map(len)
        return pandas_agg(self, func, *args, **kwargs)

    agg.mended_by_recbole_invariant = True  # type: ignore[attr-defined]
    series.agg = agg
