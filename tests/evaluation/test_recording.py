from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recbole.evaluator.collector import DataStruct
from recbole.model.general_recommender import BPR
from recbole.trainer import Trainer

from recbole_invariant.compat.libraries import set_missing_numpy_aliases
from recbole_invariant.evaluation.protocol import make_loaders
from recbole_invariant.evaluation.recording import (
    RecordingEvaluator,
    evaluate_recorded,
    evaluated_users,
)
from tests.host import cut_toy, host_config, pairs, write_toy

set_missing_numpy_aliases()  # as every Config does; not all tests here make one
METRICS = ["Recall", "MRR", "NDCG", "Hit", "Precision", "MAP"]


class Options(dict[str, Any]):
    """A config as far as RecBole's evaluator reads one."""


@given(
    hits=st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=20),
    more=st.lists(st.integers(1, 5), min_size=20, max_size=20),
)
def test_means_of_users_are_recboles_results(hits: list[list[bool]], more: list[int]) -> None:
    options = Options(metrics=METRICS, topk=[2, 5], metric_decimal_place=12)
    struct = DataStruct()
    lengths = [[sum(row) + more[k]] for k, row in enumerate(hits)]
    struct.set("rec.topk", torch.tensor([[*row, *n] for row, n in zip(hits, lengths, strict=True)]))
    recorder = RecordingEvaluator(options)
    result = recorder.evaluate(struct)
    assert set(recorder.per_user) == set(result)
    for name, value in result.items():
        assert recorder.per_user[name].shape == (len(hits),)
        assert recorder.per_user[name].mean() == pytest.approx(value, abs=1e-9)
    for user, row in enumerate(hits):
        assert recorder.per_user["recall@5"][user] == sum(row) / lengths[user][0]
        assert recorder.per_user["precision@2"][user] == sum(row[:2]) / 2
        first = row.index(True) + 1 if any(row) else np.inf
        assert recorder.per_user["mrr@5"][user] == pytest.approx(1 / first)


def trained(config: Any) -> tuple[Any, Any, Any]:
    whole, parts = cut_toy(config)
    torch.manual_seed(0)
    trainer = Trainer(config, BPR(config, parts.train))
    return trainer, parts, make_loaders(config, whole, parts)


def test_a_table_has_each_user_by_token_and_the_trainer_keeps_its_evaluator(
    tmp_path: Path,
) -> None:
    write_toy(tmp_path)
    trainer, parts, loaders = trained(host_config("BPR", tmp_path))
    before = trainer.evaluator
    evaluated = evaluate_recorded(trainer, loaders.tests.open()["iid"])
    metrics, table = evaluated.metrics, evaluated.per_user
    assert trainer.evaluator is before
    test = parts.tests["iid"]
    users = {str(test.id2token("user_id", user)) for user, _ in pairs(test)}
    assert sorted(table["user_id"]) == sorted(users)
    for name, value in metrics.items():
        assert table[name].mean() == pytest.approx(value, abs=1e-9)


def test_a_users_row_is_that_users(tmp_path: Path) -> None:
    write_toy(tmp_path)
    trainer, parts, loaders = trained(host_config("BPR", tmp_path))
    table = evaluate_recorded(trainer, loaders.tests.open()["ood_popularity"]).per_user
    test, seen = parts.tests["ood_popularity"], pairs(parts.train) | pairs(parts.valid)
    scores = trainer.model.full_sort_predict({"user_id": torch.arange(test.user_num)}).view(
        test.user_num, -1
    )
    for user, token in zip(
        evaluated_users(loaders.tests["ood_popularity"]), table["user_id"], strict=True
    ):
        own = scores[user].clone()
        own[[0, *(item for u, item in seen if u == user)]] = -torch.inf
        top = own.topk(10).indices.tolist()
        relevant = {item for u, item in pairs(test) if u == user}
        row = table[table["user_id"] == token].iloc[0]
        assert row["recall@10"] == pytest.approx(len(relevant & set(top)) / len(relevant))
        assert row["hit@5"] == float(bool(relevant & set(top[:5])))


def test_metrics_over_all_users_at_once_have_no_column(tmp_path: Path) -> None:
    write_toy(tmp_path)
    config = host_config("BPR", tmp_path, metrics=["Recall", "ItemCoverage", "GiniIndex"])
    trainer, _, loaders = trained(config)
    trainer.eval_collector.data_collect(loaders.train)
    evaluated = evaluate_recorded(trainer, loaders.tests.open()["iid"])
    metrics, table = evaluated.metrics, evaluated.per_user
    assert "itemcoverage@10" in metrics
    assert list(table.columns) == ["user_id", "recall@5", "recall@10"]


def test_sampled_candidates_are_recorded_too(tmp_path: Path) -> None:
    write_toy(tmp_path)
    config = host_config("BPR", tmp_path, eval_args={"mode": "uni10"})
    trainer, _, loaders = trained(config)
    evaluated = evaluate_recorded(trainer, loaders.tests.open()["iid"])
    metrics, table = evaluated.metrics, evaluated.per_user
    assert table["recall@10"].mean() == pytest.approx(metrics["recall@10"], abs=1e-9)
    assert table["user_id"].is_unique
