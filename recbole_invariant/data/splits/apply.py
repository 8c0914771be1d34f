"""From a dataset to its parts: cut by a protocol, by its files, or by RecBole."""

from logging import getLogger
from typing import Any

import numpy as np
import torch
from recbole.data.dataset import Dataset
from recbole.utils import ModelType, init_seed

from recbole_invariant.config import USER_LAYERS
from recbole_invariant.data.dataset import MultimodalDataset
from recbole_invariant.data.modality import load_modalities
from recbole_invariant.data.raw_columns import interactions_of
from recbole_invariant.data.sequences import (
    NO_SEQUENCES,
    CutSequences,
    has_histories,
    require_sequences,
)
from recbole_invariant.data.splits import DROPPED, NEEDS_FEATURES, Split, make_split, protocol
from recbole_invariant.data.splits.base import is_test
from recbole_invariant.data.splits.files import parts_of_files, split_by_files
from recbole_invariant.data.splits.parts import Parts
from recbole_invariant.data.splits.refit import JOINED, join_rows, join_validation
from recbole_invariant.data.targets import target_rows
from recbole_invariant.errors import InputError

LEAVE_ONE_OUT = (
    "leave-one-out: every user's last rows are held out, so that training rows of one user are "
    "later than test rows of another; it says nothing about a shift, nor about the future"
)


def chosen_protocol(config: Any, layer: str) -> str | None:
    """Say which protocol this model's data is cut by.

    Args:
        config: reads `ood`, `MODEL_TYPE` and `model`.
        layer: the layer that set `ood`.

    Returns:
        The protocol's name, or None for RecBole's own split.

    Raises:
        InputError: the protocol is not known, or it was asked for and the model cannot take it.
    """
    name = config["ood"]
    if name is None:
        return None
    protocol(name)
    if config["MODEL_TYPE"] != ModelType.DECISIONTREE:
        return str(name)
    if layer.startswith(USER_LAYERS):
        raise InputError(
            f"ood: {name}: decision trees such as {config['model']} train on files of their own "
            "and cannot be cut by a protocol; leave --ood away, or take another model."
        )
    getLogger().info(
        f"ood: the dataset's protocol '{name}' is not applied, since {config['model']} is a "
        "decision tree; RecBole's own split is used and there is an iid test only"
    )
    return None


def cut(dataset: Dataset, config: Any, name: str | None) -> Parts:
    """Cut a dataset by a protocol or, without one, by its files or by RecBole.

    Args:
        dataset: a RecBole dataset whose `build` was not called yet; it is used up.
        config: the run's options.
        name: the protocol, see `chosen_protocol`.

    Raises:
        InputError: a part is empty, or the dataset's files do not say what they are.
    """
    sequential = config["MODEL_TYPE"] == ModelType.SEQUENTIAL
    ready = sequential and has_histories(dataset)
    if ready and name:
        raise InputError(
            f"ood: {name}: the benchmark files of '{config['dataset']}' hold histories already, "
            "made across whatever is cut now; leave --ood away, or give plain interactions."
        )
    if name or (config["benchmark_filename"] and not ready):
        parts = _cut_rows(dataset, config, name)
    else:
        parts = _cut_by_host(dataset, config)
    for part, size in parts.sizes().items():
        getLogger().info(f"{part}: " + ", ".join(f"{key} {n}" for key, n in size.items()))
    return parts


def _cut_rows(dataset: Dataset, config: Any, name: str | None) -> Parts:
    """Cut single interactions, of several files too; histories are made of them afterwards."""
    sequential = config["MODEL_TYPE"] == ModelType.SEQUENTIAL
    if sequential:
        require_sequences(dataset)
    data = interactions_of(dataset, with_columns=name == "column")
    targets = target_rows(dataset)
    # RecBole's sequential datasets would make histories here, across what is about to be cut
    Dataset._change_feat_format(dataset)
    if name is None:
        split = split_by_files(data, config, config["seed"])
        split.check(len(data))
    else:
        features = _features(dataset, config) if name in NEEDS_FEATURES else None
        split = make_split(name, data, config, config["seed"], features)
    if config["refit_epochs"]:
        split = join_validation(split)
    dataset._drop_unused_col()
    sequences = CutSequences(dataset, data, split.parts, name, targets) if sequential else None
    if targets is not None:
        split = _targets_only(split, targets)
    return _parts_of(dataset, split, name, sequences)


