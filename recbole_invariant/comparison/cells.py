"""How tables of means show a value."""

import math

import pandas as pd

MIN_SEEDS = 3
"""Of fewer seeds the tables here show no interval; with two it is 12.7 standard errors a side."""

Grid = tuple[list[str], list[list[str]]]
"""Header, in which `|` is where it may be broken, and lines."""


def show_value(row: pd.Series | None, n_seeds: int, sign: str, plus: str = "") -> str:
    """Show a mean and half its interval, with the number of seeds where some are missing.

    There is no interval of fewer than `MIN_SEEDS` seeds; `plus` is `+` where every value is to have
    its sign.
    """
    if row is None:
        return ""
    half = (row["high"] - row["low"]) / 2
    text = f"{row['mean']:{plus}.4f}"
    if row["n_seeds"] >= MIN_SEEDS and not math.isnan(half):
        text += f" {sign} {half:.4f}"
    return text if row["n_seeds"] == n_seeds else f"{text} (n={row['n_seeds']})"
