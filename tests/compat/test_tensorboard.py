"""Where a RecBole trainer writes its TensorBoard events."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from recbole.data import create_dataset, data_preparation
from recbole.trainer import Trainer
from recbole.trainer import trainer as host
from recbole.utils import get_model

from recbole_invariant.compat import tensorboard_closed, tensorboard_directory
from recbole_invariant.compat.tensorboard import EventWriter, NullWriter
from recbole_invariant.errors import WriteError

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


def add_scalars(writer: EventWriter) -> None:
    for step in range(3):
        writer.add_scalar("loss", 1.0, step)
        writer.flush()


def test_a_full_disk_is_one_error_that_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    record_writer = pytest.importorskip("tensorboard.summary.writer.record_writer").RecordWriter
    threads = threading.active_count()
    writer = EventWriter(tmp_path)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(record_writer, "write", full)
    monkeypatch.setattr(record_writer, "flush", full)
    with (
        pytest.raises(WriteError, match=r"tfevents cannot be written: No space left"),
        tensorboard_closed(SimpleNamespace(tensorboard=writer)),
    ):
        add_scalars(writer)
    assert threading.active_count() == threads
    assert capfd.readouterr().err == ""


def test_the_thread_of_a_writer_ends_with_its_training(tmp_path: Path) -> None:
    threads = threading.active_count()
    writer = EventWriter(tmp_path)
    assert threading.active_count() == threads + 1
    with tensorboard_closed(SimpleNamespace(tensorboard=writer)):
        writer.add_scalar("loss", 1.0, 0)
    assert threading.active_count() == threads
    assert b"loss" in next(tmp_path.iterdir()).read_bytes()
