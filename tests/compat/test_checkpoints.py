"""torch.load of RecBole's pickled checkpoints: inside its own calls and nowhere else."""

import os
import sys
from argparse import Namespace
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import pytest
import torch
from recbole.data import create_dataset, data_preparation
from recbole.trainer import Trainer
from recbole.utils import get_model

from recbole_invariant.compat import host_files, trusted_host_checkpoint
from recbole_invariant.compat.checkpoints import LOADING_MODULES, SWITCH
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.model_state import save_model

from .conftest import MakeConfig


@pytest.fixture
def trained(make_config: MakeConfig) -> tuple[Trainer, str, object]:
    """Return a trainer, the checkpoint it has written, and its test loader."""
    config = make_config()
    train, _, test = data_preparation(config, create_dataset(config))
    trainer = Trainer(config, get_model("BPR")(config, train.dataset))
    trainer._save_checkpoint(epoch=3, verbose=False)
    return trainer, trainer.saved_model_file, test


def test_a_host_checkpoint_opens_inside_the_block_only(
    trained: tuple[Trainer, str, object],
) -> None:
    _, file, _ = trained
    with pytest.raises(UnpicklingError):
        torch.load(file)
    with trusted_host_checkpoint():
        assert torch.load(file)["config"]["dataset"] == "toy"
    with pytest.raises(UnpicklingError):
        torch.load(file)


@pytest.mark.parametrize("before", [None, "0"])
def test_the_switch_is_put_back_after_an_error(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    if before is not None:
        monkeypatch.setenv(SWITCH, before)
    with pytest.raises(KeyError), trusted_host_checkpoint():
        raise KeyError
    assert os.environ.get(SWITCH) == before


def test_the_host_evaluates_and_resumes_from_its_checkpoint(
    trained: tuple[Trainer, str, object],
) -> None:
    trainer, file, test = trained
    saved = trainer.model.user_embedding.weight.detach().clone()
    for restore in (
        lambda: trainer.evaluate(test, load_best_model=True),
        lambda: trainer.resume_checkpoint(file),
    ):
        trainer.model.user_embedding.weight.data.zero_()
        restore()
        assert torch.equal(trainer.model.user_embedding.weight, saved)
    assert trainer.start_epoch == 4


@pytest.mark.parametrize("name", LOADING_MODULES)
def test_every_loading_module_of_the_host_reads_a_pickle_where_it_may(
    name: str, tmp_path: Path
) -> None:
    file = tmp_path / "pretrained.pth"
    torch.save(Namespace(weight=1), file)
    module = import_module(name)
    for allowed in (None, False):
        with (
            nullcontext() if allowed is None else host_files(allowed),
            pytest.raises(
                InputError, match=r"pretrained\.pth.*can run any code.*allow_pickle: true"
            ),
        ):
            module.torch.load(file)
    with host_files(allow_pickle=True):
        assert module.torch.load(file).weight == 1
    torch.save({"state_dict": {"w": torch.ones(2)}}, file)
    assert module.torch.load(file)["state_dict"]["w"].tolist() == [1, 1]
    assert module.torch.Tensor is torch.Tensor


def test_recbole_loads_back_what_its_own_run_saved(make_config: MakeConfig) -> None:
    pytest.importorskip("ray", reason="recbole.quick_start imports ray")
    quick_start = import_module("recbole.quick_start")
    config = make_config()
    train, _, _ = data_preparation(config, create_dataset(config))
    trainer = Trainer(config, get_model("BPR")(config, train.dataset))
    trainer._save_checkpoint(epoch=0, verbose=False)
    sys.argv = ["test"]
    loaded = quick_start.load_data_and_model(trainer.saved_model_file)[1]
    for name, value in trainer.model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    assert SWITCH not in os.environ


def test_a_pickle_of_another_process_needs_the_explicit_word(
    trained: tuple[Trainer, str, object], tmp_path: Path
) -> None:
    quick_start = import_module("recbole.quick_start.quick_start")
    trainer, file, _ = trained
    other = tmp_path / "other.pth"
    other.write_bytes(Path(file).read_bytes())
    with pytest.raises(InputError, match="can run any code"):
        trainer.resume_checkpoint(str(other))
    with pytest.raises(InputError, match="allow_pickle"):
        quick_start.load_data_and_model(str(other))
    with pytest.raises(InputError, match="no such file"):
        trainer.resume_checkpoint(str(tmp_path / "absent.pth"))


def test_in_a_run_of_ours_the_host_saves_tensors_and_reads_them_back(
    trained: tuple[Trainer, str, object], tmp_path: Path
) -> None:
    trainer, _, _ = trained
    module = import_module("recbole.trainer.trainer")
    file, weights = tmp_path / "S3Rec.pth", trainer.model.state_dict()
    state = {"config": trainer.config, "epoch": 3, "state_dict": weights, "other_parameter": {}}
    with host_files(allow_pickle=False):
        module.torch.save(state, str(file))
        module.torch.save(torch.nn.Linear(2, 1), tmp_path / "NeuMF.pth")
    with pytest.raises(UnpicklingError):
        torch.load(file)
    read = module.torch.load(str(file), map_location="cpu")
    assert read["epoch"] == 3
    assert all(torch.equal(read["state_dict"][name], value) for name, value in weights.items())
    assert set(module.torch.load(tmp_path / "NeuMF.pth")["state_dict"]) == {"weight", "bias"}


def test_the_host_starts_from_the_model_of_a_run(
    trained: tuple[Trainer, str, object], tmp_path: Path
) -> None:
    trainer, _, _ = trained
    save_model(tmp_path / "model.safetensors", trainer.model)
    read = import_module(LOADING_MODULES[1]).torch.load(tmp_path / "model.safetensors")
    assert set(read["state_dict"]) == set(trainer.model.state_dict())


def test_a_pickled_data_set_in_the_checkpoint_folder_is_refused(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(save_dataset=True)
    create_dataset(config)
    assert list(Path(config["checkpoint_dir"]).glob("*.pth"))
    with (
        host_files(allow_pickle=True),
        pytest.raises(InputError, match=r"Dataset\.pth.*never read here"),
    ):
        create_dataset(config)
    assert create_dataset(config).inter_num == 9


def test_diffusion_features_are_read_without_unpickling(tmp_path: Path) -> None:
    module = import_module("recbole.model.general_recommender.ldiffrec")
    plain, pickled = tmp_path / "plain.npy", tmp_path / "pickled.npy"
    np.save(plain, np.ones(2))
    np.save(pickled, np.array([Namespace()], dtype=object))
    assert module.np.load(plain, allow_pickle=True).tolist() == [1, 1]
    with pytest.raises(InputError, match=r"pickled\.npy"):
        module.np.load(pickled, allow_pickle=True)
    with host_files(allow_pickle=True):
        assert module.np.load(pickled, allow_pickle=True).shape == (1,)
