"""What holds around a search: one driver at a time, words for an interruption, the devices seen."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from recbole_invariant.folder_lock import only_here
from recbole_invariant.tuning.storage import Storage

DEVICES = "CUDA_VISIBLE_DEVICES"


@contextmanager
def resumption_noted(storage: Storage) -> Iterator[None]:
    """Add to an interruption how the search goes on; errors are left as they are."""
    try:
        yield
    except Exception:
        raise
    except BaseException as stop:
        # a run's own note would say to start it anew; here the search does that
        stop.__notes__ = [
            f"in a search, which stays: {storage.place}\ngo on with: tune --resume {storage.place}"
        ]
        raise


@contextmanager
def only_driver(storage: Storage) -> Iterator[None]:
    """Keep a second driver out of a local folder; a URL has no lock."""
    if not storage.is_local:
        yield
        return
    with only_here(storage.path, option=storage.option, what="search"):
        yield


@contextmanager
def visible_devices_kept() -> Iterator[None]:
    """Put `CUDA_VISIBLE_DEVICES` back after each Config that RecBole makes in this process.

    It writes its option `gpu_id` there, and Ray, started afterwards, would see that GPU only.
    """
    with environment({}, kept=(DEVICES,)):
        yield


@contextmanager
def environment(values: Mapping[str, str], kept: Iterable[str] = ()) -> Iterator[None]:
    """Set environment variables, and put back what was there.

    Args:
        values: to set.
        kept: others to put back, whatever is done to them meanwhile.
    """
    before = {name: os.environ.get(name) for name in (*values, *kept)}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
