"""Metrics of every user, from RecBole's own metric classes while they compute the mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from recbole.evaluator.base_metric import TopkMetric
from recbole.evaluator.evaluator import Evaluator


class RecordingEvaluator(Evaluator):  # type: ignore[misc]
    """RecBole's evaluator that keeps what each top-k metric averages.

    Attributes:
        per_user: `metric@k` -> value of each evaluated user `(n_users,)`, in the order of the
            last evaluation's batches. Metrics over all users at once, such as item coverage,
            have no entry.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.per_user: dict[str, np.ndarray] = {}
        for metric in self.metric_class.values():
            if isinstance(metric, TopkMetric):
                self._listen_to(metric)

    def _listen_to(self, metric: TopkMetric) -> None:
        """Keep the values `(n_users, max k)` that a metric hands over to be averaged."""
        host = metric.topk_result

        def topk_result(name: str, value: np.ndarray) -> dict[str, float]:
            for k in metric.topk:
                self.per_user[f"{name}@{k}"] = np.asarray(value[:, k - 1], dtype=np.float64)
            result: dict[str, float] = host(name, value)
            return result

        metric.topk_result = topk_result

    def evaluate(self, dataobject: Any) -> dict[str, float]:
        """Compute all metrics, as RecBole does, and renew `per_user`."""
        self.per_user = {}
        return {name: float(value) for name, value in super().evaluate(dataobject).items()}


@contextmanager
def recording(trainer: Any) -> Iterator[RecordingEvaluator]:
    """Let a trainer's evaluations inside the block keep their per-user values."""
    before = trainer.evaluator
    recorder = RecordingEvaluator(trainer.config)
    trainer.evaluator = recorder
    try:
        yield recorder
    finally:
        trainer.evaluator = before


def evaluate_recorded(trainer: Any, loader: Any) -> tuple[dict[str, float], pd.DataFrame]:
    """Evaluate the trainer's present weights on one test set.

    Args:
        trainer: a RecBole trainer.
        loader: a RecBole loader of a test set.

    Returns:
        Metrics by name, and a table of `user_id` (raw token) and one column a top-k metric, one
        row an evaluated user (a target, where a sequential model predicts several a user).
    """
    with recording(trainer) as recorder:
        metrics = trainer.evaluate(loader, load_best_model=False, show_progress=False)
    if not recorder.per_user:
        return dict(metrics), pd.DataFrame({"user_id": pd.Series(dtype=str)})
    dataset = loader._dataset
    users = dataset.id2token(dataset.uid_field, evaluated_users(loader))
    return dict(metrics), pd.DataFrame({"user_id": users, **recorder.per_user})


def evaluated_users(loader: Any) -> np.ndarray:
    """Return the internal user id of every row that an evaluation of this loader ranks."""
    users = getattr(loader, "uid_list", None)
    if users is None:
        users = loader._dataset.inter_feat[loader._dataset.uid_field]
    return np.asarray(users)
