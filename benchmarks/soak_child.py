"""The killed side of `soak_resume.py`: the command line, with its position told from outside.

A process that gets SIGKILL says nothing any more. So every part of a training notes beforehand, in
a file that is mapped into memory, what it is about to do.
"""

import mmap
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

SIZE = 256


def write_position(file: mmap.mmap, *words: str) -> None:
    """Note where the process is."""
    text = "|".join(words).encode()
    file[:SIZE] = text.ljust(SIZE, b"\0")


def read_position(path: Path) -> tuple[str, str]:
    """Return stage and phase of the process that notes in a file."""
    text = path.read_bytes().rstrip(b"\0").decode() if path.is_file() else ""
    stage, _, phase = text.partition("|")
    return stage, phase


def command(words: list[str], position: Path) -> int:
    """Run the command line in this process, noting its position; return its exit code."""
    position.write_bytes(b"\0" * SIZE)
    with position.open("r+b") as opened:
        file = mmap.mmap(opened.fileno(), SIZE)
    _note_stages(file)
    from recbole_invariant.cli.main import main

    return main(words)


def _note_stages(file: mmap.mmap) -> None:
    """Let all stages, validations, checkpoints and tests note themselves."""
    from recbole_invariant import single_run
    from recbole_invariant.trainer import stage as stages
    from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder
    from recbole_invariant.trainer.stages import StagedTrainer

    now = {"stage": "", "phase": ""}

    def noted(function: Callable[..., Any], phase: str, returns: bool = False) -> Any:
        @wraps(function)
        def inner(*arguments: Any, **named: Any) -> Any:
            before = dict(now)
            if isinstance(arguments[0], stages.Stage):
                now["stage"] = arguments[0].name
            now["phase"] = phase
            write_position(file, now["stage"], phase)
            result = function(*arguments, **named)
            if returns:
                now.update(before)
                write_position(file, now["stage"], now["phase"])
            return result

        return inner

    def every(kind: type[Any]) -> list[type[Any]]:
        found = [kind]
        for narrower in kind.__subclasses__():
            found += every(narrower)
        return found

    for kind in every(stages.Stage):
        for name, phase in (("begin", "begin"), ("step", "steps"), ("end", "switch")):
            if name in vars(kind):
                setattr(kind, name, noted(vars(kind)[name], phase))
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
    import recbole_invariant.quick_start
    import recbole_invariant.trainer.idea
    import recbole_invariant.trainer.irl4rec
    import recbole_invariant.trainer.painvrl  # noqa: F401

    sys.exit(command(sys.argv[2:], Path(sys.argv[1])))
