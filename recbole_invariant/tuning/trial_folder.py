"""Where a trial works: its folder in that of the search, or a copy that is sent there."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recbole_invariant.tuning.storage import Storage


def folder_name(number: int) -> str:
    """Return the place of a trial's folder in that of its search."""
    return f"trials/{number:03d}"


@contextmanager
def trial_folder(storage: Storage, number: int) -> Iterator[tuple[Path, Callable[[], object]]]:
    """Give a trial its folder, with what an earlier part left in it.

    Args:
        storage: folder of the search.
        number: of the trial.

    Yields:
        The folder, and a function that sends on what changed in it; called at the end as well.
    """
    place = folder_name(number)
    if storage.is_local:
        folder = storage.path / place
        folder.mkdir(parents=True, exist_ok=True)
        yield folder, lambda: None
        return
    with tempfile.TemporaryDirectory(prefix="recbole-inv-") as scratch:
        folder = Path(scratch)
        storage.pull(place, folder)
        try:
            yield folder, lambda: storage.push(folder, place)
        finally:
            storage.push(folder, place)
