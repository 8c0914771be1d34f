"""A run from what the user typed to the table: the model, its baselines, its control."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from logging import getLogger
from pathlib import Path
from typing import Any

import torch

from recbole_invariant.companions import add_baselines, add_control, baseline_configs
from recbole_invariant.config import build_config
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.files import make_folder, remove_leftovers, write_atomically
from recbole_invariant.finished import read_whole, train_once
from recbole_invariant.folder_lock import only_here
from recbole_invariant.interruption import remains_noted
from recbole_invariant.logs import logging_to
from recbole_invariant.registry import ModelEntry, resolve
from recbole_invariant.report.plots import iid_against_ood, save_figure
from recbole_invariant.report.run_table import run_table
from recbole_invariant.resume import (
    AUTO,
    Given,
    changes_since,
    entry_of,
    find_unfinished,
    stored_config,
    whence,
)
from recbole_invariant.run_start import (
    CHECKPOINTS,
    describe_start,
    is_finished,
    read_start,
    write_start,
)
from recbole_invariant.single_run import RunResult

__all__ = ["RunResult", "run"]

DEFAULT_MODEL, DEFAULT_DATASET = "PaInvRL", "ml-100k"

PATIENCE_SECONDS = 2.0
"""For which a process that was just killed may still hold its run folder."""


@dataclass(frozen=True)
class _Asked:
    """A run whose options are resolved and whose folder is there.

    Attributes:
        make_config: resolves the options again; `config` is one of these.
        said: lines for the log before anything else; warnings are `warned`.
        is_new: whether the folder was made for it.
    """

    entry: ModelEntry
    config: Any
    make_config: Callable[[], Any]
    folder: Path
    said: Sequence[str] = ()
    warned: Sequence[str] = ()
    is_new: bool = False


def run(
    model: str | type | None = None,
    dataset: str | None = None,
    config: Mapping[str, Any] | None = None,
    config_files: Sequence[str] | None = None,
    output_dir: str | Path = "runs",
    run_name: str | None = None,
    command_line: Mapping[str, str] | None = None,
    resume: str | Path | None = None,
) -> RunResult:
    """Train and test a model, then the option `baselines` on the same split.

    Args:
        model: name of one of our models or RecBole's, a dotted path, or a class; PaInvRL by
            default.
        dataset: name of the dataset; ml-100k by default.
        config: options by key, of the same layer as the command line.
        config_files: YAML files of options, later ones win.
        output_dir: where run folders are made.
        run_name: name of this run's folder; by default model, dataset and time.
        command_line: options as text, as the command line gives them.
        resume: a run folder to go on with, whose options hold; or `auto` for the newest unfinished
            one of these options in `output_dir`, and a new run where there is none.

    Returns:
        Metrics of validation and of every test set, per-user values and the comparison table.

    Raises:
        InputError: an option, a file or the data is wrong; no run folder is left behind.
        TrainingError: a loss is not finite; the folder keeps what there is.
        KeyboardInterrupt: it was interrupted; a note of the exception says what is left.
    """
    options = (dict(config or {}), list(config_files or []), dict(command_line or {}))
    if resume is not None and str(resume) != AUTO:
        if run_name is not None:
            raise InputError("run_name: a resumed run keeps its folder; leave it away.")
        return _go_on(Path(resume), Given(model, dataset, *options))
    model, dataset = model or DEFAULT_MODEL, dataset or DEFAULT_DATASET
    resolved, entry = build_config(model, dataset, *options), resolve(model)
    _set_threads(resolved)
    start, said = describe_start(resolved, entry), []
    if resume is not None:
        found, looked = find_unfinished(Path(output_dir), start, run_name)
        said = [looked]
        if found is not None:
            return _go_on(found, Given(model, dataset, *options), said)
    baseline_configs(resolved, dataset)  # their problems are told before a folder is made
    folder = _make_folder(Path(output_dir), run_name, entry, resolved)
    write_start(folder, start)
    make = lambda: build_config(model, dataset, *options)  # noqa: E731
    return _execute(_Asked(entry, resolved, make, folder, said, is_new=True))


def _go_on(folder: Path, given: Given, said: Sequence[str] = ()) -> RunResult:
    """Go on with a run; of a finished one only the table is made again."""
    start = read_start(folder)
    entry = entry_of(start, given)
    make = lambda: stored_config(folder, start, entry, given)  # noqa: E731
    config = make()
    if is_finished(folder):
        result = read_whole(folder)
        return replace(result, table=run_table(result, config).text)
    _set_threads(config)
    warned = changes_since(start, config, entry)
    lines = [
        *said,
        f"resume: {folder}, begun {start.began[:19]} UTC",
        whence(folder, entry, config),
    ]
    return _execute(_Asked(entry, config, make, folder, lines, warned))


def _set_threads(config: Any) -> None:
    if config["torch_threads"]:
        torch.set_num_threads(config["torch_threads"])


def _execute(asked: _Asked) -> RunResult:
    """Run what is not done yet of a model, its baselines and its control."""
    config, dataset = asked.config, asked.config["dataset"]
    with (
        remains_noted(asked.folder),
        _removed_if_wrong(asked.folder, asked.is_new) as run_dir,
        only_here(run_dir / CHECKPOINTS, PATIENCE_SECONDS, "resume", "run"),
        logging_to(run_dir / "log.txt", config["state"]),
    ):
        remove_leftovers(run_dir)
        for line in asked.said:
            getLogger().info(line)
        for line in asked.warned:
            getLogger().warning(line)
        baselines = baseline_configs(config, dataset)
        result = train_once(config, asked.entry, run_dir)
        result = add_baselines(result, baselines, run_dir)
        if result.record["protocol"] == "environment" and config["environment_control"]:
            result = add_control(result, asked.make_config(), asked.entry, run_dir)
        return _finish(result, config, run_dir)


def _make_folder(output_dir: Path, run_name: str | None, entry: ModelEntry, config: Any) -> Path:
    """Make the run folder: of the name that was given, or of one that nothing has yet.

    Raises:
        InputError: the name is that of a folder with something in it, or none can be made.
    """
    if run_name is not None:
        writable = run_name.isprintable() and len(run_name.encode("utf-8", "replace")) < 256
        if Path(run_name).name != run_name or run_name in ("", "..") or not writable:
            raise InputError(f"run_name: expected a name without folders, not '{run_name}'.")
        folder = output_dir / run_name
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                f"run_name: {folder} is there already; choose another name or remove it."
            )
        return make_folder(folder, "output_dir")
    name = f"{entry.name}-{config['dataset']}-{datetime.now():%Y%m%d-%H%M%S}"
    for number in count(1):
        folder = output_dir / (name if number == 1 else f"{name}-{number}")
        try:
            make_folder(folder, "output_dir", new=True)
        except FileExistsError:
            continue
        break
    return folder


@contextmanager
def _removed_if_wrong(folder: Path, is_new: bool) -> Iterator[Path]:
    """Take a new run folder away again if the input turns out to be wrong."""
    try:
        yield folder
    except InputError:
        if is_new and not (folder / records.CONFIG_FILE).exists():
            shutil.rmtree(folder)
        raise


def _finish(result: RunResult, config: Any, run_dir: Path) -> RunResult:
    """Write what needs all of the runs: the table, the plot, and their mention in `run.json`."""
    made = run_table(result, config)
    write_atomically(run_dir / "table.md", made.markdown)
    if len(made.results) > 1:
        metrics = {label: one.metrics for label, one in made.results.items()}
        save_figure(run_dir / "plots" / "iid_ood.png", iid_against_ood(metrics, made.metrics[0]))
    shift = made.shift
    record = {
        **result.record,
        "baselines": {label: f"baselines/{label}" for label in result.baselines},
        "control": "control" if result.control else None,
        "shift": None if shift is None else {**vars(shift), "is_shift": shift.is_shift},
    }
    records.write_json(run_dir / records.RUN_FILE, record)
    return replace(result, record=record, table=made.text)
