"""Planned runs as processes, a few at a time."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import IO, Any

from recbole_invariant.comparison.collect import LABEL_FILE
from recbole_invariant.comparison.plan import PlannedRun
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.report.wording import roughly
from recbole_invariant.run_start import CHECKPOINTS, read_start
from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder

WORKER = (sys.executable, "-m", "recbole_invariant.comparison.worker")
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 5.0
LOG_LINES = 3


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        run: the run.
        seconds: how long it took.
        problem: None where it is done, or else what its log ends with.
    """

    run: PlannedRun
    seconds: float
    problem: str | None = None


@dataclass
class _Process:
    run: PlannedRun
    child: subprocess.Popen[bytes]
    log: Path
    begun: float

    @property
    def pipe(self) -> IO[bytes]:
        """The end of standard input that keeps the child alive."""
        assert self.child.stdin is not None  # it was opened as a pipe
        return self.child.stdin


def threads_per_run(jobs: int) -> int:
    """Share out the processor's cores, at most `OMP_NUM_THREADS` a run where that is set.

    Whoever sets it knows of other work on the machine: on cores that are busy, threads that wait
    for each other make a run many times slower.
    """
    share = max(1, len(os.sched_getaffinity(0)) // jobs)
    # OpenMP allows a list, one number a level of nesting; anything else it ignores as well
    limit = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(share, int(limit)) if limit.isdecimal() and int(limit) else share


def execute(
    runs: Sequence[PlannedRun],
    jobs: int,
    logs: Path,
    report: Callable[[str], None] = print,
    command: Sequence[str] = WORKER,
    lock: int | None = None,
) -> list[Outcome]:
    """Run what is not done; one failure does not stop the others.

    Children end with this process, however it ends.

    Args:
        runs: the runs to do, in order.
        jobs: how many at a time.
        logs: folder of what the processes print.
        report: takes a line for every run that ends.
        command: the process, which reads what to run from standard input.
        lock: file descriptor that every process holds open; see `only_here`.

    Returns:
        How each run ended, in the order in which they did.
    """
    waiting, running = list(runs), list[_Process]()
    outcomes: list[Outcome] = []
    logs.mkdir(parents=True, exist_ok=True)
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_start(waiting.pop(0), logs, jobs, command, lock))
            time.sleep(POLL_SECONDS)
            for process in [p for p in running if p.child.poll() is not None]:
                running.remove(process)
                outcomes.append(_end(process))
                left = [*waiting, *(p.run for p in running)]
                report(_progress(outcomes, left, len(runs), jobs))
    finally:
        _stop(running)
    return outcomes


def _start(
    run: PlannedRun, logs: Path, jobs: int, command: Sequence[str], lock: int | None
) -> _Process:
    """Start a run, or go on with what an interrupted one left."""
    goes_on = _goes_on(run.folder)
    if run.folder.exists() and not goes_on:
        shutil.rmtree(run.folder)
    given = {
        "model": run.model,
        "dataset": run.dataset,
        "config": run.config,
        "config_files": run.config_files,
        "command_line": run.command_line,
    }
    if goes_on:
        given |= {"resume": str(run.folder)}
    else:
        given |= {"output_dir": str(run.folder.parent), "run_name": run.folder.name}
    log = logs / f"{run.folder.name}.log"
    with log.open("wb") as file:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=_environment(jobs),
            pass_fds=() if lock is None else (lock,),
        )
    process = _Process(run, child, log, time.perf_counter())
    # a child that ended already says why in its log
    with suppress(BrokenPipeError):
        process.pipe.write(json.dumps(records.plain(given)).encode() + b"\n")
        process.pipe.flush()
    return process


def _goes_on(folder: Path) -> bool:
    """Whether a run folder has a checkpoint; its name stands for the same options and data."""
    try:
        read_start(folder)
    except InputError:
        return False
    return CheckpointFolder(folder / CHECKPOINTS).exists()


def _environment(jobs: int) -> dict[str, str]:
    """Let the child find what this process finds, with its share of the cores."""
    source = str(Path(__file__).parents[2])
    path = os.pathsep.join(dict.fromkeys([source, *(place for place in sys.path if place)]))
    threads = str(threads_per_run(jobs))
    return {"OMP_NUM_THREADS": threads, **os.environ, "PYTHONPATH": path}


def _end(process: _Process) -> Outcome:
    """Look at what an ended process left; a whole run gets its label."""
    seconds = time.perf_counter() - process.begun
    _close(process)
    run = process.run
    if process.child.returncode == 0 and run.is_done:
        write_label(run)
        return Outcome(run, seconds)
    lines = process.log.read_text(encoding="utf-8", errors="replace").splitlines()
    # lines of carets only underline the code above them
    last = [line.strip() for line in lines if line.strip(" ~^")][-LOG_LINES:]
    ended = f"exit code {process.child.returncode}; {process.log} ends: {' | '.join(last)}"
    return Outcome(run, seconds, ended)


def write_label(run: PlannedRun) -> None:
    """Write into a run folder which line of the comparison it is, and what found its options."""
    path = run.folder / LABEL_FILE
    content: dict[str, Any] = {"label": run.label, "position": run.position}
    content |= {"search": records.plain(run.search)} if run.search else {}
    if not path.is_file() or records.read_json(path) != content:
        records.write_json(path, content)


def _close(process: _Process) -> None:
    with suppress(BrokenPipeError):
        process.pipe.close()


def _stop(running: Sequence[_Process]) -> None:
    """End what still runs: ask, wait a little, then make sure."""
    for process in running:
        process.child.terminate()
    end = time.monotonic() + PATIENCE_SECONDS
    for process in running:
        try:
            process.child.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.child.kill()
            process.child.wait()
        _close(process)


def _progress(
    outcomes: Sequence[Outcome], left: Sequence[PlannedRun], total: int, jobs: int
) -> str:
    """Say how the last run ended and about how long the rest will take."""
    last = outcomes[-1]
    seconds: dict[str, list[float]] = {}
    for outcome in outcomes:
        seconds.setdefault(outcome.run.label, []).append(outcome.seconds)
    anything = fmean(outcome.seconds for outcome in outcomes)
    rest = sum(fmean(seconds.get(run.label, [anything])) for run in left) / jobs
    state = f"{last.seconds:.1f} s" if last.problem is None else f"failed, {last.problem}"
    after = f"; about {roughly(rest)} left" if left else ""
    return f"[{len(outcomes)}/{total}] {last.run.label} seed {last.run.seed}: {state}{after}"
