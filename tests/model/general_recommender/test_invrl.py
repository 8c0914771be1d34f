"""InvRL keeps the contract and is nothing but option values of PaInvRL."""

from pathlib import Path
from typing import Any

import torch

from recbole_invariant.config import build_config
from tests.contracts import ModelContract, write_features
from tests.host import write_toy
from tests.model.general_recommender.test_painvrl import SHORT, same_weights


class TestInvRL(ModelContract):
    """The contract, on InvRL's own options: environments from scratch, no attention."""

    name = "InvRL"
    options = SHORT

    def test_the_mask_is_the_last_iterations(self, after: Any) -> None:
        model, trainer, _ = after
        names = [record["name"] for record in trainer.stage_records]
        assert names == ["pretrain", "identify 1", "mask 1", "identify 2", "mask 2", "final"]
        assert torch.equal(model.invariant_mask, trainer.workspace.mask)

    def test_history_logs_sizes_and_changes(self, after: Any) -> None:
        lines, rows = after[1].history.lines, len(after[2].parts.train.inter_feat)
        named = [line for line in lines if "environment_sizes" in line]
        assert named
        assert all(sum(line["environment_sizes"]) == rows for line in named)
        assert all(0 <= line["labels_changed"] <= rows for line in named)


def test_is_painvrl_with_the_variants_options(tmp_path: Path) -> None:
    write_toy(tmp_path)
    write_features(tmp_path)
    one = type("One", (ModelContract,), {"name": "InvRL", "options": SHORT})()
    variant: dict[str, Any] = {**SHORT, "variant": "invrl"}
    other = type("Other", (ModelContract,), {"name": "PaInvRL", "options": variant})()
    invrl, _, _ = one.trained(tmp_path)
    painvrl, _, _ = other.trained(tmp_path)
    assert same_weights(invrl, painvrl)
    assert float(torch.std(invrl.invariant_mask)) > 0


def test_options_are_those_of_the_public_code() -> None:
    config = build_config("InvRL", "ml-100k")
    expected = {
        "pareto": "fixed",
        "attention": False,
        "neighbour_weight": 0.0,
        "positive_graph_weight": 1.0,
        "negative_graph_weight": 1.0,
        "him_scratch": True,
        "him_mode": "l1",
        "project_mask": False,
        "variance_reduction": "sum",
        "penalty_gate": "unclipped",
        "mask_init": 0.5,
        "n_environments": 10,
    }
    assert {key: config[key] for key in expected} == expected
