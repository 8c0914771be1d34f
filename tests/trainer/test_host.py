"""RecBole's models through our trainers: the selected epoch is what is measured."""

from pathlib import Path
from typing import Any

import pytest
import torch

from recbole_invariant.config import build_config
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from recbole_invariant.trainer.host import build_trainer
from recbole_invariant.trainer.host_stage import HostTraditionalTrainer, HostTrainer
from recbole_invariant.training import build, fit
from tests.contracts import ModelContract
from tests.host import write_toy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_toy(tmp_path, n_users=50)
    return tmp_path


def options(folder: Path, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "data_path": str(folder),
        "ood": "popularity",
        "topk": [5],
        "valid_metric": "NDCG@5",
        "show_progress": False,
        "use_gpu": False,
        "train_batch_size": 128,
        "epochs": 12,
        "learning_rate": 0.1,
        "modalities": {},
    }
    return {**values, **changes}


def train(name: str, folder: Path, **changes: Any) -> tuple[Any, Any]:
    entry = resolve(name)
    config = build_config(name, "toy", options(folder, **changes))
    config["checkpoint_dir"] = str(folder / "saved")
    data = prepare(config, entry)
    _, trainer = build(config, entry, data)
    fit(config, trainer, data)
    return trainer, data


@pytest.mark.parametrize("name", ["BPR", "LightGCN", "NGCF", "RecVAE", "MultiVAE"])
def test_after_training_validation_gives_the_selected_result(name: str, folder: Path) -> None:
    """Graph models keep the vectors they ranked with last; those must be the selected epoch's."""
    rate = 0.1 if name in ("BPR", "LightGCN", "NGCF") else 0.005
    trainer, data = train(name, folder, learning_rate=rate)
    again = trainer.evaluate(data.loaders.valid, load_best_model=False)
    assert dict(again) == dict(trainer.best_valid_result)
    assert trainer.best_epoch is not None
    assert name.endswith("VAE") or trainer.best_epoch < 11


def test_the_staged_trainer_trains_as_recboles_own(folder: Path) -> None:
    """Same loader, same loss, same optimiser: the same weights, bit for bit."""
    from recbole.trainer import Trainer

    entry, weights = resolve("BPR"), []
    for kind in (HostTrainer, Trainer):
        config = build_config("BPR", "toy", options(folder, epochs=3))
        config["checkpoint_dir"] = str(folder / "saved")
        data = prepare(config, entry)
        model, _ = build(config, entry, data)
        trainer = kind(config, model)
        from recbole_invariant.training import seed_host

        seed_host(config, "sampling")
        trainer.fit(data.loaders.train, None, saved=False, verbose=False)
        weights.append(model.state_dict())
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


class Peer(ModelContract):
    """Borrowed for its interrupted training."""

    name = "BPR"


def test_a_killed_bpr_goes_on_to_the_same_bits(folder: Path, tmp_path: Path) -> None:
    Peer.options = options(folder)
    whole, trainer, _ = Peer().trained(folder)
    resumed, again = Peer().interrupted(folder, tmp_path / "run", 4)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert trainer.best_valid_result == again.best_valid_result


def test_trainers_by_kind_of_model(folder: Path) -> None:
    kinds = {"BPR": HostTrainer, "Pop": HostTraditionalTrainer, "EASE": HostTraditionalTrainer}
    for name, kind in kinds.items():
        entry = resolve(name)
        config = build_config(name, "toy", options(folder))
        data = prepare(config, entry)
        model, trainer = build(config, entry, data)
        assert type(trainer) is kind
        assert type(build_trainer(entry, config, model)) is kind


def test_options_without_effect_are_refused(folder: Path) -> None:
    from recbole_invariant.errors import InputError

    with pytest.raises(InputError, match="embedding_decay"):
        train("UltraGCN", folder, weight_decay=0.1)


def test_eval_step_zero_means_no_validation(folder: Path) -> None:
    trainer, _ = train("BPR", folder, eval_step=0, epochs=2)
    assert trainer.best_epoch is None
    assert len(trainer.history.lines) == 2


@pytest.mark.parametrize(
    ("name", "changes", "ended"),
    [
        ("BPR", {"epochs": 2, "stopping_step": 5}, "limit"),
        ("BPR", {"epochs": 80, "stopping_step": 0}, "early stop"),
        ("Pop", {"epochs": 1}, "done"),
    ],
)
def test_a_stage_says_what_ended_it(
    folder: Path, name: str, changes: dict[str, Any], ended: str
) -> None:
    (record,) = train(name, folder, **changes)[0].stage_records
    assert record["ended"] == ended
