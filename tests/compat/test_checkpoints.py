"""torch.load of RecBole's pickled checkpoints: inside its own calls and nowhere else."""

import os
import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path
from pickle import UnpicklingError

import pytest
import torch
from recbole.data import create_dataset, data_preparation
from recbole.trainer import Trainer
from recbole.utils import get_model

from recbole_invariant.compat import trusted_host_checkpoint
from recbole_invariant.compat.checkpoints import LOADING_MODULES, SWITCH

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
def test_every_loading_module_of_the_host_reads_a_pickle(name: str, tmp_path: Path) -> None:
    file = tmp_path / "pretrained.pth"
    torch.save(Namespace(weight=1), file)
    module = import_module(name)
    assert module.torch.load(file).weight == 1
    with pytest.raises(UnpicklingError):
        module.torch.load(file, weights_only=True)
    with pytest.raises(UnpicklingError):
        torch.load(file)
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
