"""One model on one split: train, select on validation, open the tests once, write the records."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from logging import getLogger
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from recbole.utils import init_seed

from recbole_invariant.data.dataset import MultimodalDataset
from recbole_invariant.data.splits.base import is_test
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.cold import require_scored
from recbole_invariant.evaluation.measurement import Metrics, measure_tests
from recbole_invariant.evaluation.model_state import save_model
from recbole_invariant.evaluation.selection import SelectionRule
from recbole_invariant.evaluation.snapshot_records import SNAPSHOTS
from recbole_invariant.evaluation.snapshots import measure_snapshots, no_frontier
from recbole_invariant.preparation import Prepared, prepare
from recbole_invariant.registry import ModelEntry
from recbole_invariant.report.frontier_plot import plot_frontier
from recbole_invariant.report.plots import plot_run
from recbole_invariant.report.representation_plot import plot_representations
from recbole_invariant.report.tables import choose_metrics
from recbole_invariant.seeding import derive_seed
from recbole_invariant.trainer.host import build_trainer


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
    """Run one model from its options to its records.

    Args:
        config: resolved options (`RunConfig`).
        entry: the model's entry in the registry.
        run_dir: the run folder; it exists.

    Raises:
        InputError: the data does not fit the options; nothing but the log is written then.
        TrainingError: training cannot go on; what was written stays.
    """
    begun = time.perf_counter()
    for warning in config.warnings:
        getLogger().warning(warning)
    options = records.options_of(config)
    config["run_dir"] = str(run_dir)
    # RecBole makes this folder and looks there for pickled datasets of earlier runs
    config["checkpoint_dir"] = str(run_dir / "checkpoint")
    data = prepare(config, entry)
    model, trainer = build(config, entry, data)
    unrecorded = _warn_of_no_frontier(trainer)
    rule = SelectionRule.from_config(config)
    said = rule.describe(data.loaders)
    require_scored(rule.split(data.loaders), data.parts, model, config, data.dataset)
    # a protocol of the dataset that this model cannot take is not one of the run's options
    options["ood"] = {"layer": "", **options.get("ood", {}), "value": data.parts.protocol}
    records.write_config(run_dir, options)
    records.write_ids(run_dir, data.dataset)
    records.write_seen(run_dir, data.parts)
    # the first optimizer of a process imports this, seconds that would count as training
    import_module("torch._dynamo")
    begun_training = time.perf_counter()
    selecting = fit(config, trainer, data, rule)
    trained = time.perf_counter() - begun_training
    measured = measure_tests(trainer, data)
    metrics = {**selecting, **measured.metrics}
    records.write_per_user(run_dir, measured.per_user)
    measured.notes += [*config.warnings, *unrecorded, *notes_of(trainer)]
    lost = save_model(run_dir / records.MODEL_FILE, model)
    if lost:
        getLogger().warning(f"not stored with the model: {', '.join(lost)}")
    snapshots = measure_snapshots(trainer, data, list(measured.metrics), validated_rows(rule, data))
    record = {
        **describe_run(config, entry, trainer, rule, said),
        "metrics": metrics,
        **measured.record(),
        SNAPSHOTS: snapshots,
        "training_seconds": round(trained, 3),
        "not_stored": lost,
        "options": options,
        **records.describe_data(config, data.dataset, data.parts),
        **records.describe_host(),
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


def build(config: Any, entry: ModelEntry, data: Prepared) -> tuple[Any, Any]:
    """Make the model and its trainer, initial values drawn from their own stream."""
    seed_host(config, "init")
    model = entry.model_class(config, data.parts.fitted).to(config["device"])
    getLogger().info(str(model))
    return model, build_trainer(entry, config, model)


def seed_host(config: Any, stream: str) -> None:
    """Seed the global generators that RecBole draws from."""
    init_seed(derive_seed(config["seed"], stream) % 2**32, config["reproducibility"])


def fit(config: Any, trainer: Any, data: Prepared, rule: SelectionRule | None = None) -> Metrics:
    """Train; afterwards the model holds the selected weights.

    Args:
        config: the run's options.
        trainer: the model's trainer.
        data: the run's data.
        rule: what selects; by default what the options say.

    Returns:
        Results of the selected weights on `valid` and, where there is one, on `ood_valid`.
    """
    rule = rule or SelectionRule.from_config(config)
    seed_host(config, "sampling")
    show = bool(config["show_progress"])
    loaders = data.loaders
    _, best = trainer.fit(loaders.train, rule.loader(loaders), saved=True, show_progress=show)
    selected_on = validated_rows(rule, data)
    results = {selected_on: best} if best is not None and selected_on is not None else {}
    for name, loader in (("valid", loaders.valid), ("ood_valid", loaders.ood_valid)):
        if name not in results and loader is not None:
            results[name] = trainer.evaluate(loader, load_best_model=False)
    return {
        name: {metric: float(value) for metric, value in results[name].items()}
        for name in sorted(results, reverse=True)
    }


def validated_rows(rule: SelectionRule, data: Prepared) -> str | None:
    """Name the rows that training was validated on; None where they are a test's (`oracle`)."""
    return None if rule.name == "oracle" else rule.split(data.loaders)


def _warn_of_no_frontier(trainer: Any) -> list[str]:
    """Say in the log, and for the record, where the option `frontier` has no effect."""
    reason = no_frontier(trainer)
    if reason is None:
        return []
    getLogger().warning(reason)
    return [reason]


def notes_of(trainer: Any) -> list[str]:
    """Return what a trainer has to say below the table of its run."""
    return list(trainer.notes()) if hasattr(trainer, "notes") else []


def describe_run(
    config: Any, entry: ModelEntry, trainer: Any, rule: SelectionRule, said: str
) -> dict[str, Any]:
    """Say what was trained, how long and by which rule its weights were selected."""
    model_class = entry.model_class
    return {
        "model": entry.name,
        "model_class": f"{model_class.__module__}.{model_class.__qualname__}",
        "dataset": config["dataset"],
        "seed": config["seed"],
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "selection": {
            "metric": rule.metric,
            "best_epoch": getattr(trainer, "best_epoch", None),
            "rule": said,
            "name": rule.name,
        },
        "stages": list(getattr(trainer, "stage_records", [])),
        "diagnostics": trainer.diagnostics() if hasattr(trainer, "diagnostics") else {},
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
