"""A search that is killed at five moments and goes on, beside one that is left alone.

    python -m benchmarks.killed_search

The driver gets SIGKILL in its pre-flight, before the first report, in the middle of a trial, as a
trial ends and in the refit; `tune --resume` goes on each time (after the first, where nothing is
written yet, the same command). One trial at a time, so that both searches see the same order of
events: then every report, every stopped trial and the sealed result must be the same.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tabulate import tabulate

TUNE = (sys.executable, "-m", "run_recbole_inv", "tune")
PATIENCE_SECONDS = 1800.0


def main() -> int:
    """Run both searches and compare them; 0 where nothing differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=15)
    given = parser.parse_args()
    words = [
        "--model", "BPR", "--trials", str(given.trials), f"--epochs={given.epochs}",
        "--stopping_step=99", "--grace_period", "3", "--max_concurrent", "1",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        begin = [*TUNE, *words, "--storage", str(folder)]
        begun = time.perf_counter()
        subprocess.run([*begin, "--run_name", "whole"], check=True, capture_output=True)
        alone = time.perf_counter() - begun
        killed = folder / "killed"
        rows = kill_and_resume([*begin, "--run_name", "killed"], killed, given.trials)
        print(tabulate(rows, ["killed", "after events", "trials ended", "reports"]))
        problems = differences(folder / "whole", killed)
        print(
            f"\nuninterrupted {alone:.0f} s; {len(rows)} kills; differences: {problems or 'none'}"
        )
        return int(bool(problems))


def kill_and_resume(begin: list[str], folder: Path, trials: int) -> list[list[Any]]:
    """Kill the driver at five moments, then let it finish."""
    resume = [*TUNE, "--resume", str(folder)]
    moments: list[tuple[str, list[str], Callable[[], bool]]] = [
        ("in the pre-flight", begin, lambda: True),
        ("before the first report", begin, lambda: count(folder, "proposed") >= 1),
        ("in the middle of a trial", resume, lambda: count(folder, "report") >= 8),
        ("as a trial ended", resume, lambda: count(folder, "ended") >= 2),
        ("in the refit", resume, lambda: (folder / "best" / "history.jsonl").exists()),
    ]
    rows = []
    for name, command, is_time in moments:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if name == "in the pre-flight":
            time.sleep(6.0)  # imports take about as long; nothing tells from outside
        end = time.monotonic() + PATIENCE_SECONDS
        while not is_time() and child.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        found = [count(folder, event) for event in ("", "ended", "report")]
        rows.append([name, *found])
    subprocess.run(resume, check=True, capture_output=True)
    return rows


def events(folder: Path) -> list[dict[str, Any]]:
    """Read the journal as far as it goes."""
    path = folder / "journal.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def count(folder: Path, event: str) -> int:
    """Count the events of a kind; of all kinds for an empty name."""
    return sum(event in ("", one["event"]) for one in events(folder))


def differences(whole: Path, killed: Path) -> list[str]:
    """Say in what two searches differ."""
    found = []
    for name, keys in (
        ("proposed", ("trial", "options")),
        ("report", ("trial", "stage", "epoch", "values")),
        ("ended", ("trial", "status")),
    ):
        both = [
            sorted(
                json.dumps([one[key] for key in keys])
                for one in events(folder)
                if one["event"] == name
            )
            for folder in (whole, killed)
        ]
        if both[0] != both[1]:
            found.append(f"{name}: {len(set(both[0]) ^ set(both[1]))} of {len(both[0])}")
    records = [
        json.loads((folder / "best" / "run.json").read_text(encoding="utf-8"))["metrics"]
        for folder in (whole, killed)
    ]
    return found + (["sealed result"] if records[0] != records[1] else [])


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
