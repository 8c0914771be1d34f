"""Which stages PaInvRL has by its options, and what mask they hand to the last one."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import recbole_invariant as ri
from recbole_invariant.config import build_config
from recbole_invariant.errors import InputError
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from recbole_invariant.trainer.given_epochs import give_epochs
from recbole_invariant.trainer.painvrl import PaInvRLTrainer
from recbole_invariant.training import build, fit
from tests.contracts import write_features
from tests.host import write_toy

GATED: dict[str, Any] = {
    "stability_gate": True,
    "gate_floor": 0.25,
    "gate_level": 0.999,  # flags enough dimensions for environments
    "gate_share": 0.0,
    "mask_tolerance": None,
    "reference_folds": 2,
    "reference_epochs": 1,
    "identification": "experts",
    "environment_source": "inferred",
    "mask_source": "learned",
    "outer_iterations": 1,
    "mask_init": 0.5,
}
SHORT: dict[str, Any] = {
    "epochs": 1,
    "eval_step": 1,
    "pretrain_epochs": 2,
    "n_environments": 2,
    "him_epochs": 1,
    "him_rounds": 1,
    "mask_epochs": 1,
    "train_batch_size": 128,
    "learning_rate": 0.01,
    "n_negatives": 5,
    "valid_metric": "NDCG@5",
    "topk": [5],
    "modalities": {"look": {"source": "npy"}},
    "show_progress": False,
    "use_gpu": False,
    "state": "ERROR",
}


ALONE: dict[str, Any] = {"outer_iterations": 0, "mask_init": 1.0, "gate_level": 0.4}
"""The gate is the mask, and flags some dimensions."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("stages")
    write_toy(path)
    write_features(path)
    return path


@pytest.fixture(scope="module")
def data(folder: Path) -> Any:
    return prepare(configured(folder, GATED), resolve("PaInvRL"))


def configured(folder: Path, options: dict[str, Any], model: str = "PaInvRL") -> Any:
    config = build_config(model, "toy", {"data_path": str(folder), **SHORT, **options})
    config["checkpoint_dir"] = str(folder / "saved")
    return config


def built(folder: Path, data: Any, options: dict[str, Any], model: str = "PaInvRL") -> Any:
    return build(configured(folder, options, model), resolve(model), data)[1]


def trained(folder: Path, data: Any, **changes: Any) -> Any:
    trainer = built(folder, data, {**GATED, **changes})
    fit(trainer.config, trainer, data)
    return trainer


IDENTIFIED = ["identify 1", "mask 1", "identify 2", "mask 2"]


@pytest.mark.parametrize(
    ("changes", "between"),
    [
        ({}, ["reference", "environments", "mask 1"]),
        ({"outer_iterations": 2}, ["reference", "environments", "mask 1", "mask 2"]),
        # the experts need the reference, whether or not there is a gate
        ({"stability_gate": False}, ["reference", "environments", "mask 1"]),
        ({"identification": "models", "outer_iterations": 2}, ["reference", *IDENTIFIED]),
        (
            {"identification": "models", "outer_iterations": 2, "stability_gate": False},
            IDENTIFIED,
        ),
        ({"outer_iterations": 0}, ["reference"]),
        ({"outer_iterations": 0, "stability_gate": False}, []),
        ({"outer_iterations": 0, "environment_source": "random"}, ["reference"]),
        ({"environment_source": "random"}, ["reference", "environments", "mask 1"]),
        (
            {"environment_source": "random", "stability_gate": False},
            ["environments", "mask 1"],
        ),
        ({"mask_source": "uniform"}, ["reference", "environments", "mask 1"]),
    ],
    ids=str,
)
def test_order_of_the_stages(
    folder: Path, data: Any, changes: dict[str, Any], between: list[str]
) -> None:
    trainer = built(folder, data, {**GATED, **changes})
    stages = trainer.plan_stages(data.loaders.train)
    assert [stage.name for stage in stages] == ["pretrain", *between, "final"]
    trainer = built(folder, data, {**GATED, **changes, "mask_tolerance": 0.1})
    optional = trainer.plan_stages(data.loaders.train)[len(stages) :]
    assert [stage.name for stage in optional] == ["final without mask"]


@pytest.mark.parametrize(
    ("model", "options"),
    [("PaInvRL", {"variant": "paper"}), ("PaInvRL", {"variant": "invrl"}), ("InvRL", {})],
)
def test_the_papers_have_no_reference_and_no_gate(
    folder: Path, data: Any, model: str, options: dict[str, Any]
) -> None:
    trainer = built(folder, data, options, model)
    names = [stage.name for stage in trainer.plan_stages(data.loaders.train)]
    rounds = [f"{kind} {n}" for n in range(1, 6) for kind in ("identify", "mask")]
    assert names == ["pretrain", *rounds, "final"]
    expected = {
        "stability_gate": False,
        "mask_tolerance": None,
        "identification": "models",
        "mask_source": "learned",
        "environment_source": "inferred",
        "outer_iterations": 5,
        "mask_init": 0.5,
        "mask_noise": 0.01,
        "pareto_norm": "none",
        "projection_start": "drawn",
        "projection_objective": "both",
        "warm_start_mask": False,
        "him_center_logits": False,
    }
    if options.get("variant") == "paper":
        expected |= {
            "attention": True,
            "attention_output": "sigmoid",
            "pareto": "adaptive",
            "mask_optimizer": "sgd",
            "mask_learning_rate": 1.0e-3,
            "mask_regularisation": 1.0,
            "mask_regularisation_growth": 1.0,
            "mask_regularisation_centre": 0.0,
        }
    assert {key: trainer.config[key] for key in expected} == expected


