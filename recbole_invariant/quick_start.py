"""A run from what the user typed to the table: the model, its baselines, its control."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from logging import getLogger
from pathlib import Path
from typing import Any

import torch
from recbole.utils.argument_list import dataset_arguments, evaluation_arguments, general_arguments

from recbole_invariant.config import USER_LAYERS, build_config
from recbole_invariant.data.splits.apply import chosen_protocol
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.significance import GapDifference, compare_gaps
from recbole_invariant.files import write_atomically
from recbole_invariant.logs import logging_to
from recbole_invariant.registry import ModelEntry, resolve
from recbole_invariant.report.plots import iid_against_ood, save_figure
from recbole_invariant.report.tables import Row, comparison_table, run_notes
from recbole_invariant.single_run import RunResult, compared_metrics, train_and_test

__all__ = ["RunResult", "run"]

OWN_SHARED_OPTIONS = (
    "ood",
    "positive_threshold",
    "pool_ratio",
    "popularity_gamma",
    "popularity_n_max",
    "random_ood_share",
    "environment_epochs",
    "environment_rounds",
    "environment_frozen",
    "environment_batch_size",
    "modalities",
    "eval_users_per_batch",
    "table_metrics",
)
SHARED_OPTIONS = frozenset(
    {*general_arguments, *evaluation_arguments, *dataset_arguments, *OWN_SHARED_OPTIONS}
)
"""Options of data, splits and evaluation: a baseline takes the user's values of these, and keeps
its own for training."""


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
    """
    given = (dict(config or {}), list(config_files or []), dict(command_line or {}))
    resolved = build_config(model, dataset, *given)
    entry = resolve(model)
    baselines = _baseline_configs(resolved, dataset)
    if resolved["torch_threads"]:
        torch.set_num_threads(resolved["torch_threads"])
    name = run_name or _default_name(entry, resolved)
    with (
        _run_folder(Path(output_dir), name) as run_dir,
        logging_to(run_dir / "log.txt", resolved["state"]),
    ):
        result = train_and_test(resolved, entry, run_dir)
        result = _add_baselines(result, baselines, run_dir)
        if result.record["protocol"] == "environment" and resolved["environment_control"]:
            control = build_config(model, dataset, *given)
            result = _add_control(result, control, entry, run_dir)
        return _finish(result, resolved, run_dir)


def _default_name(entry: ModelEntry, config: Any) -> str:
    """Name a run folder after what it holds and when it began."""
    return f"{entry.name}-{config['dataset']}-{datetime.now():%Y%m%d-%H%M%S}"


@contextmanager
def _run_folder(output_dir: Path, name: str) -> Iterator[Path]:
    """Make the run folder; take it away again if the input turns out to be wrong.

    Raises:
        InputError: the name is that of a folder with something in it.
    """
    folder = output_dir / name
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"run_name: {folder} is there already; choose another name or remove it.")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    except InputError:
        if not (folder / records.CONFIG_FILE).exists():
            shutil.rmtree(folder)
        raise


def _baseline_configs(config: Any, dataset: str) -> dict[str, tuple[Any, ModelEntry]]:
    """Resolve every baseline's options before anything is trained, all problems at once."""
    names, own = config["baselines"] or [], config["baseline_options"] or {}
    problems = [
        f"baseline_options: '{name}' is not among the baselines {names}"
        for name in own
        if name not in names
    ]
    shared = {
        key: config[key]
        for key, layer in config.layers.items()
        if key in SHARED_OPTIONS and layer.startswith(USER_LAYERS)
    }
    if "data_path" in shared:
        shared["data_path"] = records.data_folder(config)
    resolved: dict[str, tuple[Any, ModelEntry]] = {}
    for name in names:
        try:
            made = build_config(name, dataset, {**shared, **own.get(name, {})})
            chosen_protocol(made, made.layers.get("ood", ""))
            resolved[name] = made, resolve(name)
        except InputError as error:
            problems += [f"baseline {name}: {problem}" for problem in error.problems]
    if problems:
        raise InputError(problems)
    return resolved


def _add_baselines(
    result: RunResult, baselines: Mapping[str, tuple[Any, ModelEntry]], run_dir: Path
) -> RunResult:
    """Run every baseline in a folder of its own under `baselines/`."""
    done = {}
    for name, (config, entry) in baselines.items():
        folder = run_dir / "baselines" / name
        folder.mkdir(parents=True)
        getLogger().info(f"baseline {name}")
        with logging_to(folder / "log.txt", config["state"]):
            done[name] = train_and_test(config, entry, folder)
        _require_same_split(result, done[name], name)
    return replace(result, baselines=done)


def _require_same_split(result: RunResult, baseline: RunResult, name: str) -> None:
    """Make sure that a baseline is comparable.

    Raises:
        InputError: its split has other sizes.
    """
    ours, theirs = result.record["n_interactions"], baseline.record["n_interactions"]
    if ours != theirs:
        raise InputError(
            f"baseline {name}: its split is {theirs}, that of {result.record['model']} is {ours}; "
            "options of the dataset differ between the two models (see both run.json)."
        )


def _add_control(result: RunResult, config: Any, entry: ModelEntry, run_dir: Path) -> RunResult:
    """Run the same model on a random split of the same sizes, in `control/`."""
    counts = result.record["n_interactions"]
    dropped = result.record["split"]["dropped"]
    total = sum(counts.values()) + sum(dropped.values())
    share = (counts["ood_environment"] + dropped["ood_environment"]) / total
    for key, value in (("ood", "random"), ("random_ood_share", share)):
        config[key] = value
        config.layers[key] = "control of the protocol environment"
    folder = run_dir / "control"
    folder.mkdir()
    getLogger().info("control: the same model on a random split of the same sizes")
    with logging_to(folder / "log.txt", config["state"]):
        return replace(result, control=train_and_test(config, entry, folder))


def _shift(result: RunResult, metric: str) -> GapDifference | None:
    """Compare the gap of the environment split with that of its control."""
    if result.control is None or metric not in result.per_user["iid"].columns:
        return None
    ours, control = (records.join_per_user(r.per_user) for r in (result, result.control))
    return compare_gaps(ours, control, "ood_environment", metric, result.record["seed"])


def _finish(result: RunResult, config: Any, run_dir: Path) -> RunResult:
    """Write what needs all of the runs: the table, the plot, and their mention in `run.json`."""
    metrics = compared_metrics(config, result.metrics)
    shift = _shift(result, metrics[0])
    name = result.record["model"]
    rows = {name: result, **result.baselines}
    if result.control is not None:
        rows[f"{name} (random control)"] = result.control
    lines = [_row(label, made) for label, made in rows.items()]
    notes = run_notes(result.record)
    notes += [run_notes(made.record)[-1] for made in result.baselines.values()]
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


def _row(label: str, result: RunResult) -> Row:
    """Make a run's line of the table; its time is that of training."""
    seconds = sum(stage["seconds"] for stage in result.record["stages"])
    return Row(label, result.metrics, seconds, result.record["selection"]["best_epoch"])
