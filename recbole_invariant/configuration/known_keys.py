"""Which option names there are, for all models and for one.

RecBole rejects no name, so a typing error passes silently there. Known are: its argument lists,
the keys of every YAML file of RecBole and of this package, the keys that RecBole reads in code
only, and the `default_options` of a user's model class.
"""

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from recbole_invariant.configuration.folders import (
    dataset_configs_folder,
    host_folder,
    host_model_yaml,
    host_yaml_files,
    properties_folder,
)
from recbole_invariant.configuration.layers import STRUCTURE_KEYS, model_yaml_chain, yaml_owner
from recbole_invariant.options import (
    Option,
    item_type,
    parse_comment,
    read_options,
    type_name,
)

HOST_CODE_KEYS = (
    "CROP_ITEM_SEQ", "CROP_ITEM_SEQ_LEN", "INVERSE_ITEM_SEQ", "MASK_INDEX", "MASK_ITEM_SEQ",
    "MODEL_INPUT_TYPE", "MODEL_TYPE", "NEG_ITEMS", "POS_ITEMS", "REORDER_ITEM_SEQ", "cin",
    "contrast", "dataset", "device", "encoding", "eta", "eval_type", "feature_num",
    "has_residual", "ip", "local_rank", "model", "neg_sampling", "norm", "nproc", "offset",
    "port", "sim", "single_spec", "tail_ratio", "test_neg_sample_args", "token_num_threshold",
    "training_neg_sample_num", "use_filter", "valid_neg_sample_args", "verbose", "world_size",
    "xgb_early_stopping_rounds",
)  # fmt: skip
"""Keys that RecBole 1.2.1 reads in code and that stand in none of its YAML files or lists."""

HOST_COMMENTS: dict[str, str] = {
    "gpu_id": "(str or int)",
    "additional_feat_suffix": "(list or str or none)",
    "train_neg_sample_args": "(dict or none)",
    "load_col": "(dict or none)",
    "RATING_FIELD": "(str or none)",
    "TIME_FIELD": "(str or none)",
    "metrics": "(list or str)",
    "topk": "(list or int)",
    "worker": "(int, >= 0)",
    "epochs": "(int, >= 0)",
    "learning_rate": "(float, > 0)",
    "train_batch_size": "(int, >= 1)",
    "eval_batch_size": "(int, >= 1)",
    "eval_step": "(int, >= 0)",
    "stopping_step": "(int, >= 0)",
    "weight_decay": "(float, >= 0)",
    "embedding_size": "(int, >= 1)",
    "seed": "(int, in [0, 4294967295])",
    "loss_decimal_place": "(int, in [0, 16])",
    "MAX_ITEM_LIST_LENGTH": "(int, >= 1)",
    "rm_dup_inter": "(str or none, one of first | last)",
    "alias_of_user_id": "(list of str or none)",
    "alias_of_item_id": "(list of str or none)",
    "alias_of_entity_id": "(list of str or none)",
    "alias_of_relation_id": "(list of str or none)",
    "numerical_features": "(list of str)",
    "normalize_field": "(list of str or none)",
    "benchmark_filename": "(list of str or none)",
}
"""Types and ranges where RecBole's own comments say less, or other, than its code takes."""

CODE_TYPES: dict[str, tuple[str, ...]] = {"encoding": ("str", "none")}
"""Types of keys that only RecBole's code knows."""

_KEY_READ = re.compile(
    r"""(?:\bconfig|\bfinal_config_dict)\[\s*["']([\w-]+)["']\s*\]
      | ["']([\w-]+)["']\s+(?:not\s+)?in\s+(?:self\.)?(?:config|final_config_dict)\b(?!\[)
      | final_config_dict\.get\(\s*["']([\w-]+)["']""",
    re.X,
)


def keys_read_in(text: str) -> set[str]:
    """Return the option names that a source text reads from a Config."""
    return {next(filter(None, match.groups())) for match in _KEY_READ.finditer(text)}


