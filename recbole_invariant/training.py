"""One model on one split up to the end of selection; the tests stay sealed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from logging import getLogger
from pathlib import Path
from typing import Any

from recbole.utils import init_seed

from recbole_invariant import determinism
from recbole_invariant.compat import host_files, tensorboard_closed
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.cold import require_scored
from recbole_invariant.evaluation.measurement import Metrics
from recbole_invariant.evaluation.selection import SelectionRule
from recbole_invariant.preparation import Prepared, prepare
from recbole_invariant.registry import ModelEntry
from recbole_invariant.seeding import derive_seed
from recbole_invariant.trainer.given_epochs import give_epochs
from recbole_invariant.trainer.host import build_trainer

Ready = Callable[[Any, Prepared, SelectionRule], None]
"""Called with trainer, data and rule before the first epoch."""


@dataclass(frozen=True)
class Training:
    """A trained model with its selected weights, and what its record says of the way there.

    Attributes:
        config: resolved options.
        data: the run's data; its tests are sealed.
        model, trainer: the model holds the selected weights.
        rule: what selected them; `rule_said` is the same in words.
        metrics: of the selected weights on `valid` and, where there is one, on `ood_valid`; empty
            where nothing is validated (`refit_epochs`).
        options: option -> value and layer.
        seconds: of training.
    """

    entry: ModelEntry
    config: Any
    data: Prepared
    model: Any
    trainer: Any
    rule: SelectionRule
    rule_said: str
    metrics: Metrics
    options: dict[str, dict[str, Any]]
    seconds: float


def train(config: Any, entry: ModelEntry, run_dir: Path, ready: Ready | None = None) -> Training:
    """Load the data, write what a run folder says beforehand, and train.

    Args:
        config: resolved options (`RunConfig`).
        entry: the model's entry in the registry.
        run_dir: the run folder; it exists.
        ready: called before the first epoch, e.g. to go on from a checkpoint.

    Raises:
        InputError: the data does not fit the options; nothing but the log is written then.
        TrainingError: training cannot go on; what was written stays.
    """
    for warning in config.warnings:
        getLogger().warning(warning)
    options = records.options_of(config)
    config["run_dir"] = str(run_dir)
    # RecBole makes this folder and looks there for pickled datasets of earlier runs
    config["checkpoint_dir"] = str(run_dir / "checkpoint")
    determinism.switch(config)
    data = prepare(config, entry)
    model, trainer = build(config, entry, data)
    rule = SelectionRule.from_config(config)
    said = rule.describe(data.loaders)
    require_scored(rule.split(data.loaders), data.parts, model, config, data.dataset)
    if config["refit_epochs"]:
        give_epochs(trainer, data.loaders.train, config["refit_epochs"])
    # a protocol of the dataset that this model cannot take is not one of the run's options
    options["ood"] = {"layer": "", **options.get("ood", {}), "value": data.parts.protocol}
    records.write_config(run_dir, options)
    records.write_ids(run_dir, data.dataset)
    records.write_seen(run_dir, data.parts)
    # the first optimizer of a process imports this, seconds that would count as training
    import_module("torch._dynamo")
    if ready is not None:
        ready(trainer, data, rule)
    begun = time.perf_counter()
    with (
        tensorboard_closed(trainer),
        host_files(config["allow_pickle"]),
        determinism.named(config),
    ):
        metrics = fit(config, trainer, data, rule)
    seconds = round(time.perf_counter() - begun, 3)
    return Training(entry, config, data, model, trainer, rule, said, metrics, options, seconds)


def build(config: Any, entry: ModelEntry, data: Prepared) -> tuple[Any, Any]:
    """Make the model and its trainer, initial values drawn from their own stream."""
    seed_host(config, "init")
    with host_files(config["allow_pickle"]):
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
        Results of the selected weights on `valid` and `ood_valid`, as far as there are such rows.
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
    """Name the rows that training was validated on; None where there are none or a test's."""
    return None if rule.name == "oracle" else rule.split(data.loaders)
