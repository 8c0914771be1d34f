"""benchmarks/soak_resume.py: three real kills, and how it counts them."""

import os
import random
from pathlib import Path

import pytest
import torch

from benchmarks import soak_resume
from benchmarks.soak_report import Case, Kill, report
from benchmarks.soak_resume import Processes, soak


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_three_kills_are_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"BPR": (soak_resume.ITEMS, "--epochs=3 --train_batch_size=256")}
    monkeypatch.setattr(soak_resume, "MODELS", models)
    # a forked process has none of the threads that this one may have begun
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        soak_resume.write_data(tmp_path)
        processes = Processes(spawn=False, log=tmp_path / "log.txt")
        cases = soak(tmp_path, ["BPR"], 3, random.Random(0), processes)
    finally:
        torch.set_num_threads(before)
    assert sum(len(case.kills) for case in cases) >= 3
    assert [case.differences for case in cases] == [[]] * len(cases)


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
