"""Stages of given length: which names are asked for, and what a run with them is."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

import recbole_invariant as ri
from recbole_invariant.comparison.collect import read_run
from recbole_invariant.comparison.summary import summarise
from recbole_invariant.config import build_config
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.reopen import evaluate_run
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from recbole_invariant.trainer.given_epochs import epochs_problems
from recbole_invariant.trainer.stage import Stage
from recbole_invariant.training import build, fit
from recbole_invariant.tuning.refit import refit_options
from tests.contracts import write_features
from tests.host import write_toy
from tests.sequences import SMALL, write_sequences
from tests.sequences import options as sequence_options

PAINVRL = {
    "pretrain_epochs": 3,
    "him_epochs": 1,
    "him_rounds": 2,
    "mask_epochs": 2,
    "outer_iterations": 1,
    "n_environments": 2,
    "stability_gate": True,
    "gate_level": 0.999,  # flags enough dimensions for environments
    "gate_share": 0.0,
    "mask_tolerance": None,
    "reference_folds": 2,
    "reference_epochs": 0,
    "identification": "experts",
}


class Nothing(Stage):
    def __init__(self, name: str, validates: bool, epochs: int = 9) -> None:
        super().__init__(name, epochs)
        self.validates = validates

    def batches(self) -> list[Any]:
        return []

    def step(self, batch: Any) -> dict[str, Any]:
        return {}


STAGES = [
    Nothing("pretrain", True),
    Nothing("labels", False, 0),
    Nothing("mask 1", False),
    Nothing("final", True),
]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pretrain": 1, "final": 2}, []),
        ({"pretrain": 1, "mask 1": 3, "final": 2}, []),
        ({"final": 2}, ["no epochs for pretrain."]),
        ({"pretrain": 1, "final": 2, "mask1": 2}, ["no stage 'mask1'. Did you mean 'mask 1'"]),
        ({"pretrain": 1, "final": 2, "labels": 1}, ["no stage 'labels'"]),
        ({"x": 1}, ["stages are pretrain, mask 1, final", "no epochs for pretrain, final"]),
    ],
)
def test_names_of_stages_are_checked(given: dict[str, int], said: list[str]) -> None:
    problems = epochs_problems("M", STAGES, given)
    assert len(problems) == len(said)
    assert all(words in problem for words, problem in zip(said, problems, strict=True))


def options(folder: Path, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "data_path": str(folder),
        "modalities": {"look": {"source": "npy"}},
        "ood": "popularity",
        "topk": [5],
        "valid_metric": "NDCG@5",
        "show_progress": False,
        "use_gpu": False,
        "train_batch_size": 64,
        "epochs": 4,
        "eval_step": 1,
        "learning_rate": 0.01,
        "state": "ERROR",
    }
    return {**values, **changes}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_toy(tmp_path)
    write_features(tmp_path)
    return tmp_path


def run(name: str, folder: Path, values: dict[str, Any]) -> Any:
    return ri.run(name, "toy", config=values, output_dir=folder / "runs")


def weights(result: Any) -> dict[str, torch.Tensor]:
    return load_file(result.run_dir / "model.safetensors")


def test_a_refit_has_no_validation_anywhere(folder: Path) -> None:
    first = run("PaInvRL", folder, options(folder, **PAINVRL))
    chosen = refit_options(first.record)
    names = ["pretrain", "reference", "environments", "mask 1", "final"]
    assert list(chosen["refit_epochs"]) == names
    assert chosen["refit_epochs"]["reference"] == chosen["refit_epochs"]["pretrain"]
    again = run("PaInvRL", folder, options(folder, **PAINVRL, **chosen))

    assert again.run_dir is not None
    lines = (again.run_dir / "history.jsonl").read_text().splitlines()
    history = [json.loads(line) for line in lines]
    assert all("valid" not in line for line in history)
    stages = {stage["name"]: stage for stage in again.record["stages"]}
    for name, epochs in chosen["refit_epochs"].items():
        assert [line["stage"] for line in history].count(name) == epochs
        assert stages[name]["epochs"] == epochs
        assert stages[name]["best_epoch"] is None
        assert stages[name]["ended"] == "done"
    record = again.record
    assert set(record["metrics"]) == {"iid", "ood_popularity"}
    assert record["selection"]["name"] == "refit"
    assert record["selection"]["best_epoch"] is None
    assert f"final {chosen['refit_epochs']['final']})" in record["selection"]["rule"]
    moved = first.record["n_interactions"]["valid"]
    counts = record["n_interactions"]
    assert "valid" not in counts
    assert counts["train"] == first.record["n_interactions"]["train"] + moved
    assert f"train has the rows of valid ({moved})" in again.table
    assert "selection: none: trained on training and validation rows together" in again.table
    seen = pd.read_parquet(again.run_dir / "seen.parquet")
    assert set(seen["part"]) == {"train"}
    assert len(seen) == counts["train"]
    assert evaluate_run(again.run_dir).metrics == again.metrics


def test_the_last_weights_are_those_after_so_many_epochs(folder: Path) -> None:
    given = options(folder, refit_epochs={"train": 3}, learning_rate=0.1)
    found = weights(run("BPR", folder, {**given, "epochs": 50}))

    # the same rows, the model's own number of epochs, nothing validated
    config = build_config("BPR", "toy", {**given, "epochs": 3})
    config["checkpoint_dir"] = str(folder / "saved")
    data = prepare(config, resolve("BPR"))
    model, trainer = build(config, resolve("BPR"), data)
    fit(config, trainer, data)
    assert len(trainer.history.lines) == 3
    for name, value in model.state_dict().items():
        assert torch.equal(value, found[name]), name

    without = run("BPR", folder, options(folder, epochs=3, eval_step=0, learning_rate=0.1))
    assert not torch.equal(
        weights(without)["user_embedding.weight"], found["user_embedding.weight"]
    )


def test_runs_of_refits_alone_are_compared(folder: Path) -> None:
    found = []
    for name in ("BPR", "Pop"):
        result = run(name, folder, options(folder, refit_epochs={"train": 1}))
        assert result.run_dir is not None
        found.append(read_run(result.run_dir))
    comparison = summarise(found)
    assert comparison.validation.empty
    assert "there are no validation results" in comparison.baseline_rule
    assert "selection: none: trained on training and validation rows" in str(comparison)


def test_a_model_keeps_the_end_of_the_stage_that_its_first_run_chose(tmp_path: Path) -> None:
    write_sequences(tmp_path)
    values = sequence_options(
        tmp_path, ood="random", backbone="GRU4Rec", pretrain_epochs=2, state="ERROR", keep="last"
    )
    values |= SMALL["GRU4Rec"]
    chosen = refit_options(run("IDEA", tmp_path, values).record)
    assert chosen["keep"] == "last"
    refit = run("IDEA", tmp_path, {**values, **chosen})
    assert refit.record["diagnostics"]["kept"] == "last"
    assert refit.record["diagnostics"]["last"]["valid"] is None


@pytest.mark.parametrize(
    ("model", "given", "said"),
    [
        ("BPR", {"refit_epochs": {"trian": 3}}, "no stage 'trian'. Did you mean 'train'?"),
        ("PaInvRL", {"refit_epochs": {"final": 3}}, "no epochs for pretrain"),
        ("RecVAE", {"refit_epochs": {"train": 3}}, "RecVAE is trained by a loop of RecBole's own"),
    ],
)
def test_wrong_stages_leave_no_folder(
    folder: Path, model: str, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        run(model, folder, options(folder, **given))
    assert not list((folder / "runs").iterdir())


def test_a_baseline_trains_on_the_same_rows(folder: Path) -> None:
    given = options(folder, refit_epochs={"train": 1}, baselines=["Pop"])
    with pytest.raises(InputError, match="baseline Pop: refit_epochs puts validation rows"):
        run("BPR", folder, given)
    result = run(
        "BPR", folder, {**given, "baseline_options": {"Pop": {"refit_epochs": {"train": 1}}}}
    )
    assert set(result.baselines) == {"Pop"}
