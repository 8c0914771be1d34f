from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from recbole.utils import ModelType

import recbole_invariant as ri
from recbole_invariant.evaluation.cold import why_not_scored
from tests.host import write_toy

QUICK: dict[str, Any] = {"epochs": 1, "show_progress": False, "ood": "popularity"}


def cold(kind: str, uses: bool, model_type: ModelType, columns: list[str] | None) -> str | None:
    table = None if columns is None else SimpleNamespace(columns=columns)
    dataset = SimpleNamespace(item_feat=table, user_feat=None)
    model = SimpleNamespace(uses_item_features=uses)
    config = {"MODEL_TYPE": model_type, "model": "M"}
    return why_not_scored("ood_cold", kind, model, config, dataset)


@pytest.mark.parametrize(
    ("kind", "uses", "model_type", "columns", "scored"),
    [
        ("items", True, ModelType.GENERAL, None, True),
        ("items", False, ModelType.GENERAL, ["item_id", "class"], False),
        ("items", False, ModelType.CONTEXT, ["item_id", "class"], True),
        ("items", False, ModelType.CONTEXT, ["item_id"], False),
        ("users", True, ModelType.GENERAL, ["item_id", "class"], False),
        ("users", False, ModelType.CONTEXT, ["item_id", "class"], False),
    ],
)
def test_who_can_score_what_was_never_trained(
    kind: str, uses: bool, model_type: ModelType, columns: list[str] | None, scored: bool
) -> None:
    reason = cold(kind, uses, model_type, columns)
    assert (reason is None) == scored
    assert scored or f"held-out {kind} are never trained" in str(reason)


def test_a_cold_test_is_left_out_with_a_note(tmp_path: Path) -> None:
    write_toy(tmp_path)
    options = {**QUICK, "ood": "cold", "data_path": str(tmp_path)}
    result = ri.run("BPR", "toy", options, output_dir=tmp_path / "runs")
    assert "ood_cold" not in result.metrics
    assert "ood_cold is not measured for BPR" in result.table


def test_context_aware_models_rank_on_the_split_of_general_ones(tmp_path: Path) -> None:
    write_toy(tmp_path, ratings=True)
    shared = {
        **QUICK,
        "data_path": str(tmp_path),
        "load_col": {"inter": ["user_id", "item_id", "rating"]},
        "positive_threshold": 2,
        "popularity_n_max": 4,
    }
    ranking = {
        "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "mode": "full"},
        "metrics": ["Recall", "NDCG"],
        "topk": [10],
        "valid_metric": "NDCG@10",
        "train_neg_sample_args": {"distribution": "uniform", "sample_num": 1},
    }
    records = [
        ri.run(name, "toy", {**shared, **ranking}, output_dir=tmp_path / "runs").record
        for name in ("BPR", "FM")
    ]
    assert records[0]["split_checksum"] == records[1]["split_checksum"]


def test_slices_and_curves_of_a_run_agree_with_its_metrics(tmp_path: Path) -> None:
    write_toy(tmp_path)
    options = {**QUICK, "data_path": str(tmp_path), "popularity_n_max": 4, "topk": [5, 10]}
    options |= {"valid_metric": "NDCG@10", "curve_k": 20}
    record = ri.run("Pop", "toy", options, output_dir=tmp_path / "runs").record
    for test in ("iid", "ood_popularity"):
        metrics = record["metrics"][test]
        curve = record["curves"][test]["recall"]
        assert len(curve) == 20
        assert curve[9] == pytest.approx(metrics["recall@10"], abs=1e-9)
        groups = record["slices"][test]
        users = groups["users"].values()
        mean = np.average(
            [part["metrics"]["ndcg@10"] for part in users],
            weights=[part["n_users"] for part in users],
        )
        assert mean == pytest.approx(metrics["ndcg@10"], abs=1e-9)
        positives = sum(part["n_positives"] for part in groups["items"].values())
        assert positives == record["n_interactions"][test]


def test_what_no_model_can_score_selects_nothing(tmp_path: Path) -> None:
    write_toy(tmp_path)
    options = {**QUICK, "ood": "cold", "data_path": str(tmp_path), "selection": "ood_valid"}
    with pytest.raises(ri.errors.InputError, match=r"never trained.*set selection: valid"):
        ri.run("BPR", "toy", options, output_dir=tmp_path / "runs")
    assert not list((tmp_path / "runs").iterdir())
