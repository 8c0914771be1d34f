"""Options whose values have an inside, and what it must look like.

RecBole reads the keys that it knows and leaves the others, and skips an interval that it cannot
read: a typing error there would pass without a word.
"""

import codecs
import re
from typing import Any

from recbole_invariant.configuration.shapes import (
    Shape,
    either,
    flag,
    interval,
    mapping,
    number,
    record,
    several,
    text,
    word,
)
from recbole_invariant.data.modality_specs import parse_specs
from recbole_invariant.errors import InputError
from recbole_invariant.options import shown

_MODE = word(
    "full", "labeled", other=re.compile(r"(uni|pop)[1-9]\d*"), also="uniN, popN (N negatives)"
)
_DEVICES = re.compile(r"\s*(\d+|(GPU|MIG)-[\w/-]+)(\s*,\s*(\d+|(GPU|MIG)-[\w/-]+))*\s*")
_RATIOS = several(number(0), length=3)
LISTS_OF_COLUMNS = (
    "alias_of_user_id",
    "alias_of_item_id",
    "alias_of_entity_id",
    "alias_of_relation_id",
    "normalize_field",
    "numerical_features",
)
"""Options that list columns, which RecBole looks for when it has read the files."""

_NAMES = (*LISTS_OF_COLUMNS, "benchmark_filename", "baselines")
_COLUMNS = mapping(several(text))


def _loaded_columns(value: Any, where: str) -> str | None:
    """Take columns by file, those of the interactions among them."""
    if problem := mapping(either(several(text), word("*")))(value, where):
        return problem
    if "inter" in value:
        return None
    return f"{where} lacks inter, without which no interaction is loaded; null loads all columns."


def _split(value: Any, where: str) -> str | None:
    """Take one way of splitting, which RecBole names by the key."""
    if isinstance(value, dict) and len(value) != 1:
        return f"{where} must have one key: RS, LS or TS."
    leave = word("valid_and_test", "valid_only", "test_only")
    return record(RS=_RATIOS, LS=leave, TS=_RATIOS)(value, where)


def _modalities(value: Any, where: str) -> str | None:
    """Take what the sources of item features take."""
    try:
        parse_specs(value)
    except InputError as error:
        return error.problems[0]
    return None


def _encoding(value: Any, where: str) -> str | None:
    """Take the names of Python's text encodings."""
    try:
        codecs.lookup(value)
    except (LookupError, ValueError):
        return f"{where}: there is no text encoding {shown(value)}; the usual one is utf-8."
    return None


SHAPES: dict[str, Shape] = {
    "eval_args": record(
        split=_split,
        order=word("RO", "TO"),
        group_by=word("user", "none", None),
        mode=either(_MODE, record(valid=_MODE, test=_MODE)),
    ),
    "train_neg_sample_args": record(
        distribution=word("uniform", "popularity", "none", None),
        sample_num=number(1, whole=True),
        alpha=number(0),
        dynamic=flag,
        candidate_num=number(0, whole=True),
    ),
    "clip_grad_norm": record(
        ("max_norm",),
        max_norm=number(0, open_end=True),
        norm_type=either(number(0, open_end=True), word("inf")),
        error_if_nonfinite=flag,
        foreach=either(flag, word(None)),
    ),
    "load_col": _loaded_columns,
    "unload_col": _COLUMNS,
    "unused_col": _COLUMNS,
    "val_interval": mapping(either(interval, several(text))),
    "user_inter_num_interval": interval,
    "item_inter_num_interval": interval,
    "entity_kg_num_interval": interval,
    "relation_kg_num_interval": interval,
    "threshold": mapping(number(), length=1),
    "seq_len": mapping(number(1, whole=True)),
    "preload_weight": mapping(text),
    "discretization": mapping(
        record(("method",), method=word("ED", "LD"), bucket=number(1, whole=True))
    ),
    "baseline_options": mapping(mapping(lambda value, where: None)),
    "pool_ratio": _RATIOS,
    **dict.fromkeys(_NAMES, several(text)),
    "additional_feat_suffix": either(several(text), text),
    "modalities": _modalities,
    "transform": word(
        "mask_itemseq", "inverse_itemseq", "crop_itemseq", "reorder_itemseq", "user_defined"
    ),
    "learner": word("adam", "adamw", "sgd", "adagrad", "rmsprop", "sparse_adam", any_case=True),
    "state": word("critical", "error", "warning", "info", "debug", any_case=True),
    "encoding": _encoding,
    "gpu_id": either(number(0, whole=True), word("", other=_DEVICES, also="0, 1 or 0,1")),
}
"""Option -> the shape of its value."""


def nested_problem(key: str, value: Any) -> str | None:
    """Say what is wrong inside of an option's value, or return None; null is never wrong here.

    Args:
        key: the option.
        value: of the type that the option takes.
    """
    shape = SHAPES.get(key)
    return None if shape is None or value is None else shape(value, key)
