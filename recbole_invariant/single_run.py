"""One model on one split: train, select on validation, open the tests once, write the records."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging import getLogger
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from recbole_invariant.data.dataset import MultimodalDataset
from recbole_invariant.data.splits.base import is_test
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.measurement import Metrics, measure_tests
from recbole_invariant.evaluation.model_state import save_model
from recbole_invariant.evaluation.snapshot_records import SNAPSHOTS
from recbole_invariant.evaluation.snapshots import measure_snapshots, no_frontier
from recbole_invariant.inference.write import write_inference
from recbole_invariant.preparation import Prepared
from recbole_invariant.registry import ModelEntry
from recbole_invariant.report.frontier_plot import plot_frontier
from recbole_invariant.report.plots import plot_run
from recbole_invariant.report.representation_plot import plot_representations
from recbole_invariant.report.tables import choose_metrics
from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder
from recbole_invariant.trainer.stages import StagedTrainer
from recbole_invariant.training import Training, train, validated_rows


@dataclass(frozen=True)
class RunResult:
    """What a run found and where it is written.

    Attributes:
        metrics: `valid`, `iid` and `ood_...` -> metric such as `recall@10` -> value.
        run_dir: the run folder; None where nothing was written (`evaluate`).
        record: the content of `run.json`.
        per_user: test set -> `user_id` and metric columns, one row a user.
        baselines: results of the option `baselines`, by model.
        control: the random control of the protocol `environment`, or None.
        table: all of it as the table that ends a run, with its notes.
    """

    metrics: Metrics
    run_dir: Path | None
    record: dict[str, Any]
    per_user: dict[str, pd.DataFrame] = field(repr=False)
    baselines: dict[str, "RunResult"] = field(default_factory=dict)
    control: "RunResult | None" = None
    table: str = ""


def train_and_test(config: Any, entry: ModelEntry, run_dir: Path) -> RunResult:
    """Run one model from its options, or from its last checkpoint, to its records.

    Args:
        config: resolved options (`RunConfig`).
        entry: the model's entry in the registry.
        run_dir: the run folder; it exists.

    Raises:
        InputError: the data does not fit the options; nothing but the log is written then.
        TrainingError: training cannot go on; what was written stays.
    """
    begun = time.perf_counter()
    training = train(config, entry, run_dir, lambda trainer, *_: _ready(trainer, run_dir))
    data, trainer, rule = training.data, training.trainer, training.rule
    measured = measure_tests(trainer, data)
    metrics = {**training.metrics, **measured.metrics}
    records.write_per_user(run_dir, measured.per_user)
    unrecorded = no_frontier(trainer)
    measured.notes += [*config.warnings, *([unrecorded] if unrecorded else []), *notes_of(trainer)]
    described = describe_training(training, run_dir)
    write_inference(run_dir, training)
    snapshots = measure_snapshots(trainer, data, list(measured.metrics), validated_rows(rule, data))
    record = {
        **described,
        "metrics": metrics,
        **measured.record(),
        SNAPSHOTS: snapshots,
        "seconds": round(time.perf_counter() - begun, 3),
    }
    draw_plots(run_dir, config, data, trainer, {entry.name: metrics})
    if rule.bigger:
        plot_frontier(run_dir, record, rule.metric)
    plot_representations(run_dir, record)
    record = records.plain(record)
    records.write_json(run_dir / records.RUN_FILE, record)
    if snapshots:
        # not before: a run that is killed until here can go on from its checkpoint
        trainer.snapshots.clear()
    return RunResult(metrics, run_dir, record, measured.per_user)


def _ready(trainer: Any, run_dir: Path) -> None:
    """Go on from a checkpoint, if there is one; say where `frontier` has no effect."""
    reason = no_frontier(trainer)
    if reason is not None:
        getLogger().warning(reason)
    checkpoints = CheckpointFolder(run_dir / "checkpoint")
    if isinstance(trainer, StagedTrainer) and checkpoints.exists():
        trainer.resume_checkpoint(checkpoints.folder)


def notes_of(trainer: Any) -> list[str]:
    """Return what a trainer has to say below the table of its run."""
    return list(trainer.notes()) if hasattr(trainer, "notes") else []


def describe_training(training: Training, run_dir: Path) -> dict[str, Any]:
    """Store the model, and say what was trained, on what, how long and what selected its weights.

    Args:
        training: a finished training.
        run_dir: its folder, where `model.safetensors` is written.
    """
    config, trainer, rule = training.config, training.trainer, training.rule
    model_class = training.entry.model_class
    lost = save_model(run_dir / records.MODEL_FILE, training.model)
    if lost:
        getLogger().warning(f"not stored with the model: {', '.join(lost)}")
    return {
        "model": training.entry.name,
        "model_class": f"{model_class.__module__}.{model_class.__qualname__}",
        "dataset": config["dataset"],
        "seed": config["seed"],
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "selection": {
            "metric": rule.metric,
            "best_epoch": getattr(trainer, "best_epoch", None),
            "rule": training.rule_said,
            "name": rule.name,
        },
        "stages": list(getattr(trainer, "stage_records", [])),
        "diagnostics": trainer.diagnostics() if hasattr(trainer, "diagnostics") else {},
        "training_seconds": training.seconds,
        "not_stored": lost,
        "options": training.options,
        **records.describe_data(config, training.data.dataset, training.data.parts),
        **records.describe_host(),
    }


def draw_plots(
    run_dir: Path, config: Any, data: Prepared, trainer: Any, models: Mapping[str, Metrics]
) -> None:
    """Write `plots/`."""
    mask = getattr(trainer.model, "invariant_mask", None)
    dataset = data.dataset
    slices = dataset.modality_slices if isinstance(dataset, MultimodalDataset) else {}
    compared = compared_metrics(config, next(iter(models.values())))[0]
    values = mask.tolist() if isinstance(mask, torch.Tensor) else None
    plot_run(run_dir, models, (config["valid_metric"].lower(), compared), values, slices)


def compared_metrics(config: Any, metrics: Metrics) -> list[str]:
    """Choose the metrics by which models are shown side by side."""
    measured = list(next(v for name, v in metrics.items() if is_test(name)))
    return choose_metrics(measured, config["table_metrics"]) or measured[:1]
