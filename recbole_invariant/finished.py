"""Runs that are done: their results are read from their folders, not made again."""

from pathlib import Path
from shutil import rmtree
from typing import Any

import pandas as pd

from recbole_invariant.evaluation import records
from recbole_invariant.registry import ModelEntry
from recbole_invariant.single_run import RunResult, train_and_test
from recbole_invariant.trainer.snapshots import FOLDER

COMPANIONS = ("baselines", "control", "shift")
"""Entries of `run.json` that only the run as a whole has."""


def train_once(config: Any, entry: ModelEntry, run_dir: Path) -> RunResult:
    """Run one model, or read its result where it is done; see `train_and_test`."""
    if not (run_dir / records.RUN_FILE).is_file():
        return train_and_test(config, entry, run_dir)
    # a run that was killed as it ended has them still
    rmtree(run_dir / "checkpoint" / FOLDER, ignore_errors=True)
    return read_result(run_dir)


def read_result(run_dir: Path) -> RunResult:
    """Read the result of one model.

    Args:
        run_dir: a folder with `run.json`.

    Raises:
        InputError: a file of it cannot be read.
    """
    record = records.read_json(run_dir / records.RUN_FILE)
    own = {key: value for key, value in record.items() if key not in COMPANIONS}
    path, per_user = run_dir / records.PER_USER_FILE, {}
    if path.is_file():
        table = pd.read_parquet(path)
        per_user = {
            str(split): rows.drop(columns="split").reset_index(drop=True)
            for split, rows in table.groupby("split", sort=False)
        }
    return RunResult(record["metrics"], run_dir, own, per_user)


def read_whole(run_dir: Path) -> RunResult:
    """Read the result of a run with its baselines and its control."""
    record = records.read_json(run_dir / records.RUN_FILE)
    result = read_result(run_dir)
    baselines = {
        label: read_result(run_dir / place) for label, place in record["baselines"].items()
    }
    control = read_result(run_dir / record["control"]) if record["control"] else None
    return RunResult(result.metrics, run_dir, result.record, result.per_user, baselines, control)
