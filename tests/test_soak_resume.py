"""benchmarks/soak_resume.py: three real kills, and how it counts them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.soak_report import Case, Kill, report

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_three_kills_are_survived() -> None:
    # in a process of its own: what is forked from this one would have locks of other tests' threads
    command = [sys.executable, "-m", "benchmarks.soak_resume", "--kills=3", "--models=BPR"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    survived = re.search(r"(\d+) of (\d+) kills survived", ended.stdout)
    assert survived is not None
    assert survived[1] == survived[2]
    assert int(survived[1]) >= 3


def test_a_run_that_differs_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    report(
        [
            Case("BPR", [Kill("train", "steps", "nothing"), Kill("train", "steps", "nothing")]),
            Case("BPR", [Kill("train", "checkpoint", "between epochs")], ["metrics"]),
        ]
    )
    shown = capsys.readouterr().out
    assert "1 of 2 runs are the same" in shown
    assert "2 of 3 kills survived" in shown
    assert "killed in: steps 2, checkpoint 1" in shown