def test_the_run_says_what_the_gate_found(folder: Path) -> None:
    options = {"data_path": str(folder), **SHORT, **GATED, "baselines": []}
    result = ri.run("PaInvRL", "toy", config=options, output_dir=folder / "runs")
    assert result.run_dir is not None
    found = json.loads((result.run_dir / "run.json").read_text())["diagnostics"]
    stability = found["stability"]
    assert 4 <= sum(stability["flagged"]) <= 6
    assert all(len(stability[key]) == 6 for key in ("flagged", "score", "excess"))
    assert 0.3 <= found["reference_temperature"] <= 1.2
    lines = [json.loads(line) for line in (result.run_dir / "history.jsonl").open()]
    mask = next(line["mask_mean"] for line in lines if line["stage"] == "mask 1")
    assert 0.25 * mask - 1e-5 <= sum(found["invariant_mask"]) / 6 < mask
    assert sum(found["environment_sizes"]) == result.record["n_interactions"]["train"]


def test_without_a_gate_the_flags_change_nothing_but_are_told(folder: Path, data: Any) -> None:
    trainer = trained(folder, data, stability_gate=False)
    assert torch.equal(trainer.model.invariant_mask, trainer.workspace.mask)
    assert sum(trainer.diagnostics()["stability"]["flagged"]) >= 4


def test_the_gate_alone_is_the_mask(folder: Path, data: Any) -> None:
    trainer = trained(folder, data, **ALONE)
    flagged = trainer.workspace.stability.flagged
    assert 0 < int(flagged.sum()) < 6, "or the gate would be a shrink"
    expected = torch.where(flagged, 0.25, 1.0)
    assert torch.equal(trainer.model.invariant_mask, expected)
    assert trainer.diagnostics()["environment_sizes"] is None


@pytest.mark.parametrize("backbone", [0.0, 100.0])
def test_a_mask_that_costs_too_much_is_left_out_and_it_is_said(
    folder: Path, data: Any, monkeypatch: pytest.MonkeyPatch, backbone: float
) -> None:
    original = PaInvRLTrainer._end_pretraining

    def end_pretraining(self: PaInvRLTrainer) -> None:
        original(self)
        self.pretrained_score = backbone

    monkeypatch.setattr(PaInvRLTrainer, "_end_pretraining", end_pretraining)
    trainer = trained(folder, data, **ALONE, mask_tolerance=0.1)
    assert int(trainer.workspace.stability.flagged.sum()) > 0
    stages, mask = list(epochs(trainer)), trainer.model.invariant_mask
    if backbone == 0.0:
        assert stages == ["pretrain", "reference", "final"]
        assert torch.equal(mask, trainer.workspace.stability.gate)
        assert trainer.notes() == []
    else:
        assert stages == ["pretrain", "reference", "final", "final without mask"]
        assert torch.equal(mask, torch.ones(6))
        assert "trained again without it" in trainer.notes()[0]


def test_uniform_has_the_strength_of_mask_times_gate_everywhere(folder: Path, data: Any) -> None:
    trainer = trained(folder, data, mask_source="uniform", gate_level=0.4)
    learned = trainer.workspace.mask * trainer.workspace.stability.gate
    assert float(learned.std()) > 0
    found = trainer.model.invariant_mask
    assert torch.equal(found, found[:1].expand(6))
    assert float(found.norm()) == pytest.approx(float(learned.norm()), rel=1e-5)


def test_a_decay_that_the_reference_cannot_have_is_refused(folder: Path, data: Any) -> None:
    with pytest.raises(InputError, match=r"weight_decay_scope: batch.*stability_gate"):
        trained(folder, data, weight_decay_scope="batch")


def test_given_environments_go_with_the_gate(folder: Path, data: Any) -> None:
    trainer = trained(folder, data, environment_source="random")
    assert len(trainer.workspace.labels) == len(data.parts.train.inter_feat)
    expected = trainer.workspace.mask * trainer.workspace.stability.gate
    assert torch.equal(trainer.model.invariant_mask, expected)


def epochs(trainer: Any) -> dict[str, int]:
    return {record["name"]: record["epochs"] for record in trainer.stage_records}


def test_the_reference_trains_as_long_as_pretraining_needed(folder: Path, data: Any) -> None:
    trainer = trained(folder, data, reference_epochs=0, pretrain_epochs=5, learning_rate=0.5)
    best = next(one["best_epoch"] for one in trainer.stage_records if one["name"] == "pretrain")
    assert best + 1 < epochs(trainer)["pretrain"], "or the limit would do as well"
    assert epochs(trainer)["reference"] == best + 1


@pytest.mark.parametrize(
    ("given", "reference"),
    [({"pretrain": 3, "final": 1}, 3), ({"pretrain": 1, "reference": 2, "final": 1}, 2)],
)
def test_without_validation_the_reference_takes_all_epochs_or_those_it_is_given(
    folder: Path, data: Any, given: dict[str, int], reference: int
) -> None:
    options = {"reference_epochs": 0, "outer_iterations": 0, "pretrain_epochs": 4}
    trainer = built(folder, data, {**GATED, **options})
    give_epochs(trainer, data.loaders.train, given)
    trainer.fit(data.loaders.train, None, saved=False)
    assert epochs(trainer) == {**given, "reference": reference}
