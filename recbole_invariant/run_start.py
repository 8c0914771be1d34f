"""How a run began: what a later process needs to go on with it, and what it is checked against."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from recbole_invariant.comparison.fingerprint import (
    WITHOUT_EFFECT,
    data_fingerprint,
    source_checksum,
)
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.registry import ModelEntry

CHECKPOINTS = "checkpoint"
START_FILE = Path(CHECKPOINTS, "start.json")

FREE = (WITHOUT_EFFECT - {"baselines", "baseline_options"}) | {"worker"}
"""Options that a resumed run may be given anew; baselines stand in the table of a run."""


@dataclass(frozen=True)
class Start:
    """What is written of a run before its data is loaded.

    Attributes:
        model: its name; `model_class` is the dotted path of its class.
        dataset: name of the dataset.
        options: option -> `value` and `layer`.
        configuration: checksum of model, dataset and of all options that may change the result.
        data: SHA-256 of every file that it may read.
        source: checksum of a user's own model, empty for ours and RecBole's.
        versions: of this package and of the libraries.
        threads: of torch.
        began: time in UTC.
        warnings: what the user set without effect.
    """

    model: str
    model_class: str
    dataset: str
    options: dict[str, dict[str, Any]]
    configuration: str
    data: dict[str, str]
    source: str
    versions: dict[str, str | None]
    threads: int
    began: str
    warnings: list[str]


def describe_start(config: Any, entry: ModelEntry) -> Start:
    """Describe a run that is about to begin.

    Args:
        config: resolved options (`RunConfig`).
        entry: the model.
    """
    options = records.options_of(config)
    path = f"{entry.model_class.__module__}.{entry.model_class.__qualname__}"
    fixed = {key: option["value"] for key, option in options.items() if key not in FREE}
    content = json.dumps([path, config["dataset"], fixed], sort_keys=True)
    return Start(
        model=entry.name,
        model_class=path,
        dataset=config["dataset"],
        options=options,
        configuration=hashlib.sha256(content.encode()).hexdigest()[:16],
        data=data_fingerprint(config, {}),
        source=source_checksum(entry.model_class),
        versions=records.versions(),
        threads=torch.get_num_threads(),
        began=datetime.now(UTC).isoformat(),
        warnings=list(config.warnings),
    )


def write_start(run_dir: Path, start: Start) -> None:
    """Write how a run begins, and its options once more as YAML: the run folder has none so far."""
    records.write_config(run_dir / CHECKPOINTS, start.options)
    records.write_json(run_dir / START_FILE, asdict(start))


def read_start(run_dir: Path) -> Start:
    """Read how a run began.

    Raises:
        InputError: the folder is not there, not of a run, or of a version without `--resume`.
    """
    if not run_dir.is_dir():
        raise InputError(f"resume: there is no folder {run_dir}; expected auto or a run folder.")
    path = run_dir / START_FILE
    if not path.is_file():
        old = (run_dir / records.CONFIG_FILE).is_file()
        why = (
            "it is of a version that could not resume yet"
            if old
            else "it is no run folder, or the run was killed as it began"
        )
        raise InputError(f"resume: {run_dir} has no {START_FILE}: {why}. Start the run anew.")
    try:
        return Start(**records.read_json(path))
    except TypeError as error:
        raise InputError(
            f"resume: {path} is not of this version ({error}). Start the run anew."
        ) from error


def is_finished(run_dir: Path) -> bool:
    """Whether a folder holds a whole run, with baselines and control."""
    path = run_dir / records.RUN_FILE
    # the record gets this key when everything else of the run is written
    return path.is_file() and "baselines" in records.read_json(path)
