"""Test a finished run again from its folder, e.g. with other metrics or cut-offs."""

from collections.abc import Mapping, Sequence
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
from recbole.utils.argument_list import training_arguments

from recbole_invariant.config import CONFIG_FILE, build_config
from recbole_invariant.configuration.known_keys import Schema, family_of, schema_of
from recbole_invariant.configuration.option_checks import convert_text
from recbole_invariant.configuration.wrapped import wrapping_option
from recbole_invariant.data.splits.base import is_test
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.measurement import Metrics, measure_tests
from recbole_invariant.evaluation.model_state import load_model
from recbole_invariant.evaluation.run_record import read_record, read_table
from recbole_invariant.host_models import host_model_class
from recbole_invariant.preparation import Prepared, prepare
from recbole_invariant.registry import ModelEntry, resolve
from recbole_invariant.report.tables import Row, comparison_table, run_notes
from recbole_invariant.single_run import RunResult, compared_metrics
from recbole_invariant.training import build


def evaluate_run(
    run_dir: str | Path,
    overrides: Mapping[str, Any] | None = None,
    command_line: Mapping[str, str] | None = None,
) -> RunResult:
    """Load a run's model and measure it on its own test sets; nothing is written.

    Without overrides the numbers are those of `run.json`. Options of the evaluation may change
    (`metrics`, `topk`, `eval_users_per_batch`, ...); the split may not, because rows that the
    model was trained on would come into the test.

    Args:
        run_dir: folder of a finished run.
        overrides: options to change, by key.
        command_line: options to change as text.

    Returns:
        The metrics of the test sets, and the record of the run with these.

    Raises:
        InputError: the folder is not of a finished run, its data changed, or the options are of
            the model or would change the split.
    """
    run_dir = Path(run_dir)
    record = read_record(run_dir)
    entry = entry_of(record)
    file = str(run_dir / records.CONFIG_FILE)
    given = {**(overrides or {}), **(command_line or {})}
    wrapped = _wrapped(entry, record)
    schema = schema_of(entry.model_class, wrapped)
    _require_evaluation_only([entry.model_class, *([wrapped] if wrapped else [])], schema, given)
    changed = {**_shown_metric(record, given, schema), **(overrides or {})}
    config = build_config(
        entry.model_class, record["dataset"], changed, [file], dict(command_line or {}), file
    )
    for warning in config.warnings:
        getLogger().warning(f"warning: {warning}")
    _restore_layers(config, record, file)
    _require_protocol(config, record)
    config["run_dir"] = None
    config["checkpoint_dir"] = str(run_dir / "checkpoint")
    data = prepare(config, entry)
    _require_same_training(run_dir, data)
    model, trainer = build(config, entry, data)
    load_model(run_dir / records.MODEL_FILE, model)
    trainer.eval_collector.data_collect(data.loaders.train)
    measured = measure_tests(trainer, data)
    metrics = measured.metrics
    noted = [*record.get("notes", []), *measured.notes, *config.warnings]
    measured.notes = list(dict.fromkeys(noted))
    again = {**record, "metrics": metrics, **measured.record()}
    seconds = sum(stage["seconds"] for stage in record["stages"])
    rows = [Row(entry.name, metrics, seconds, record["selection"]["best_epoch"])]
    table = comparison_table(rows, _columns(config, metrics, given))
    text = "\n".join([table, *run_notes(record)])
    return RunResult(metrics, None, again, measured.per_user, table=text)


def _columns(config: Any, metrics: Metrics, given: Mapping[str, Any]) -> list[str]:
    """Choose the metrics of the table: at every cutoff, where the user gave them."""
    usual = compared_metrics(config, metrics)
    if "topk" not in given or "table_metrics" in given:
        return usual
    kinds = list(dict.fromkeys(name.split("@")[0] for name in usual))
    measured = next(values for name, values in metrics.items() if is_test(name))
    return [name for kind in kinds for name in measured if name.split("@")[0] == kind]


def _wrapped(entry: ModelEntry, record: Mapping[str, Any]) -> type[Any] | None:
    """Return the model that the run's model wraps, if it wraps any."""
    option = wrapping_option(entry.model_class)
    return None if option is None else host_model_class(str(record["options"][option]["value"]))


