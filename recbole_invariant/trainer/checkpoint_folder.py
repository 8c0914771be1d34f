"""The last two checkpoints of a run: one of them is whole at every moment."""

import os
from logging import getLogger
from pathlib import Path
from typing import Any

from recbole_invariant.errors import InputError
from recbole_invariant.files import sync_folder
from recbole_invariant.trainer.checkpoint import load_checkpoint, save_checkpoint

LAST = "last.safetensors"
PREVIOUS = "previous.safetensors"
NEXT = "next.safetensors"
"""Whole as well: written, but not yet renamed when the program was killed."""


class CheckpointFolder:
    """Keeps the last two checkpoints. Each holds the best weights so far beside the current ones.

    Args:
        folder: made with the first checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def exists(self) -> bool:
        """Whether there is a checkpoint, whole or not."""
        return bool(self._there())

    def save(self, state: dict[str, Any]) -> Path:
        """Write a checkpoint; the last one becomes the previous one.

        Args:
            state: nested dicts and lists of tensors and JSON values.

        Returns:
            The file.

        Raises:
            WriteError: the disk is full or the folder is not writable; the last checkpoint stands
                where it stood.
        """
        last, following = self.folder / LAST, self.folder / NEXT
        save_checkpoint(following, state)
        if last.exists():
            os.replace(last, self.folder / PREVIOUS)
        os.replace(following, last)
        sync_folder(self.folder)
        return last

    def newest(self) -> tuple[Path, dict[str, Any]]:
        """Read the newest checkpoint that is whole; one that is not is named in the log.

        Raises:
            InputError: there is none, or none that is whole.
        """
        problems: list[str] = []
        for path in self._there():
            try:
                state = load_checkpoint(path)
            except InputError as error:
                problems += error.problems
                continue
            for problem in problems:
                getLogger().warning(f"{problem} Taking the one before it, {path.name}.")
            return path, state
        if not problems:
            raise InputError(f"{self.folder}: there is no checkpoint here to resume from.")
        raise InputError(
            [
                *problems,
                f"{self.folder}: no checkpoint is whole. Remove the "
                "run folder, or start a new run without --resume.",
            ]
        )

    def _there(self) -> list[Path]:
        """List the checkpoints, newest first."""
        paths = [self.folder / name for name in (NEXT, LAST, PREVIOUS)]
        return [path for path in paths if path.is_file()]
