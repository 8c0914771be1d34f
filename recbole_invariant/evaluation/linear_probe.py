"""What a representation says of an attribute: how well a linear model reads it off (a probe).

Alain & Bengio, "Understanding intermediate layers using linear classifier probes", 2016. Here the
classifier is ridge regression, which has a closed form, and its quality is the area under the ROC
curve, which does not depend on how common a value is.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_ROWS = 20
"""A value that fewer rows have, or fewer lack, is not probed."""

MOST_VALUES = 20
"""Values probed at most, the most common ones."""

RIDGE = 10.0
"""Penalty on the squared weights of standardised columns, against a sum of squares over rows."""


def probe_tokens(
    representations: ArrayLike, tokens: ArrayLike, generator: torch.Generator
) -> float | None:
    """Probe for an attribute with one or several values a row.

    Args:
        representations: `(rows, dim)`.
        tokens: ids of the values `(rows,)` or `(rows, k)`, 0 for none; rows without any are left
            out.
        generator: draws the halves.

    Returns:
        As `probe`.
    """
    ids = np.asarray(tokens, dtype=np.int64)
    ids = ids.reshape(len(ids), -1)
    known = (ids > 0).any(axis=1)
    rows = np.asarray(representations, dtype=np.float64)[known]
    return probe(rows, common_values(ids[known]), generator)


def common_values(tokens: NDArray[np.int64]) -> Flags:
    """Say which rows have which value, of the values that can be probed.

    Args:
        tokens: `(rows, k)`, 0 for none; a value that stands in a row twice counts once.

    Returns:
        `(rows, n_values)`, most common first and of equally common ones the lowest id; n_values is
        `MOST_VALUES` at most, and 0 where all values are too rare or too common.
    """
    ordered = np.sort(tokens, axis=1)
    first = np.diff(ordered, axis=1, prepend=-1) != 0
    values, counts = np.unique(ordered[first & (ordered > 0)], return_counts=True)
    enough = (counts >= LEAST_ROWS) & (counts <= len(tokens) - LEAST_ROWS)
    chosen = values[enough][np.argsort(-counts[enough], kind="stable")][:MOST_VALUES]
    return np.asarray((tokens[:, :, None] == chosen).any(axis=1))


def probe(
    representations: ArrayLike, labels: ArrayLike, generator: torch.Generator
) -> float | None:
    """Measure how well labels are read off representations by a linear model.

    Rows are cut into two halves at random. Each half is scored by the ridge regression of the
    other (one against the rest, columns standardised by the half that is fitted), so no row is
    judged by a model that saw it.

    Args:
        representations: `(rows, dim)`.
        labels: `(rows, n_values)` bool.
        generator: draws the halves; the same seed gives the same result.

    Returns:
        Mean AUC over halves and values in [0, 1]: .5 on average where nothing can be read, 1 where
        everything can. None where there is no value, or none that both halves have and lack.
    """
    x = np.asarray(representations, dtype=np.float64)
    y = np.asarray(labels, dtype=bool)
    if len(x) < 2 or not y.any():
        return None
    halves = np.array_split(torch.randperm(len(x), generator=generator).numpy(), 2)
    found = [
        ranking_auc(ridge_scores(x[fitted], y[fitted], x[held]), y[held])
        for fitted, held in (halves, halves[::-1])
    ]
    both = np.mean(found, axis=0)
    measured = both[~np.isnan(both)]
    return float(measured.mean()) if measured.size else None


def ridge_scores(x: Floats, y: Flags, asked: Floats, ridge: float = RIDGE) -> Floats:
    """Fit ridge regression of flags on standardised columns and score other rows.

    Args:
        x: `(rows, dim)`; a constant column has no weight.
        y: `(rows, n_values)`.
        asked: `(m, dim)`.
        ridge: penalty, > 0.

    Returns:
        `(m, n_values)`.
    """
    mean, spread = x.mean(axis=0), x.std(axis=0)
    # rounding leaves a constant column with a spread of about 1e-16 of its size
    constant = spread <= 1e-10 * np.abs(mean)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=~constant & (spread > 0))
    columns = (x - mean) * scale
    level = y.mean(axis=0)
    gram = columns.T @ columns + ridge * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, columns.T @ (y - level))
    return np.asarray(((asked - mean) * scale) @ weights + level)


def ranking_auc(scores: Floats, labels: Flags) -> Floats:
    """Compute the area under the ROC curve of every column (the Mann-Whitney statistic).

    Args:
        scores: `(rows, n_values)`; equal scores count half.
        labels: `(rows, n_values)`.

    Returns:
        `(n_values,)`, NaN where a column has only one kind of label.
    """
    n_with = labels.sum(axis=0).astype(np.float64)
    pairs = n_with * (len(labels) - n_with)
    ranks = np.where(labels, rankdata(scores, axis=0), 0.0).sum(axis=0)
    above = ranks - n_with * (n_with + 1) / 2
    return np.divide(above, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
