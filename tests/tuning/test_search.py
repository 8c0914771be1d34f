"""A whole search over Ray, from the command to the sealed tests, and one that is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.cli.main import main
from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.quick_start import run
from recbole_invariant.tuning.driver import Driver
from recbole_invariant.tuning.journal import JOURNAL_FILE, Report
from recbole_invariant.tuning.plan import SearchPlan, read_plan, write_plan
from recbole_invariant.tuning.ray_trial import REPORT_KEY
from recbole_invariant.tuning.storage import Storage
from recbole_invariant.tuning.summary import summarise
from recbole_invariant.tuning.trial import run_trial
from recbole_invariant.tuning.trial_folder import trial_folder
from tests.host import write_toy
from tests.tuning.toy_search import RayTrial

pytest.importorskip("ray.tune")

from recbole_invariant.tuning.schedulers import make_scheduler

ROOT = Path(__file__).parents[2]
OPTIONS = [
    "--epochs=5", "--eval_step=1", "--stopping_step=9", "--topk=[5,10]", "--positive_threshold=2",
    "--train_batch_size=128", "--ood=popularity", "--use_gpu=false", "--show_progress=false",
    "--state=ERROR",
]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search")
    write_toy(path, n_users=60, ratings=True)
    # the second rate makes the loss infinite
    (path / "space.yaml").write_text("learning_rate: [0.05, 1.0e+30]\nembedding_size: [4, 8]\n")
    return path


def words(data: Path, *more: str) -> list[str]:
    own = ["--model", "BPR", "--dataset", "toy", "--data_path", str(data)]
    return ["tune", *own, *OPTIONS, "--storage", str(data / "searches"), *more]


@pytest.fixture(scope="module")
def folder(data: Path) -> Path:
    """A finished search of all four settings and the defaults."""
    space = ["--space", str(data / "space.yaml"), "--searcher", "grid", "--trials", "99"]
    assert main(words(data, *space, "--run_name", "grid", "--max_concurrent", "2")) == 0
    return data / "searches" / "grid"


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_setting_is_tried_and_failures_stop_nothing(folder):
    summary = read(folder / "summary.json")
    assert summary["counts"]["failed"] == 2
    assert summary["counts"]["done"] + summary["counts"]["stopped"] == 3
    failed = [trial for trial in summary["trials"] if trial["status"] == "failed"]
    assert {trial["options"]["learning_rate"] for trial in failed} == {1e30}
    assert "TrainingError" in failed[0]["problem"]
    assert "TrainingError" in (folder / "table.md").read_text()


def test_the_best_is_refitted_and_reaches_on_validation_what_its_trial_did(folder):
    summary = read(folder / "summary.json")
    best = next(one for one in summary["trials"] if one["number"] == summary["best"])
    record = read(folder / "best" / "run.json")
    value = best["values"]["valid:ndcg@10"]
    assert record["metrics"]["valid"]["ndcg@10"] == pytest.approx(value)
    assert {"iid", "ood_popularity"} <= record["metrics"].keys()
    for name, chosen in best["options"].items():
        assert record["options"][name]["value"] == chosen


def test_the_file_of_best_options_repeats_the_refit(folder, data):
    files = [str(folder / "best.yaml")]
    own = {"data_path": str(data)}
    again = run("BPR", "toy", config=own, config_files=files, output_dir=data / "again")
    assert again.metrics == read(folder / "best" / "run.json")["metrics"]


def test_nothing_of_a_test_is_in_the_trials_and_nothing_of_rays_stays(folder):
    for path in folder.glob("trials/*/run.json"):
        assert set(read(path)["metrics"]) == {"valid"}
    assert not list(folder.glob("trials/*/per_user.parquet"))
    assert "iid" not in (folder / JOURNAL_FILE).read_text()
    assert not list(folder.rglob("*.pkl"))
    assert [found.folder.name for found in find_runs(folder)] == ["best"]


def test_a_finished_search_runs_nothing_again(folder, capsys):
    before = (folder / JOURNAL_FILE).read_text()
    assert main(["tune", "--resume", str(folder)]) == 0
    events = [json.loads(line)["event"] for line in before.splitlines()]
    after = [json.loads(line)["event"] for line in (folder / JOURNAL_FILE).read_text().splitlines()]
    assert after == [*events, "session"]
    assert "was refitted before" in capsys.readouterr().out


@pytest.mark.timeout(900)  # two starts of Ray; a minute on a quiet machine
def test_a_search_whose_driver_is_killed_ends_as_one_without_ray_and_kill(data, tmp_path):
    """One trial at a time, so that both see the same order of events."""
    command = [sys.executable, str(ROOT / "run_recbole_inv.py")]
    given = ["--trials", "4", "--max_concurrent", "1", "--grace_period", "2", "--refit", "none"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def start(*more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*command, *more], env=environment, cwd=data, stdout=subprocess.DEVNULL
        )

    folder = data / "searches" / "killed"
    journal = folder / JOURNAL_FILE
    child = start(*words(data, *given, "--run_name", "killed"))
    end = time.monotonic() + 200
    while time.monotonic() < end and child.poll() is None:
        if journal.is_file() and journal.read_text().count('"report"') >= 7:
            break
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert journal.read_text().count('"session"') == 1
    assert start("tune", "--resume", str(folder)).wait() == 0
    assert journal.read_text().count('"proposed"') == 4
    alone = one_after_the_other(read_plan(Storage.open(folder)), tmp_path)
    assert told(read(folder / "summary.json")) == told(alone)


class Stopped(BaseException):
    """Ends a trial as Ray does."""


def one_after_the_other(plan: SearchPlan, folder: Path) -> dict[str, Any]:
    """Run a search in this process, without Ray."""
    storage = Storage.open(folder)
    write_plan(storage, plan)
    driver = Driver(plan, storage, lambda _: None)
    scheduler: Any = make_scheduler(driver)
    while (handed := driver.next_trial()) is not None:
        trial = RayTrial(f"ray{handed.number}", handed.number)
        scheduler.on_trial_add(None, trial)

        def send(report: Report, trial: RayTrial = trial) -> None:
            text = json.dumps(asdict(report))
            if scheduler.on_trial_result(None, trial, {REPORT_KEY: text}) == "STOP":
                raise Stopped

        with trial_folder(storage, handed.number) as (own, _), suppress(Stopped):
            run_trial(plan, handed.number, handed.options, own, send)
        scheduler.on_trial_complete(None, trial, {})
        driver.end_trial(handed.number)
    return summarise(plan.record(), list(driver.journal.trials.values()), 0.0)


def told(summary: dict[str, Any]) -> list[list[Any]]:
    keys = ("number", "options", "status", "values", "validations", "curve")
    return [summary["best"], *([trial[key] for key in keys] for trial in summary["trials"])]
