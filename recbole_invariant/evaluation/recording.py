"""Metrics of every user, from RecBole's own metric classes while they compute the mean."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from recbole.evaluator.base_metric import TopkMetric
from recbole.evaluator.evaluator import Evaluator
from recbole.utils import EvaluatorType

from recbole_invariant.evaluation.collector import TopKCollector
from recbole_invariant.evaluation.ranked import Ranked


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


@dataclass(frozen=True)
class Evaluated:
    """What one test says of a trainer's present weights.

    Attributes:
        metrics: means by name, as RecBole's evaluator gives them.
        per_user: `user_id` (raw token) and one column a top-k metric, one row a ranking: a user,
            or a target where RecBole's own split has several a user.
        ranked: the rankings, or None where the metrics are of values.
        seconds: wall time of scoring, ranking and measuring.
    """

    metrics: dict[str, float]
    per_user: pd.DataFrame = field(repr=False)
    ranked: Ranked | None = field(repr=False)
    seconds: float


@contextmanager
def recording(trainer: Any) -> Iterator[tuple[RecordingEvaluator, TopKCollector]]:
    """Let a trainer's evaluations inside the block keep per-user values and rankings."""
    before = trainer.evaluator, trainer.eval_collector
    recorder = RecordingEvaluator(trainer.config)
    collector = TopKCollector(trainer.config, keep=trainer.config["curve_k"] or 1)
    collector.data_struct = trainer.eval_collector.data_struct
    trainer.evaluator, trainer.eval_collector = recorder, collector
    try:
        yield recorder, collector
    finally:
        trainer.evaluator, trainer.eval_collector = before


def evaluate_recorded(trainer: Any, loader: Any) -> Evaluated:
    """Evaluate the trainer's present weights on one test set.

    Args:
        trainer: a RecBole trainer.
        loader: a RecBole loader of a test set.
    """
    begun = time.perf_counter()
    with recording(trainer) as (recorder, collector):
        metrics = trainer.evaluate(loader, load_best_model=False, show_progress=False)
    seconds = time.perf_counter() - begun
    ranks = trainer.config["eval_type"] == EvaluatorType.RANKING
    users = evaluated_users(loader) if ranks else np.empty(0, dtype=np.int64)
    ranked = collector.ranked(users) if ranks else None
    if not recorder.per_user:
        table = pd.DataFrame({"user_id": pd.Series(dtype=str)})
    else:
        dataset = loader._dataset
        table = pd.DataFrame(
            {"user_id": dataset.id2token(dataset.uid_field, users), **recorder.per_user}
        )
    return Evaluated(dict(metrics), table, ranked, round(seconds, 4))


def evaluated_users(loader: Any) -> np.ndarray:
    """Return the internal user id of every row that an evaluation of this loader ranks."""
    users = getattr(loader, "uid_list", None)
    if users is None:
        users = loader._dataset.inter_feat[loader._dataset.uid_field]
    return np.asarray(users)
