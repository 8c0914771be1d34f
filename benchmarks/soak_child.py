"""The killed side of `soak_resume.py`: the command line, with its position told from outside.

A process that gets SIGKILL says nothing any more. So every part of a training notes beforehand, in
a file that is mapped into memory, what it is about to do.
"""

import mmap
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

SIZE = 256

SWITCHES = ("begin", "begun", "end", "ended")
"""Before and after a stage's beginning, before and after its end."""

Aim = tuple[str, int]
"""A phase, and which time it comes."""


def write_position(file: mmap.mmap, *words: str) -> None:
    """Note where the process is."""
    text = "|".join(words).encode()
    file[:SIZE] = text.ljust(SIZE, b"\0")


def read_position(path: Path) -> tuple[str, str]:
    """Return stage and phase of the process that notes in a file."""
    text = path.read_bytes().rstrip(b"\0").decode() if path.is_file() else ""
    stage, _, phase = text.partition("|")
    return stage, phase


def command(words: list[str], position: Path, aim: Aim | None = None) -> int:
    """Run the command line in this process, noting its position; return its exit code.

    Args:
        words: the command line.
        position: the file of notes.
        aim: where the process kills itself: switches are too short to be hit from outside.
    """
    position.write_bytes(b"\0" * SIZE)
    with position.open("r+b") as opened:
        file = mmap.mmap(opened.fileno(), SIZE)
    _note_stages(_Notes(file, aim))
    from recbole_invariant.cli.main import main

    return main(words)


class _Notes:
    """Where the process is, and where it is to kill itself."""

    def __init__(self, file: mmap.mmap, aim: Aim | None) -> None:
        self.file, self.aim = file, aim
        self.stage, self.phase = "", ""
        self.seen = 0

    def at(self, stage: str, phase: str) -> None:
        """Be somewhere else from now on."""
        self.stage, self.phase = stage, phase
        write_position(self.file, stage, phase)
        if self.aim is not None and phase == self.aim[0]:
            self.seen += 1
            if self.seen == self.aim[1]:
                os.kill(os.getpid(), signal.SIGKILL)


def _note_stages(notes: _Notes) -> None:
    """Let all stages, validations, checkpoints and tests note themselves."""
    from recbole_invariant import single_run
    from recbole_invariant.trainer import stage as stages
    from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder
    from recbole_invariant.trainer.stages import StagedTrainer

    def noted(
        function: Callable[..., Any], phase: str, after: str | None = None, returns: bool = False
    ) -> Any:
        @wraps(function)
        def inner(*arguments: Any, **named: Any) -> Any:
            before = notes.stage, notes.phase
            of_stage = isinstance(arguments[0], stages.Stage)
            stage = arguments[0].name if of_stage else notes.stage
            notes.at(stage, phase)
            result = function(*arguments, **named)
            if after is not None:
                notes.at(stage, after)
            if returns:
                notes.at(*before)
            return result

        return inner

    def every(kind: type[Any]) -> list[type[Any]]:
        found = [kind]
        for narrower in kind.__subclasses__():
            found += every(narrower)
        return found

    for kind in every(stages.Stage):
        for name, phase, after in (
            ("begin", "begin", "begun"),
            ("step", "steps", None),
            ("end", "end", "ended"),
        ):
            if name in vars(kind):
                setattr(kind, name, noted(vars(kind)[name], phase, after))
    patched: Any = StagedTrainer
    patched._validate = noted(patched._validate, "validation")
    folder: Any = CheckpointFolder
    folder.save = noted(folder.save, "checkpoint", returns=True)
    runs: Any = single_run
    runs.measure_tests = noted(runs.measure_tests, "tests")
    for name in ("draw_plots", "plot_representations", "plot_frontier"):
        setattr(runs, name, lambda *_: None)  # seconds, and nothing goes on from a picture


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import_module("torch._dynamo")  # the first step of a new process would else wait for it
    import recbole_invariant.quick_start
    import recbole_invariant.trainer.idea
    import recbole_invariant.trainer.irl4rec
    import recbole_invariant.trainer.painvrl  # noqa: F401

    phase, number = sys.argv[2].split(":")
    aimed = (phase, int(number)) if phase else None
    sys.exit(command(sys.argv[3:], Path(sys.argv[1]), aimed))
