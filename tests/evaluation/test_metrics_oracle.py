"""Metrics against trec_eval, through ir-measures, on rankings with equal scores.

Equal scores: the order is the collector's, which is RecBole's, which is that of `torch.topk`.
A library has another rule for them (trec_eval sorts by document name), so it is given each
ranking as the collector left it, with scores that fall by one a place; that the collector's order
is one of non-increasing scores is asserted beside it.

Two of RecBole's metrics are defined otherwise: MAP@k divides by min(number of positives, k), not
by the number of positives; and the library's names are R, nDCG, P, RR, AP and Success.
"""

from collections import defaultdict
from typing import Any

import ir_measures
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG

from recbole_invariant.compat.libraries import set_missing_numpy_aliases
from recbole_invariant.evaluation.collector import TopKCollector
from recbole_invariant.evaluation.curves import metric_curves
from recbole_invariant.evaluation.recording import RecordingEvaluator

set_missing_numpy_aliases()
NAMES = {"recall": R, "ndcg": nDCG, "precision": P, "mrr": RR, "map": AP, "hit": Success}
TOPK = [1, 5, 10]


class Options(dict[str, Any]):
    """A config as far as RecBole's collector and evaluator read one."""

    def __missing__(self, key: str) -> None:
        return None


def library_values(
    top: np.ndarray, positives: list[set[int]]
) -> dict[str, dict[int, dict[int, float]]]:
    """Metric name -> k -> row -> value."""
    qrels = {str(row): {str(item): 1 for item in own} for row, own in enumerate(positives)}
    run = {
        str(row): {str(item): float(-place) for place, item in enumerate(items)}
        for row, items in enumerate(top)
    }
    found: dict[str, dict[int, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for name, measure in NAMES.items():
        for k in TOPK:
            for value in ir_measures.iter_calc([measure @ k], qrels, run):
                row = int(value.query_id)
                scale = len(positives[row]) / min(len(positives[row]), k) if name == "map" else 1.0
                found[name][k][row] = value.value * scale
    return found


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_levels=st.sampled_from([1, 2, 6, 10**6]),
    n_rows=st.integers(1, 6),
    n_items=st.sampled_from([11, 40]),
)
def test_every_value_is_the_librarys(seed: int, n_levels: int, n_rows: int, n_items: int) -> None:
    rng = np.random.default_rng(seed)
    options = Options(
        metrics=list(NAMES),
        topk=TOPK,
        metric_decimal_place=12,
        eval_args={"mode": "full"},
        device="cpu",
    )
    scores = torch.from_numpy(rng.integers(0, n_levels, (n_rows, n_items))).float()
    scores[:, 0] = -torch.inf
    positives = [set(rng.choice(np.arange(1, n_items), rng.integers(1, 11), False).tolist())
                 for _ in range(n_rows)]  # fmt: skip
    rows, items = zip(*((r, i) for r, own in enumerate(positives) for i in own), strict=True)
    collector, evaluator = TopKCollector(options, keep=10), RecordingEvaluator(options)
    kept = scores.clone()
    collector.eval_batch_collect(scores, None, torch.tensor(rows), torch.tensor(items))
    means = evaluator.evaluate(collector.get_data_struct())
    ranked = collector.ranked(np.arange(n_rows))
    assert ranked is not None
    in_order = kept.gather(1, torch.from_numpy(ranked.top_items))
    assert torch.equal(in_order, kept.sort(dim=1, descending=True).values[:, :10])
    library = library_values(ranked.top_items, positives)
    curves = metric_curves(ranked, up_to=10)
    for name in NAMES:
        for k in TOPK:
            expected = np.array([library[name][k][row] for row in range(n_rows)])
            assert evaluator.per_user[f"{name}@{k}"] == pytest.approx(expected, abs=1e-9)
            assert means[f"{name}@{k}"] == pytest.approx(expected.mean(), abs=1e-9)
            if name in curves:
                assert curves[name][k - 1] == pytest.approx(expected.mean(), abs=1e-9)
