"""A trial as Ray runs it: in a worker, with a folder, a log, and reports that go to the driver."""

import json
import os
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recbole_invariant.files import write_atomically
from recbole_invariant.logs import logging_to
from recbole_invariant.tuning.journal import Report
from recbole_invariant.tuning.plan import SearchPlan
from recbole_invariant.tuning.storage import Storage
from recbole_invariant.tuning.trial import FAILURE_FILE, run_trial
from recbole_invariant.tuning.trial_folder import folder_name, trial_folder

REPORT_KEY = "report"
"""Under which a report goes to the driver, as JSON: Ray would flatten a mapping."""

LOG_FILE = "log.txt"
SPENT_FILE = "seconds.txt"
"""Seconds of a trial until its last report."""


def trial_name(number: int) -> str:
    """Return Ray's name of a trial."""
    return f"trial_{number:03d}"


def run_in_worker(config: dict[str, Any], plan: SearchPlan, storage: Storage) -> None:
    """Run one trial; a failure of it is written down, and is no failure to Ray.

    Ray starts a trial again whose process died; one that raises would only raise again.

    Args:
        config: `member`: the trial as the driver hands it out (`driver.Handed`).
        plan: of the search.
        storage: its folder.
    """
    from ray import tune

    from recbole_invariant.tuning import population

    member, is_member = config["member"], plan.scheduler == "pbt"
    number = int(member["number"])
    with trial_folder(storage, number) as (folder, push), logging_to(folder / LOG_FILE, "info"):
        # an older failure was not journalled, or the trial would not run
        storage.remove(f"{folder_name(number)}/{FAILURE_FILE}")
        (folder / FAILURE_FILE).unlink(missing_ok=True)

        def send(report: Report) -> None:
            write_atomically(folder / SPENT_FILE, str(report.seconds))
            push()
            told = {REPORT_KEY: json.dumps(asdict(report))}
            if is_member:
                population.tell(number, told)
            else:
                tune.report(told)

        try:
            if is_member:
                population.copy_source(number, member["source"], storage, folder)
            spent, devices = max(member["spent"], _spent(folder)), _devices(plan)
            run_trial(plan, number, member["options"], folder, send, spent, devices=devices)
        except Exception:
            failure = {"traceback": traceback.format_exc()}
            write_atomically(folder / FAILURE_FILE, json.dumps(failure))


def _spent(folder: Path) -> float:
    """Return the seconds of earlier parts, which Ray does not tell a trial that it starts again."""
    path = folder / SPENT_FILE
    return float(path.read_text(encoding="utf-8")) if path.is_file() else 0.0


def _devices(plan: SearchPlan) -> str | None:
    """Return the GPUs that Ray gave this trial, as RecBole's `gpu_id`.

    RecBole writes that option into the variable from which Ray's choice is read.
    """
    return os.environ.get("CUDA_VISIBLE_DEVICES", "0") if plan.gpus_per_trial else None
