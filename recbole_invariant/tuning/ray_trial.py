"""A trial as Ray runs it: in a worker, with a folder, a log, and reports that go to the driver."""

import json
import os
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recbole_invariant.files import write_atomically
from recbole_invariant.logs import logging_to
from recbole_invariant.tuning.journal import Report
from recbole_invariant.tuning.plan import SearchPlan
from recbole_invariant.tuning.storage import Storage
from recbole_invariant.tuning.trial import FAILURE_FILE, folder_name, run_trial

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
    with _workspace(storage, number) as (folder, push), logging_to(folder / LOG_FILE, "info"):

        def send(report: Report) -> None:
            push()
            told = {REPORT_KEY: json.dumps(asdict(report))}
            tune.report(told, checkpoint=pointer(number) if is_member else None)

        try:
            if is_member:
                copy_source(number, storage, folder)
            options = _placed(plan, member["options"])
            run_trial(plan, number, options, folder, send, member["spent"])
        except Exception:
            failure = {"traceback": traceback.format_exc()}
            write_atomically(folder / FAILURE_FILE, json.dumps(failure))
        finally:
            push()


def _placed(plan: SearchPlan, options: dict[str, Any]) -> dict[str, Any]:
    """Let RecBole use the GPUs that Ray gave this trial, and no others."""
    if not plan.gpus_per_trial:
        return options
    # RecBole writes gpu_id into the variable from which Ray's choice is read
    return {**options, "gpu_id": os.environ.get("CUDA_VISIBLE_DEVICES", "0")}


@contextmanager
def _workspace(storage: Storage, number: int) -> Iterator[tuple[Path, Any]]:
    """Give a trial its folder: its own place where that is local, or a copy that is sent on."""
    place = folder_name(number)
    if storage.is_local:
        folder = storage.path / place
        folder.mkdir(parents=True, exist_ok=True)
        yield folder, lambda: None
        return
    with tempfile.TemporaryDirectory(prefix="recbole-inv-") as scratch:
        folder = Path(scratch)
        storage.pull(place, folder)
        yield folder, lambda: storage.push(folder, place)
