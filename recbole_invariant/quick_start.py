"""A run from what the user typed to the table: the model, its baselines, its control."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import torch

from recbole_invariant.companions import add_baselines, add_control, baseline_configs, shift_of
from recbole_invariant.config import build_config
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.snapshot_records import named_snapshots, snapshot_metrics
from recbole_invariant.files import make_folder, write_atomically
from recbole_invariant.interruption import remains_noted
from recbole_invariant.logs import logging_to
from recbole_invariant.registry import ModelEntry, resolve
from recbole_invariant.report.plots import iid_against_ood, save_figure
from recbole_invariant.report.tables import Row, comparison_table, run_notes
from recbole_invariant.single_run import RunResult, compared_metrics, train_and_test

__all__ = ["RunResult", "run"]


def run(
    model: str | type = "PaInvRL",
    dataset: str = "ml-100k",
    config: Mapping[str, Any] | None = None,
    config_files: Sequence[str] | None = None,
    output_dir: str | Path = "runs",
    run_name: str | None = None,
    command_line: Mapping[str, str] | None = None,
) -> RunResult:
    """Train and test a model, then the option `baselines` on the same split.

    Args:
        model: name of one of our models or RecBole's, a dotted path, or a class.
        dataset: name of the dataset.
        config: options by key, of the same layer as the command line.
        config_files: YAML files of options, later ones win.
        output_dir: where run folders are made.
        run_name: name of this run's folder; by default model, dataset and time.
        command_line: options as text, as the command line gives them.

    Returns:
        Metrics of validation and of every test set, per-user values and the comparison table.

    Raises:
        InputError: an option, a file or the data is wrong; no run folder is left behind.
        TrainingError: a loss is not finite; the folder keeps what there is.
        KeyboardInterrupt: it was interrupted; a note of the exception says what is left.
    """
    given = (dict(config or {}), list(config_files or []), dict(command_line or {}))
    resolved = build_config(model, dataset, *given)
    entry = resolve(model)
    baselines = baseline_configs(resolved, dataset)
    if resolved["torch_threads"]:
        torch.set_num_threads(resolved["torch_threads"])
    folder = _make_folder(Path(output_dir), run_name, entry, resolved)
    with (
        remains_noted(folder),
        _removed_if_wrong(folder) as run_dir,
        logging_to(run_dir / "log.txt", resolved["state"]),
    ):
        result = train_and_test(resolved, entry, run_dir)
        result = add_baselines(result, baselines, run_dir)
        if result.record["protocol"] == "environment" and resolved["environment_control"]:
            control = build_config(model, dataset, *given)
            result = add_control(result, control, entry, run_dir)
        return _finish(result, resolved, run_dir)


def _make_folder(output_dir: Path, run_name: str | None, entry: ModelEntry, config: Any) -> Path:
    """Make the run folder: of the name that was given, or of one that nothing has yet.

    Raises:
        InputError: the name is that of a folder with something in it, or none can be made.
    """
    if run_name is not None:
        if Path(run_name).name != run_name:
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
def _removed_if_wrong(folder: Path) -> Iterator[Path]:
    """Take a new run folder away again if the input turns out to be wrong."""
    try:
        yield folder
    except InputError:
        if not (folder / records.CONFIG_FILE).exists():
            shutil.rmtree(folder)
        raise


def _finish(result: RunResult, config: Any, run_dir: Path) -> RunResult:
    """Write what needs all of the runs: the table, the plot, and their mention in `run.json`."""
    metrics = compared_metrics(config, result.metrics)
    shift = shift_of(result, metrics[0])
    name = result.record["model"]
    rows = {name: result, **result.baselines}
    if result.control is not None:
        rows[f"{name} (random control)"] = result.control
    lines = [line for label, made in rows.items() for line in _rows(label, made)]
    notes = run_notes(result.record)
    notes += [run_notes(made.record)[-1] for made in result.baselines.values()]
    if result.baselines:
        notes.append(
            "baselines train by their own options; set those with baseline_options, "
            "e.g. --baseline_options='{UltraGCN: {epochs: 5}}'"
        )
    if shift is not None:
        notes.append(shift.describe())
    markdown = comparison_table(lines, metrics, "github")
    write_atomically(run_dir / "table.md", "\n".join([markdown, "", *(f"- {n}" for n in notes)]))
    table = "\n".join([comparison_table(lines, metrics), *notes])
    if len(rows) > 1:
        figure = iid_against_ood({label: made.metrics for label, made in rows.items()}, metrics[0])
        save_figure(run_dir / "plots" / "iid_ood.png", figure)
    record = {
        **result.record,
        "baselines": {label: f"baselines/{label}" for label in result.baselines},
        "control": "control" if result.control else None,
        "shift": None if shift is None else {**vars(shift), "is_shift": shift.is_shift},
    }
    records.write_json(run_dir / records.RUN_FILE, record)
    return replace(result, record=record, table=table)


def _rows(label: str, result: RunResult) -> list[Row]:
    """Make a run's lines of the table: its own, then one a snapshot that has a name.

    The time of the first is that of training; snapshots are put aside on the way.
    """
    seconds = sum(stage["seconds"] for stage in result.record["stages"])
    best_epoch = result.record["selection"]["best_epoch"]
    return [
        Row(label, result.metrics, seconds, best_epoch),
        *(
            Row(f"{label}: {name}", snapshot_metrics(entry), None, entry["epoch"])
            for name, entry in named_snapshots(result.record).items()
        ),
    ]
