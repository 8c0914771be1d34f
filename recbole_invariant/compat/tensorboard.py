"""Say where a RecBole trainer writes its TensorBoard events: the host hard-codes the folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any


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


def _nothing(*_: object, **__: object) -> None:
    return None


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
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(path))

    before = host.get_tensorboard
    host.get_tensorboard = get_tensorboard
    try:
        yield
    finally:
        host.get_tensorboard = before
