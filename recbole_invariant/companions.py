"""What stands beside a run's model: baselines on the same split, and the random control."""

from collections.abc import Mapping
from dataclasses import replace
from logging import getLogger
from pathlib import Path
from typing import Any

from recbole.utils.argument_list import dataset_arguments, evaluation_arguments, general_arguments

from recbole_invariant.config import USER_LAYERS, build_config
from recbole_invariant.data.splits.apply import chosen_protocol
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.significance import GapDifference, compare_gaps
from recbole_invariant.finished import train_once
from recbole_invariant.logs import logging_to
from recbole_invariant.registry import ModelEntry, resolve
from recbole_invariant.single_run import RunResult

OWN_SHARED_OPTIONS = (
    "ood",
    "selection",
    "positive_threshold",
    "pool_ratio",
    "popularity_gamma",
    "popularity_n_max",
    "random_ood_share",
    "temporal_share",
    "temporal_gap",
    "cluster_by",
    "cluster_count",
    "cluster_held_out_share",
    "cluster_kept_share",
    "cold_kind",
    "cold_share",
    "column_field",
    "column_held_out",
    "column_share",
    "column_bins",
    "environment_epochs",
    "environment_rounds",
    "environment_frozen",
    "environment_batch_size",
    "modalities",
    "eval_users_per_batch",
    "eval_memory_mb",
    "curve_k",
    "frontier",
    "table_metrics",
    "rank_seen",
    "test_history",
    "target_field",
)
SHARED_OPTIONS = frozenset(
    {*general_arguments, *evaluation_arguments, *dataset_arguments, *OWN_SHARED_OPTIONS}
)
"""Options of data, splits and evaluation: a baseline takes the user's values of these, and keeps
its own for training."""


def baseline_configs(config: Any, dataset: str) -> dict[str, tuple[Any, ModelEntry]]:
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
            problems += _unlike_refit(config, made, name)
            resolved[name] = made, resolve(name)
        except InputError as error:
            problems += [f"baseline {name}: {problem}" for problem in error.problems]
    if problems:
        raise InputError(problems)
    return resolved


def _unlike_refit(config: Any, baseline: Any, name: str) -> list[str]:
    """Refuse a baseline that has other training rows: with `refit_epochs` validation rows, too."""
    if bool(config["refit_epochs"]) == bool(baseline["refit_epochs"]):
        return []
    return [
        f"baseline {name}: refit_epochs puts validation rows into training, so that a model and "
        "its baselines must all have it or none: --baseline_options='{"
        f"{name}: {{refit_epochs: {{train: 12}}}}}}'."
    ]


def add_baselines(
    result: RunResult, baselines: Mapping[str, tuple[Any, ModelEntry]], run_dir: Path
) -> RunResult:
    """Run every baseline that is not done in a folder of its own under `baselines/`."""
    done = {}
    for name, (config, entry) in baselines.items():
        folder = run_dir / "baselines" / name
        folder.mkdir(parents=True, exist_ok=True)
        getLogger().info(f"baseline {name}")
        with logging_to(folder / "log.txt", config["state"]):
            done[name] = train_once(config, entry, folder)
        _require_same_split(result, done[name], name)
    return replace(result, baselines=done)


def _require_same_split(result: RunResult, baseline: RunResult, name: str) -> None:
    """Make sure that a baseline is comparable.

    Raises:
        InputError: its split has other rows.
    """
    ours, theirs = result.record["n_interactions"], baseline.record["n_interactions"]
    if result.record["split_checksum"] != baseline.record["split_checksum"]:
        raise InputError(
            f"baseline {name}: its split is {theirs}, that of {result.record['model']} is {ours}; "
            "options of the dataset differ between the two models (see both run.json)."
        )


def add_control(result: RunResult, config: Any, entry: ModelEntry, run_dir: Path) -> RunResult:
    """Run the same model on a random split of the same sizes, in `control/`."""
    counts = result.record["n_interactions"]
    dropped = result.record["split"]["dropped"]
    total = sum(counts.values()) + sum(dropped.values())
    share = (counts["ood_environment"] + dropped["ood_environment"]) / total
    for key, value in (("ood", "random"), ("random_ood_share", share)):
        config[key] = value
        config.layers[key] = "control of the protocol environment"
    folder = run_dir / "control"
    folder.mkdir(exist_ok=True)
    getLogger().info("control: the same model on a random split of the same sizes")
    with logging_to(folder / "log.txt", config["state"]):
        return replace(result, control=train_once(config, entry, folder))


def shift_of(result: RunResult, metric: str) -> GapDifference | None:
    """Compare the gap of the environment split with that of its control."""
    if result.control is None or metric not in result.per_user["iid"].columns:
        return None
    ours, control = (records.join_per_user(r.per_user) for r in (result, result.control))
    return compare_gaps(ours, control, "ood_environment", metric, result.record["seed"])
