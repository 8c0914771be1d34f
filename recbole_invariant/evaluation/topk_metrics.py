"""RecBole's top-k metric classes, called on hits instead of on a whole evaluation."""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
from recbole.evaluator.base_metric import TopkMetric
from recbole.evaluator.register import metrics_dict

from recbole_invariant.compat.libraries import set_missing_numpy_aliases


def per_user_values(metric: str, hits: np.ndarray, n_positives: np.ndarray) -> np.ndarray:
    """Compute a metric of every ranking at every length.

    Args:
        metric: RecBole's name, in any case, e.g. `NDCG`.
        hits: whether the item at each place is a positive `(n, K)`.
        n_positives: number of positives of each ranking `(n,)`, at least 1.

    Returns:
        Values at k = 1 ... K, `(n, K)`.

    Raises:
        KeyError: not a top-k metric.
    """
    set_missing_numpy_aliases()  # RecBole's classes use np.float; a Config may not have been made
    if not is_topk_metric(metric):
        raise KeyError(f"{metric} is no top-k metric of RecBole")
    options: dict[str, Any] = {"topk": [hits.shape[1]], "metric_decimal_place": 10}
    counted = metrics_dict[metric.lower()](options)
    arguments = (hits, n_positives)[: len(inspect.signature(counted.metric_info).parameters)]
    return np.asarray(counted.metric_info(*arguments), dtype=np.float64)


def mean_values(
    metrics: Sequence[str], topk: Sequence[int], hits: np.ndarray, n_positives: np.ndarray
) -> dict[str, float]:
    """Average metrics over rankings.

    Args:
        metrics: RecBole's names; those that are no top-k metrics are left out.
        topk: lengths; those longer than the rankings are left out.
        hits: whether the item at each place is a positive `(n, K)`.
        n_positives: number of positives of each ranking `(n,)`, at least 1.

    Returns:
        `metric@k` -> mean; empty where there is no ranking.
    """
    kept = sorted(k for k in topk if k <= hits.shape[1])
    if not len(hits) or not kept:
        return {}
    means: dict[str, float] = {}
    for metric in filter(is_topk_metric, metrics):
        values = per_user_values(metric, hits[:, : kept[-1]], n_positives)
        means |= {f"{metric.lower()}@{k}": float(values[:, k - 1].mean()) for k in kept}
    return means


def is_topk_metric(metric: str) -> bool:
    """Whether RecBole computes a metric from hits alone."""
    return issubclass(metrics_dict.get(metric.lower(), object), TopkMetric)
