"""The end of a search: its best options as an ordinary run, whose tests are opened once."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recbole_invariant.evaluation import records
from recbole_invariant.quick_start import run
from recbole_invariant.single_run import RunResult
from recbole_invariant.tuning.plan import SearchPlan
from recbole_invariant.tuning.refit import TRAIN_AND_VALID, refit_options
from recbole_invariant.tuning.storage import Storage
from recbole_invariant.tuning.trial import run_trial
from recbole_invariant.tuning.trial_folder import folder_name, trial_folder

BEST_FOLDER = "best"
NEW_FOLDER = "best.part"
"""Where a refit is made before it is whole."""


def refit_best(
    plan: SearchPlan, storage: Storage, best: Mapping[str, Any], report: Callable[[str], None]
) -> dict[str, Any] | None:
    """Train the best options anew and measure the tests, once.

    Args:
        plan: of the search.
        storage: its folder; the run folder is `best` in it.
        best: the best trial of the summary.
        report: takes the lines of progress.

    Returns:
        The record of that run (`run.json`); one that is there already is not made again.
    """
    options = {**plan.run_options(), **best["options"]}
    # with the devices of the trials, so that it is the same training
    options.setdefault("use_gpu", plan.gpus_per_trial > 0)
    if plan.refit == TRAIN_AND_VALID:
        options |= _epochs(plan, storage, best, report)
    done = storage.read(f"{BEST_FOLDER}/{records.RUN_FILE}")
    if done is not None:
        content: dict[str, Any] = json.loads(done)
        if _is_the_same(content, {**plan.defaults, **best["options"]}, options):
            report(f"refit: trial {best['number']} was refitted before: {BEST_FOLDER}/")
            return content
        report(f"refit: {BEST_FOLDER}/ is of another one; it is replaced when this one is done")
    rows = "training and validation rows" if plan.refit == TRAIN_AND_VALID else "training rows"
    report(f"refit: the options of trial {best['number']} on {rows}, then the tests are opened")
    with _run_folder(storage) as parent:
        result: RunResult = run(
            plan.model, plan.dataset, config=options, output_dir=parent, run_name=NEW_FOLDER
        )
    report(result.table)
    return result.record


def _is_the_same(
    record: Mapping[str, Any], searched: Mapping[str, Any], options: Mapping[str, Any]
) -> bool:
    """Say whether a run was made with these options of the space, on these rows."""
    wanted = {**searched, "refit_epochs": options.get("refit_epochs")}
    there = record["options"]
    return all(there.get(key, {}).get("value") == value for key, value in wanted.items())


def _epochs(
    plan: SearchPlan, storage: Storage, best: Mapping[str, Any], report: Callable[[str], None]
) -> dict[str, Any]:
    """Return the options that fix the epochs of each stage to what the trial found best.

    A trial that was stopped early goes on to its end first: until then nobody knows them.
    """
    name = f"{folder_name(best['number'])}/{records.RUN_FILE}"
    content = storage.read(name)
    if content is None:
        report(f"trial {best['number']} was stopped early; it goes on to its end, for its epochs")
        with trial_folder(storage, best["number"]) as (folder, _):
            run_trial(plan, best["number"], best["options"], folder, lambda _: None)
            content = (folder / records.RUN_FILE).read_bytes()
    return refit_options(json.loads(content))


@contextmanager
def _run_folder(storage: Storage) -> Iterator[Path]:
    """Give the folder in which the run folder is made; what is there is replaced when it is whole.

    What a killed refit left is taken away: it is trained from the start.
    """
    if storage.is_local:
        new, old = storage.path / NEW_FOLDER, storage.path / BEST_FOLDER
        shutil.rmtree(new, ignore_errors=True)
        yield storage.path
        shutil.rmtree(old, ignore_errors=True)
        new.rename(old)
        return
    with tempfile.TemporaryDirectory(prefix="recbole-inv-") as scratch:
        yield Path(scratch)
        storage.push(Path(scratch) / NEW_FOLDER, BEST_FOLDER)