@lru_cache(maxsize=1)
def argument_keys() -> frozenset[str]:
    """Return the names in RecBole's argument lists."""
    from recbole.utils import argument_list

    lists = (value for value in vars(argument_list).values() if isinstance(value, list))
    return frozenset(name for names in lists for name in names)


@lru_cache(maxsize=256)
def _options_of(path: Path) -> dict[str, Option]:
    found = {key: opt for key, opt in read_options(path).items() if key not in STRUCTURE_KEYS}
    if path.is_relative_to(host_folder()):
        for key in found.keys() & HOST_COMMENTS.keys():
            types, constraint, _ = parse_comment(HOST_COMMENTS[key])
            items = item_type(HOST_COMMENTS[key])
            found[key] = replace(found[key], types=types, constraint=constraint, items=items)
    return found


def our_yaml_files() -> list[Path]:
    """Return every YAML file of options of this package."""
    properties = properties_folder()
    return [
        properties / "overall.yaml",
        *sorted((properties / "model").glob("*.yaml")),
        *sorted(dataset_configs_folder().glob("*.yaml")),
    ]


def known_keys(model_class: type[Any] | None = None) -> set[str]:
    """Return every option name there is.

    Args:
        model_class: adds the names of its `default_options`.
    """
    keys = {key for path in [*host_yaml_files(), *our_yaml_files()] for key in _options_of(path)}
    own = getattr(model_class, "default_options", {})
    return keys | argument_keys() | set(HOST_CODE_KEYS) | set(own)


@dataclass(frozen=True)
class Schema:
    """The options of one model.

    Attributes:
        options: option -> declaration, of what this model or every model reads.
        known: every option name, of other models too.
    """

    options: dict[str, Option]
    known: frozenset[str]


def _first_declared(files: Iterable[Path]) -> dict[str, Option]:
    """Merge declarations; the first file that names a type for an option decides."""
    options: dict[str, Option] = {}
    for path in files:
        for key, option in _options_of(path).items():
            if key not in options or not options[key].types:
                options[key] = option
    return options


def _keys_in_source(model_class: type[Any]) -> set[str]:
    """Return the options that the modules of a model and its ancestors read."""
    keys: set[str] = set()
    for cls in model_class.__mro__:
        if cls.__module__.startswith(("builtins", "torch")):
            continue
        try:
            keys |= keys_read_in(Path(inspect.getfile(cls)).read_text(encoding="utf-8"))
        except (OSError, TypeError):
            continue  # Made in an interactive session: there is no file to read.
    return keys


def family_of(model_class: type[Any]) -> set[str]:
    """Return the names of a model and its ancestors, which are those of its YAML files."""
    names = {cls.__name__ for cls in model_class.__mro__}
    return names | {name.lower() for name in names}


def schema_of(model_class: type[Any] | None, wrapped: type[Any] | None = None) -> Schema:
    """Return the options of a model.

    Args:
        model_class: the model; None gives what every model reads.
        wrapped: the model that it wraps, whose options it reads too.
    """
    general = [path for path in host_yaml_files() if path.parent.name != "model"]
    overall, *ours = our_yaml_files()
    datasets = [path for path in ours if path.parent.name != "model"]
    model_files: list[Path] = []
    own: dict[str, Any] = {}
    keys = argument_keys() | set(HOST_CODE_KEYS)
    if model_class is not None:
        owner = yaml_owner(model_class)
        model_files = [path for path, _ in reversed(model_yaml_chain(owner))]
        own = getattr(model_class, "default_options", None) or {}
    for cls in filter(None, (model_class, wrapped)):
        host_file = host_model_yaml(yaml_owner(cls))
        model_files += [host_file] if host_file is not None else []
        keys = keys | _keys_in_source(cls)
    options = _first_declared([*model_files, overall, *general, *datasets])
    for key, default in own.items():
        types = () if default is None else (type_name(default),)
        options[key] = Option(key, types, source_file="default_options", default=default)
    known = known_keys(model_class)
    for key in keys & known:
        in_code = CODE_TYPES.get(key, ())
        options.setdefault(key, Option(key, in_code, source_file="RecBole", default=None))
    return Schema(options, frozenset(known))
