"""Weights put aside while training goes on, to be measured when selection is over.

A snapshot selects nothing: it is kept with what validation said of it, if anything, and nobody
looks at it again before the tests are opened (`evaluation/snapshots.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from recbole_invariant.errors import InputError
from recbole_invariant.trainer.checkpoint import (
    flatten,
    load_checkpoint,
    save_checkpoint,
    unflatten,
)

FOLDER = "snapshots"
"""Place of the files in a run's `checkpoint` folder."""


@dataclass(frozen=True)
class Snapshot:
    """What is known of weights that were put aside.

    Attributes:
        name: unique in the run, e.g. `plain backbone` or `train 7`.
        stage: the stage they are of.
        epoch: its epoch, from 0.
        valid: what validation gave, metric -> value; None where it was not asked.
        frontier: whether they are a step of the path that the option `frontier` records, and not
            a result with a name of its own.
        file: name of the file that holds them, empty where they are in memory.
    """

    name: str
    stage: str
    epoch: int
    valid: dict[str, float] | None
    frontier: bool = False
    file: str = ""


class Snapshots:
    """Weights by name, in files where there is a folder and in memory otherwise.

    A file is never written over: what a checkpoint names stays as it was until `prune`, so that a
    killed run goes on with the snapshots of its checkpoint.

    Args:
        folder: where the files go; it is made with the first. None keeps them in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._kept: dict[str, Snapshot] = {}
        self._states: dict[str, dict[str, Any]] = {}
        self._next = 0
        self._named: set[str] = set()

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Snapshot]:
        """Go through the snapshots in the order in which their names came up."""
        return iter(list(self._kept.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    def keep(
        self,
        name: str,
        stage: str,
        epoch: int,
        valid: Mapping[str, float] | None,
        state: dict[str, Any],
        *,
        frontier: bool = False,
    ) -> None:
        """Put weights aside; those of the same name are replaced.

        Args:
            name: name of the snapshot.
            stage: the stage the weights are of.
            epoch: its epoch, from 0.
            valid: what validation gave, or None.
            state: the model's state, as `clone_state` makes it; a copy on the CPU is kept.
            frontier: whether this is a step of the frontier's path.

        Raises:
            OSError: the disk is full or the folder is not writable.
        """
        measured = None if valid is None else {key: float(value) for key, value in valid.items()}
        snapshot = Snapshot(name, stage, int(epoch), measured, frontier)
        if self.folder is None:
            tensors: dict[str, Tensor] = {}
            tree = flatten(state, tensors)
            own = {key: value.cpu().clone() for key, value in tensors.items()}
            self._states[name] = unflatten(tree, own)
        else:
            snapshot = replace(snapshot, file=f"{self._next:05d}.safetensors")
            self._next += 1
            save_checkpoint(self.folder / snapshot.file, state)
        self._kept[name] = snapshot

    def state(self, name: str) -> dict[str, Any]:
        """Return the weights of a snapshot, for `restore_state`.

        Raises:
            InputError: the file is gone or broken.
            KeyError: there is no snapshot of this name.
        """
        snapshot = self._kept[name]
        if self.folder is None:
            return self._states[name]
        return load_checkpoint(self.folder / snapshot.file)

    def index(self) -> list[dict[str, Any]]:
        """Return what a checkpoint has to say of the snapshots, without their weights."""
        return [asdict(snapshot) for snapshot in self._kept.values()]

    def restart(self, index: Sequence[Mapping[str, Any]]) -> None:
        """Begin with the snapshots of a checkpoint; files that it does not name are deleted.

        Raises:
            InputError: a file that it names is not there.
        """
        kept = {entry["name"]: Snapshot(**entry) for entry in index}
        for snapshot in kept.values():
            if self.folder is None or not (self.folder / snapshot.file).is_file():
                raise InputError(
                    f"{self.folder or 'memory'}: the weights of snapshot '{snapshot.name}' "
                    f"({snapshot.file}) are gone, which the checkpoint names; start again."
                )
        self._kept, self._states, self._named = kept, {}, set()
        numbers = [int(Path(snapshot.file).stem) for snapshot in kept.values()]
        self._next = max(numbers, default=-1) + 1
        self.prune()

    def prune(self) -> None:
        """Delete the files of weights that were replaced before the last `prune`.

        It is called with every checkpoint, and the one before the last still names its own.
        """
        named = {snapshot.file for snapshot in self._kept.values()}
        needed, self._named = named | self._named, named
        if self.folder is None or not self.folder.is_dir():
            return
        for path in self.folder.glob("*.safetensors"):
            if path.name not in needed:
                path.unlink()

    def clear(self) -> None:
        """Forget all of them and delete their files and folder."""
        self._kept, self._states, self._named = {}, {}, set()
        self.prune()
        if self.folder is not None and self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()
