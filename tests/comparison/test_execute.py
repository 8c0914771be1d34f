"""Runs as processes: failures, interruptions, labels. The processes here train nothing."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from recbole_invariant.comparison import worker
from recbole_invariant.comparison.execute import execute, threads_per_run
from recbole_invariant.comparison.plan import PlannedRun
from recbole_invariant.run_start import CHECKPOINTS, Start, write_start
from recbole_invariant.trainer.checkpoint_folder import LAST

FAKE = """
import json, os, pathlib, sys, time
given = json.loads(sys.stdin.readline())
goes_on = "resume" in given
place = [given["resume"]] if goes_on else [given["output_dir"], given["run_name"]]
folder = pathlib.Path(*place)
folder.mkdir(parents=True, exist_ok=goes_on)
(folder / "pid").write_text(str(os.getpid()))
begun = time.time()
if given["model"] == "Broken":
    print("first\\nraise x\\n      ^^^\\nValueError: it broke")
    sys.exit(1)
time.sleep(60 if given["model"] == "Slow" else 0.3)
(folder / "times").write_text(f"{begun} {time.time()}")
(folder / "run.json").write_text(json.dumps({"baselines": {}, "given": given}))
"""
COMMAND = (sys.executable, "-S", "-c", FAKE)


def planned(folder: Path, model: str, seed: int = 1) -> PlannedRun:
    name = f"{model}-seed{seed}"
    options = {"seed": str(seed)}
    return PlannedRun(model, 3, model, "toy", seed, options, {"a": 1}, ["b.yaml"], folder / name)


def test_runs_are_done_a_few_at_a_time_and_get_their_label(tmp_path):
    runs = [planned(tmp_path / "runs", f"M{i}") for i in range(4)]
    lines: list[str] = []

    outcomes = execute(runs, 2, tmp_path / "logs", lines.append, COMMAND)

    assert {outcome.run.label for outcome in outcomes} == {"M0", "M1", "M2", "M3"}
    assert all(outcome.problem is None and outcome.run.is_done for outcome in outcomes)
    times = [tuple(map(float, (r.folder / "times").read_text().split())) for r in runs]
    together = [sum(a <= begun < b for a, b in times) for begun, _ in times]
    assert max(together) == 2
    record = json.loads((runs[0].folder / "run.json").read_text())
    assert record["given"]["command_line"] == {"seed": "1"}
    assert record["given"]["config"] == {"a": 1}
    assert record["given"]["config_files"] == ["b.yaml"]
    label = json.loads((runs[0].folder / "compare.json").read_text())
    assert label == {"label": "M0", "position": 3}
    assert lines[0].startswith("[1/4] M")
    assert "left" in lines[0]
    assert "left" not in lines[3]


def test_one_failure_does_not_stop_the_others(tmp_path):
    runs = [planned(tmp_path / "runs", name) for name in ("Broken", "M")]

    outcomes = execute(runs, 1, tmp_path / "logs", lambda _: None, COMMAND)

    problem = outcomes[0].problem
    assert problem is not None
    assert problem.startswith("exit code 1; ")
    assert problem.endswith("Broken-seed1.log ends: first | raise x | ValueError: it broke")
    assert outcomes[1].problem is None
    assert not (runs[0].folder / "compare.json").exists()


def test_an_interrupted_run_goes_on_from_its_checkpoint(tmp_path):
    run = planned(tmp_path / "runs", "M")
    begun = Start("M", "m.M", "toy", {}, "1", {}, "", {}, 1, "2026-01-01", [])
    write_start(run.folder, begun)
    (run.folder / CHECKPOINTS / LAST).write_bytes(b"weights")

    assert execute([run], 1, tmp_path / "logs", lambda _: None, COMMAND)[0].problem is None
    given = json.loads((run.folder / "run.json").read_text())["given"]
    assert given["resume"] == str(run.folder)
    assert given["command_line"] == {"seed": "1"}
    assert (run.folder / CHECKPOINTS / LAST).exists()


def test_what_a_run_without_a_checkpoint_left_is_replaced(tmp_path):
    run = planned(tmp_path / "runs", "M")
    run.folder.mkdir(parents=True)
    (run.folder / "history.jsonl").write_text("half")

    assert execute([run], 1, tmp_path / "logs", lambda _: None, COMMAND)[0].problem is None
    assert not (run.folder / "history.jsonl").exists()


def test_an_interruption_ends_the_children(tmp_path):
    runs = [planned(tmp_path / "runs", name) for name in ("M", "Slow")]

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(runs, 2, tmp_path / "logs", interrupt, COMMAND)

    pid = int((runs[1].folder / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not runs[1].is_done


def test_a_worker_ends_when_its_parent_is_gone():
    # found from the checkout too: a failing import would be quicker than the watching thread
    environment = {**os.environ, "PYTHONPATH": str(Path(worker.__file__).parents[2])}
    child = subprocess.Popen(
        [sys.executable, str(worker.__file__)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    assert child.stdin is not None
    child.stdin.write(b'{"model": "NoSuchModel"}\n')
    child.stdin.close()  # what the operating system does for a parent that was killed

    assert child.wait(20) == worker.ORPHANED


def test_a_worker_reads_its_line_and_leaves_the_rest(monkeypatch):
    reading, writing = os.pipe()
    monkeypatch.setattr(worker, "STDIN", reading)
    os.write(writing, b'{"a": 1}\nmore')

    assert worker._first_line() == b'{"a": 1}\n'
    assert os.read(reading, 10) == b"more"
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    watch = threading.Thread(target=worker._end_with_parent)
    watch.start()
    time.sleep(0.05)
    assert ended == []
    os.close(writing)
    watch.join(5)
    assert ended == [worker.ORPHANED]


def test_cores_are_shared_out(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = len(os.sched_getaffinity(0))

    assert threads_per_run(1) == cores
    assert threads_per_run(10 * cores) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [("1", [1, 1]), ("3,1", [3, 3]), (" 6 ", [6, 4]), ("99", [8, 4]), ("", [8, 4]), ("0", [8, 4])],
)
def test_a_run_never_gets_more_threads_than_the_environment_allows(monkeypatch, given, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setenv("OMP_NUM_THREADS", given)

    assert [threads_per_run(jobs) for jobs in (1, 2)] == expected
