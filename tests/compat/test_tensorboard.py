"""Where a RecBole trainer writes its TensorBoard events."""

from pathlib import Path

import pytest
from recbole.data import create_dataset, data_preparation
from recbole.trainer import Trainer
from recbole.trainer import trainer as host
from recbole.utils import get_model

from recbole_invariant.compat import tensorboard_directory
from recbole_invariant.compat.tensorboard import NullWriter

from .conftest import MakeConfig


def train_in(path: Path | None, make_config: MakeConfig) -> None:
    config = make_config()
    train, valid, _ = data_preparation(config, create_dataset(config))
    with tensorboard_directory(path):
        trainer = Trainer(config, get_model("BPR")(config, train.dataset))
    trainer.fit(train, valid, verbose=False, saved=False)
    trainer.tensorboard.close()


def test_events_go_into_the_given_folder(tmp_path: Path, make_config: MakeConfig) -> None:
    folder = tmp_path / "run" / "events"
    train_in(folder, make_config)
    events = list(folder.glob("events.out.tfevents.*"))
    assert [b"Loss/Train" in file.read_bytes() for file in events] == [True]
    assert not Path("log_tensorboard").exists()


def test_without_a_folder_nothing_is_written(tmp_path: Path, make_config: MakeConfig) -> None:
    train_in(None, make_config)
    assert not list(tmp_path.rglob("*tfevents*"))
    assert not Path("log_tensorboard").exists()


def test_the_host_gets_its_own_writer_back_after_an_error(tmp_path: Path) -> None:
    before = host.get_tensorboard
    with pytest.raises(KeyError), tensorboard_directory(tmp_path):
        raise KeyError
    assert host.get_tensorboard is before


def test_the_null_writer_knows_only_writing_methods() -> None:
    assert NullWriter().add_scalar("loss", 1.0, 0) is None
    assert NullWriter().close() is None
    with pytest.raises(AttributeError, match="read_scalar"):
        NullWriter().read_scalar()