def _targets_only(split: Split, targets: np.ndarray) -> Split:
    """Leave the rows out of every part that are never targets; histories have them already."""
    parts = {name: rows[targets[rows]] for name, rows in split.parts.items()}
    left_out = {name: len(split.parts[name]) - len(rows) for name, rows in parts.items()}
    notes = {**split.notes, "not_targets": left_out} if any(left_out.values()) else split.notes
    return Split(parts, notes, split.cold_parts)


def _parts_of(
    dataset: Dataset, split: Split, name: str | None, sequences: CutSequences | None
) -> Parts:
    """Make a dataset of each part's rows.

    Raises:
        InputError: a part has no rows.
    """
    made = {
        part: dataset.copy(dataset.inter_feat[rows])
        for part, rows in split.parts.items()
        if part != DROPPED
    }
    _require_rows(made, "its files" if name is None else f"the protocol '{name}'")
    tests = {part: found for part, found in made.items() if is_test(part)}
    return Parts(
        made["train"],
        made.get("valid"),
        tests,
        name,
        split.notes,
        made.get("ood_valid"),
        frozenset() if name is None else split.cold_parts,
        sequences,
    )


def _features(dataset: Dataset, config: Any) -> torch.Tensor | None:
    """Give every model's dataset the same features, so that the same seed gives one split."""
    if isinstance(dataset, MultimodalDataset):
        return dataset.item_features() if dataset.modalities else None
    modalities = load_modalities(
        config, dataset.field2token_id[dataset.iid_field], dataset.item_num, host=dataset
    )
    return torch.cat([m.values for m in modalities.values()], dim=1) if modalities else None


def _cut_by_host(dataset: Dataset, config: Any) -> Parts:
    """Let RecBole cut, by `eval_args`.

    Raises:
        InputError: some rows are no targets, which RecBole cannot be told.
    """
    if config["target_field"]:
        raise InputError(
            f"target_field: {config['target_field']}: RecBole's own split takes every row for a "
            "target. Give files split beforehand (benchmark_filename) or a protocol (--ood), or "
            "set target_field to null."
        )
    # RecBole shuffles with torch's global generator: the same rows as its own run_recbole
    init_seed(config["seed"], config["reproducibility"])
    names: tuple[str, ...] = ("train", "valid", "iid")
    if config["benchmark_filename"]:
        names = tuple(parts_of_files(config["benchmark_filename"]).values())
    try:
        datasets = dataset.build()
    except (ValueError, NotImplementedError) as error:
        # all that is left to refuse there is the user's eval_args
        raise InputError(f"eval_args: RecBole refuses {config['eval_args']}: {error}") from error
    built = dict(zip(names, datasets, strict=True))
    source = f"RecBole's own split, {config['eval_args']['split']}"
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL:
        source += f"; {NO_SEQUENCES}"
    _require_rows(built, source)
    notes: dict[str, Any] = {}
    if "LS" in config["eval_args"]["split"]:
        notes["claims"] = LEAVE_ONE_OUT
    train, valid, tests = built["train"], built["valid"], {"iid": built["iid"]}
    if config["refit_epochs"]:
        notes[JOINED] = {"valid": len(valid)}
        return Parts(join_rows(train, valid), None, tests, None, notes)
    return Parts(train, valid, tests, None, notes)


def _require_rows(parts: dict[str, Dataset], source: str) -> None:
    """Make sure that no part is empty.

    Raises:
        InputError: a part is.
    """
    for part, made in parts.items():
        if not len(made):
            raise InputError(
                f"the split '{part}' is empty ({source}). Change eval_args or the filters of the "
                "dataset (positive_threshold, user_inter_num_interval), or choose a protocol "
                "with --ood."
            )
