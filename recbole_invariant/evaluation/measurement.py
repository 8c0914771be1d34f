"""What is measured on a run's tests once selection is over."""

from dataclasses import dataclass, field
from logging import getLogger
from typing import Any

import numpy as np
import pandas as pd

from recbole_invariant.evaluation.cold import unscored
from recbole_invariant.evaluation.curves import metric_curves
from recbole_invariant.evaluation.ranked import Ranked, pair_labels
from recbole_invariant.evaluation.recording import evaluate_recorded
from recbole_invariant.evaluation.slices import slice_metrics
from recbole_invariant.evaluation.truth import test_environments
from recbole_invariant.preparation import Prepared

Metrics = dict[str, dict[str, float]]


@dataclass
class Measured:
    """Results by test set.

    Attributes:
        metrics: metric -> value.
        per_user: `user_id` and metric columns, one row a user.
        slices: group -> slice -> sizes and metrics.
        curves: `recall`, `ndcg` at k = 1, 2, ...
        seconds: wall time.
        notes: why a test was not measured.
    """

    metrics: Metrics = field(default_factory=dict)
    per_user: dict[str, pd.DataFrame] = field(default_factory=dict)
    slices: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return what `run.json` says beside the metrics."""
        return {
            "slices": self.slices,
            "curves": self.curves,
            "notes": self.notes,
            "evaluation_seconds": self.seconds,
        }


def measure_tests(trainer: Any, data: Prepared) -> Measured:
    """End the selection: open the tests and measure the present weights on each.

    Args:
        trainer: a RecBole trainer that holds the selected weights.
        data: the run's data; its tests are opened.
    """
    config, measured = trainer.config, Measured()
    user_counts, item_counts = data.parts.counts()
    for name, loader in data.loaders.tests.open().items():
        reason = unscored(name, data.parts, trainer.model, config, data.dataset)
        if reason is not None:
            measured.notes.append(reason)
            getLogger().warning(reason)
            continue
        found = evaluate_recorded(trainer, loader)
        measured.metrics[name], measured.per_user[name] = found.metrics, found.per_user
        measured.seconds[name] = found.seconds
        if found.ranked is None:
            continue
        measured.slices[name] = slice_metrics(
            found.ranked,
            item_counts,
            user_counts,
            config["metrics"],
            config["topk"],
            environments_of(data, name, found.ranked),
            config["valid_metric"],
        )
        if config["curve_k"]:
            measured.curves[name] = metric_curves(found.ranked, config["curve_k"])
    return measured


def environments_of(data: Prepared, name: str, ranked: Ranked) -> np.ndarray | None:
    """Return the true environment of each positive of a test, where the data set knows it."""
    part = data.parts.tests[name]
    environments = test_environments(part, name)
    if environments is None:
        return None
    users, items = (np.asarray(part.inter_feat[f]) for f in (part.uid_field, part.iid_field))
    return pair_labels(ranked, users.astype(np.int64), items, np.asarray(environments))
