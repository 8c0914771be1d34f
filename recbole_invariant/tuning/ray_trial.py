"""A trial as Ray runs it: in a worker, with a folder, a log, and reports that go to the driver."""

import json
import os
import traceback
from dataclasses import asdict
from typing import Any

from recbole_invariant.files import write_atomically
from recbole_invariant.logs import logging_to
from recbole_invariant.tuning.journal import Report
from recbole_invariant.tuning.plan import SearchPlan
from recbole_invariant.tuning.storage import Storage
from recbole_invariant.tuning.trial import FAILURE_FILE, run_trial
from recbole_invariant.tuning.trial_folder import trial_folder

REPORT_KEY = "report"
"""Under which a report goes to the driver, as JSON: Ray would flatten a mapping."""

LOG_FILE = "log.txt"


def trial_name(number: int) -> str:
    """Return Ray's name of a trial."""
    return f"trial_{number:03d}"


def run_in_worker(config: dict[str, Any], plan: SearchPlan, storage: Storage) -> None:
    """Run one trial; a failure of it is written down, and is no failure to Ray.

    Ray starts a trial again whose process died; one that raises would only raise again.

    Args:
        config: `member`: `number`, `options` and `spent` of the trial.
        plan: of the search.
        storage: its folder.
    """
    from ray import tune

    from recbole_invariant.tuning.population import copy_source, pointer

    member, is_member = config["member"], plan.scheduler == "pbt"
    number = int(member["number"])
    with trial_folder(storage, number) as (folder, push), logging_to(folder / LOG_FILE, "info"):

        def send(report: Report) -> None:
            push()
            told = {REPORT_KEY: json.dumps(asdict(report))}
            tune.report(told, checkpoint=pointer(number) if is_member else None)

        try:
            if is_member:
                copy_source(number, storage, folder)
            spent, devices = member["spent"], _devices(plan)
            run_trial(plan, number, member["options"], folder, send, spent, devices=devices)
        except Exception:
            failure = {"traceback": traceback.format_exc()}
            write_atomically(folder / FAILURE_FILE, json.dumps(failure))


def _devices(plan: SearchPlan) -> str | None:
    """Return the GPUs that Ray gave this trial, as RecBole's `gpu_id`.

    RecBole writes that option into the variable from which Ray's choice is read.
    """
    return os.environ.get("CUDA_VISIBLE_DEVICES", "0") if plan.gpus_per_trial else None