def _require_evaluation_only(
    models: Sequence[type[Any]], schema: Schema, given: Mapping[str, Any]
) -> None:
    """Refuse options of the model, of the one it wraps, and of the training, which is done.

    Raises:
        InputError: names them.
    """
    families = {"default_options"}.union(*(family_of(model) for model in models))
    files = {key: schema.options[key].source_file for key in given if key in schema.options}
    late = [
        key
        for key in given
        if key in training_arguments or files.get(key, "").removesuffix(".yaml") in families
    ]
    if late:
        raise InputError(
            f"{', '.join(late)}: of {models[0].__name__} or its training, which is done; evaluate "
            "measures it as it is. Train a run with other options instead."
        )


def _shown_metric(
    record: Mapping[str, Any], given: Mapping[str, Any], schema: Schema
) -> dict[str, str]:
    """Name a metric for `valid_metric` where the run's is no longer measured.

    It selects nothing any more, but RecBole insists that it is among the metrics.
    """
    values = {key: record["options"][key]["value"] for key in ("metrics", "topk")}
    for key in values:
        if key in given:
            value = given[key]
            values[key] = convert_text(schema, key, value) if isinstance(value, str) else value
    metrics, cutoffs = (list(np.atleast_1d(value)) for value in values.values())
    measured = [f"{metric}@{k}" for metric in metrics for k in cutoffs]
    selected = str(record["options"]["valid_metric"]["value"])
    known = {name.lower() for name in [*measured, *map(str, metrics)]}
    if "valid_metric" in given or selected.lower() in known:
        return {}
    return {"valid_metric": measured[0]}


def entry_of(record: Mapping[str, Any]) -> ModelEntry:
    """Find the run's model by name or, for a user's own class, by its dotted path."""
    by_name = resolve_or_none(record["model"])
    if by_name is not None and _path(by_name) == record["model_class"]:
        return by_name
    return resolve(record["model_class"])


def resolve_or_none(name: str) -> ModelEntry | None:
    """Resolve a model's name; None where there is no model of that name."""
    try:
        return resolve(name)
    except InputError:
        return None


def _path(entry: ModelEntry) -> str:
    """Return a model class's dotted path."""
    return f"{entry.model_class.__module__}.{entry.model_class.__qualname__}"


def _restore_layers(config: Any, record: Mapping[str, Any], file: str) -> None:
    """Say of every option from the run's `config.yaml` which layer had set it in the run.

    Some defaults give way where the user set nothing, e.g. `eval_batch_size`.
    """
    for key, option in record["options"].items():
        if config.layers.get(key) == f"{CONFIG_FILE} {file}":
            config.layers[key] = option["layer"]


def _require_protocol(config: Any, record: Mapping[str, Any]) -> None:
    """Refuse another protocol than the run's.

    Raises:
        InputError: says why and what to do instead.
    """
    if config["ood"] != record["protocol"]:
        ours = record["protocol"] or "RecBole's own split"
        raise InputError(
            f"ood: {config['ood']}: this run was trained on the split of {ours}. Another protocol "
            "cuts the data anew, and the model has seen rows that would then be tested. Train a "
            f"run with --ood={config['ood']} instead."
        )


def _require_same_training(run_dir: Path, data: Prepared) -> None:
    """Make sure that the split is the one that the model was trained on.

    Raises:
        InputError: training or validation rows differ from `seen.parquet`.
    """
    columns = ["user", "item", "part"]
    seen = read_table(run_dir / records.SEEN_FILE, columns)[columns]
    stored = {tuple(row) for row in seen.itertuples(index=False)}
    now = {
        (user, item, name)
        for name, part in data.parts.by_name.items()
        if not is_test(name)
        for user, item in zip(
            part.inter_feat[part.uid_field].tolist(),
            part.inter_feat[part.iid_field].tolist(),
            strict=True,
        )
    }
    if stored != now:
        raise InputError(
            f"{run_dir}: the training set is not the one of this run ({len(now - stored)} rows are "
            f"new, {len(stored - now)} are gone). Either the data changed since, or an option of "
            "the split was given: with another split, rows that the model has seen would be "
            "tested. Train a run with these options instead."
        )
