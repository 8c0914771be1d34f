"""Controls on planted data: the true mask, true and random environments, and the claim itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recbole_invariant.config import build_config
from recbole_invariant.data.planted.files import write
from recbole_invariant.data.planted.law import generate
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.data.planted.truth import true_environments, true_kinds
from recbole_invariant.errors import InputError
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from recbole_invariant.training import build, fit
from tests.contracts import write_features
from tests.host import write_toy

SHORT: dict[str, Any] = {
    "epochs": 2,
    "pretrain_epochs": 1,
    "outer_iterations": 2,
    "n_environments": 4,
    "mask_epochs": 1,
    "him_epochs": 1,
    "him_rounds": 1,
    "mask_tolerance": None,
}


def trained(folder: Path, model: str, dataset: str = "planted", **options: Any) -> tuple[Any, ...]:
    values = {"data_path": str(folder), "use_gpu": False, "show_progress": False, **options}
    entry, config = resolve(model), build_config(model, dataset, values)
    data = prepare(config, entry)
    built, trainer = build(config, entry, data)
    fit(config, trainer, data)
    return built, trainer, data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("controls")
    write(generate(PlantedOptions(users=60, items=80), 0), path / "planted")
    return path


def stages(trainer: Any) -> list[str]:
    return [record["name"] for record in trainer.stage_records]


@pytest.mark.parametrize("name", ["PaInvRL", "InvRL"])
def test_the_true_mask_is_used_as_it_is(folder: Path, name: str) -> None:
    model, trainer, data = trained(folder, name, **SHORT, mask_source="oracle")
    assert trainer.notes() == ["mask_source: oracle: the mask is the planted truth, a control"]
    kinds = true_kinds(data.dataset)
    assert (kinds == "invariant").sum() == 30
    assert model.invariant_mask.tolist() == (kinds == "invariant").astype(float).tolist()
    assert stages(trainer) == ["final"]
    assert "stability" not in trainer.diagnostics()
    quality = {"invariant": 1.0, "spurious": 0.0, "noise": 0.0}
    found = trainer.diagnostics()
    assert found["mask_quality"] == quality
    assert "environment_agreement" not in found


@pytest.mark.parametrize("gate", [False, True])
def test_true_environments_are_used_as_they_are(folder: Path, gate: bool) -> None:
    options = {**SHORT, "stability_gate": gate}
    _, trainer, data = trained(folder, "PaInvRL", **options, environment_source="true")
    truth = true_environments(data.parts.train, "train")
    assert trainer.workspace.labels.tolist() == truth.tolist()
    assert data.parts.train.inter_feat["env_id"].tolist() == truth.tolist()
    reference = ["reference"] if gate else []
    masks = ["environments", "mask 1", "mask 2"]
    assert stages(trainer) == ["pretrain", *reference, *masks, "final"]
    found = trainer.diagnostics()
    assert found["environment_agreement"] == {"ari": 1.0, "n_environments_true": 3}
    assert found["environment_sizes"] == np.bincount(truth).tolist()
    assert set(found["mask_quality"]) == {"invariant", "spurious", "noise"}


def test_random_environments_say_nothing_and_repeat(folder: Path) -> None:
    options = {**SHORT, "environment_source": "random"}
    _, trainer, _ = trained(folder, "InvRL", **options)
    found = trainer.diagnostics()
    assert abs(found["environment_agreement"]["ari"]) < 0.02
    assert len(found["environment_sizes"]) == 4
    assert min(found["environment_sizes"]) > 0.2 * sum(found["environment_sizes"])
    again = trained(folder, "InvRL", **options)[1]
    assert torch.equal(again.workspace.labels, trainer.workspace.labels)
    assert torch.equal(again.workspace.mask, trainer.workspace.mask)


def test_without_a_control_nothing_of_the_truth_moves_the_model(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "planted").mkdir()
    for path in (folder / "planted").iterdir():
        if "truth" not in path.name:
            (tmp_path / "planted" / path.name).write_bytes(path.read_bytes())
    with_truth, trainer, _ = trained(folder, "PaInvRL", **SHORT)
    without, bare, _ = trained(tmp_path, "PaInvRL", **SHORT)
    state = without.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in with_truth.state_dict().items())
    assert {"mask_quality", "environment_agreement"} <= set(trainer.diagnostics())
    assert not {"mask_quality", "environment_agreement"} & set(bare.diagnostics())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask_source": "oracle", "environment_source": "random"}, "no effect with mask_source"),
        ({"environment_source": "true", "ood": "popularity"}, "leave --ood away"),
        ({"environment_source": False}, "not false"),
    ],
)
def test_impossible_controls_are_refused(
    folder: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        trained(folder, "PaInvRL", **SHORT, **options)


@pytest.mark.parametrize("control", [{"mask_source": "oracle"}, {"environment_source": "true"}])
def test_data_without_truth_refuse_the_controls(tmp_path: Path, control: dict[str, str]) -> None:
    write_toy(tmp_path)
    write_features(tmp_path)
    modalities = {"look": {"source": "npy"}}
    with pytest.raises(InputError, match="only data that the command `planted` wrote"):
        trained(tmp_path, "InvRL", "toy", modalities=modalities, **SHORT, **control)


def test_an_empty_environment_is_told(folder: Path) -> None:
    _, trainer, _ = trained(folder, "PaInvRL", **SHORT, environment_source="random")
    assert not any("empty" in note for note in trainer.notes())
    trainer.workspace.labels = torch.zeros_like(trainer.workspace.labels)
    sizes = trainer.diagnostics()["environment_sizes"]
    assert f"3 of 4 environments are empty; rows of each: {sizes}" in trainer.notes()
