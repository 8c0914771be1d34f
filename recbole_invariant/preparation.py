"""From resolved options to data: dataset, splits, loaders, tests still sealed."""

from dataclasses import dataclass
from logging import getLogger
from typing import Any

from recbole.data.dataset import Dataset
from recbole.data.utils import create_dataset
from recbole.utils import EvaluatorType

from recbole_invariant.compat import host_files
from recbole_invariant.configuration.nested_values import LISTS_OF_COLUMNS
from recbole_invariant.data.atomic_files import checked_reading, text_encoding
from recbole_invariant.data.positives import drop_negatives, request_positives
from recbole_invariant.data.raw_columns import keep_raw_floats, request_column
from recbole_invariant.data.sequences import plain_benchmark_files
from recbole_invariant.data.splits.apply import chosen_protocol, cut
from recbole_invariant.data.splits.parts import Parts
from recbole_invariant.data.targets import request_targets
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.protocol import Loaders, make_loaders, set_eval_batch
from recbole_invariant.registry import ModelEntry

FILTERS = ("val_interval", "user_inter_num_interval", "item_inter_num_interval")


@dataclass(frozen=True)
class Prepared:
    """Everything a model is trained and tested on.

    Attributes:
        dataset: the dataset that was cut.
        parts: its parts.
        loaders: of training and validation; of the tests, sealed.
    """

    dataset: Dataset
    parts: Parts
    loaders: Loaders


def prepare(config: Any, entry: ModelEntry) -> Prepared:
    """Load the data, cut it and make the loaders.

    Args:
        config: the run's options; what the data decides is put into it (`ood`, `val_interval`,
            `load_col`, `eval_batch_size`, `encoding`).
        entry: the model.

    Raises:
        InputError: the data is not there, or cannot be cut as asked.
    """
    layers = config.layers
    protocol = chosen_protocol(config, layers.get("ood", ""))
    config["ood"] = protocol
    config["encoding"] = text_encoding(config["encoding"])
    request_positives(config)
    request_column(config)
    request_targets(config)
    dataset = load_dataset(config, entry)
    drop_negatives(config, dataset)
    n_items = dataset.item_num - 1
    if config["eval_type"] == EvaluatorType.RANKING and max(config["topk"]) > n_items:
        raise InputError(f"topk: {config['topk']} is longer than a ranking of all {n_items} items.")
    getLogger().info(str(dataset))
    parts = cut(dataset, config, protocol)
    layer = layers.get("eval_batch_size", "")
    set_eval_batch(config, layer, dataset.item_num)
    return Prepared(dataset, parts, make_loaders(config, dataset, parts))


def _options_naming(config: Any, error: Exception) -> str:
    """Say which options name the column that RecBole complains of, if they do."""
    said = str(error)
    naming = [
        key
        for key in LISTS_OF_COLUMNS
        if any(f"[{name}]" in said or f"'{name}'" in said for name in _listed(config[key]))
    ]
    return f"Named by {' and '.join(naming)}. " if naming else ""


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def load_dataset(config: Any, entry: ModelEntry) -> Dataset:
    """Load the dataset by the model's dataset class, or by the one RecBole takes for it.

    Raises:
        InputError: RecBole refuses the files or the filters leave nothing.
    """
    for key in ("dataset_save_path", "dataloaders_save_path", "save_dataset", "save_dataloaders"):
        if config[key]:
            raise InputError(
                f"{key}: RecBole's saved data are pickles, which are never read or written here; "
                "leave the option out."
            )
    try:
        with (
            host_files(config["allow_pickle"]),
            checked_reading(),
            keep_raw_floats(),
            plain_benchmark_files(),
        ):
            if entry.dataset_class is not None:
                return entry.dataset_class(config)
            return create_dataset(config)
    except InputError:
        raise
    except (ValueError, KeyError) as error:
        named = _options_naming(config, error)
        if isinstance(error, KeyError) and not named:
            raise  # not of a column that the user named
        filters = {key: config[key] for key in FILTERS if config[key]}
        raise InputError(
            f"dataset '{config['dataset']}': RecBole refuses it: {error} {named}"
            f"Filters in force: {filters or 'none'} (positive_threshold sets that of the rating)."
        ) from error
