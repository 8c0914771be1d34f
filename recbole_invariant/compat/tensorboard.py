"""Say where a RecBole trainer writes its TensorBoard events: the host hard-codes the folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any

from recbole_invariant.errors import WriteError


class NullWriter:
    """A `SummaryWriter` that writes nothing: `add_*`, `flush` and `close` do nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return a function that takes anything and does nothing.

        Raises:
            AttributeError: if the name is no method that a `SummaryWriter` uses to write.
        """
        if name.startswith("add_") or name in {"flush", "close"}:
            return _nothing
        raise AttributeError(f"'NullWriter' object has no attribute '{name}'")


class EventWriter:
    """A `SummaryWriter` whose errors of writing name the folder, and come once.

    TensorBoard writes in a thread of its own: what it meets there is printed with a traceback, and
    raised again, without the name of a file, by the next call.

    Args:
        folder: where the events go.
    """

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._folder = folder
        self._writer: Any = self._told(lambda: SummaryWriter(str(folder)))
        events: Any = getattr(self._writer.file_writer, "event_writer", None)
        worker = getattr(getattr(events, "_async_writer", None), "_worker", None)
        if worker is not None:
            worker._invoke_excepthook = _nothing

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the writer's own method, its errors named.

        Raises:
            AttributeError: the writer has no such method.
        """
        method = getattr(self._writer, name)
        return lambda *args, **kwargs: self._told(lambda: method(*args, **kwargs))

    def _told(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except WriteError:
            raise
        except OSError as error:
            raise WriteError(self._folder / "events.out.tfevents", error) from error


def _nothing(*_: object, **__: object) -> None:
    return None


@contextmanager
def tensorboard_closed(trainer: Any) -> Iterator[None]:
    """Close a trainer's events after the block; file and thread would stay until the process ends.

    Raises:
        WriteError: the last events cannot be written, and the block itself raised nothing.
    """
    writer = getattr(trainer, "tensorboard", NullWriter())
    try:
        yield
    except BaseException:
        with suppress(OSError):
            writer.close()
        raise
    writer.close()


@contextmanager
def tensorboard_directory(path: str | PathLike[str] | None) -> Iterator[None]:
    """Make RecBole trainers constructed in the block write their events into one folder.

    Args:
        path: the folder, made when a trainer is constructed; None writes no events at all.
    """
    from recbole.trainer import trainer as host

    def get_tensorboard(_logger: object) -> Any:
        if path is None:
            return NullWriter()
        return EventWriter(Path(path))

    before = host.get_tensorboard
    host.get_tensorboard = get_tensorboard
    try:
        yield
    finally:
        host.get_tensorboard = before
