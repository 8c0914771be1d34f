"""From a dataset to its parts: cut by a protocol, or by RecBole where there is none."""

from dataclasses import dataclass, field
from logging import getLogger
from typing import Any

import numpy as np
import torch
from recbole.data.dataset import Dataset
from recbole.utils import ModelType, init_seed

from recbole_invariant.config import USER_LAYERS
from recbole_invariant.data.dataset import MultimodalDataset
from recbole_invariant.data.modality import load_modalities
from recbole_invariant.data.splits import (
    DROPPED,
    NEEDS_FEATURES,
    Interactions,
    make_split,
    protocol,
)
from recbole_invariant.data.splits.ratio import split_users_by_ratio
from recbole_invariant.errors import InputError
from recbole_invariant.seeding import numpy_generator

WITHOUT_PROTOCOLS = (ModelType.SEQUENTIAL, ModelType.CONTEXT, ModelType.DECISIONTREE)
"""Models whose rows are not single interactions; they keep RecBole's own split for now."""


@dataclass
class Parts:
    """A dataset cut into parts that RecBole's loaders take.

    Attributes:
        train: training rows.
        valid: validation rows.
        tests: test sets by name, `iid` first.
        protocol: the protocol's name, or None for RecBole's own split.
        notes: what the run's record says of the cut.
    """

    train: Dataset
    valid: Dataset
    tests: dict[str, Dataset]
    protocol: str | None
    notes: dict[str, Any] = field(default_factory=dict)

    def sizes(self) -> dict[str, dict[str, int]]:
        """Count users, items and interactions of each part."""
        return {
            name: {
                "n_users": len(np.unique(part.inter_feat[part.uid_field].numpy())),
                "n_items": len(np.unique(part.inter_feat[part.iid_field].numpy())),
                "n_interactions": len(part),
            }
            for name, part in {"train": self.train, "valid": self.valid, **self.tests}.items()
        }


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
    if config["MODEL_TYPE"] not in WITHOUT_PROTOCOLS:
        return str(name)
    kind = config["MODEL_TYPE"].name.lower()
    if layer.startswith(USER_LAYERS):
        raise InputError(
            f"ood: {name}: protocols for {kind} models such as {config['model']} are not in this "
            "version yet; leave --ood away, or take a general model."
        )
    getLogger().info(
        f"ood: the dataset's protocol '{name}' is not applied, since {config['model']} is a "
        f"{kind} model; RecBole's own split is used and there is an iid test only"
    )
    return None


def cut(dataset: Dataset, config: Any, name: str | None) -> Parts:
    """Cut a dataset by a protocol or, without one, by RecBole.

    Args:
        dataset: a RecBole dataset whose `build` was not called yet; it is used up.
        config: the run's options.
        name: the protocol, see `chosen_protocol`.

    Raises:
        InputError: a part is empty, or the dataset's files are not two or three.
    """
    parts = _cut_by_protocol(dataset, config, name) if name else _cut_by_host(dataset, config)
    for part, size in parts.sizes().items():
        getLogger().info(f"{part}: " + ", ".join(f"{key} {n}" for key, n in size.items()))
    return parts


def _cut_by_protocol(dataset: Dataset, config: Any, name: str) -> Parts:
    """Pool all rows, of several files too, and cut them."""
    dataset._change_feat_format()
    split = make_split(
        name,
        interactions_of(dataset),
        config,
        config["seed"],
        _features(dataset, config) if name in NEEDS_FEATURES else None,
    )
    dataset._drop_unused_col()
    made = {
        part: dataset.copy(dataset.inter_feat[rows])
        for part, rows in split.parts.items()
        if part != DROPPED
    }
    train, valid = made.pop("train"), made.pop("valid")
    return Parts(train, valid, made, name, split.notes)


def interactions_of(dataset: Dataset) -> Interactions:
    """Read users, items and times of a dataset in RecBole's tensor format."""
    table = dataset.inter_feat
    timed = dataset.time_field in table.columns if dataset.time_field else False
    return Interactions(
        table[dataset.uid_field].numpy(),
        table[dataset.iid_field].numpy(),
        table[dataset.time_field].numpy() if timed else None,
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
    """Let RecBole cut, by `eval_args` or by the files' own split."""
    # RecBole shuffles with torch's global generator: the same rows as its own run_recbole
    init_seed(config["seed"], config["reproducibility"])
    built = dataset.build()
    if len(built) == 2:
        built = [*_valid_from_train(built[0], config), built[1]]
    if len(built) != 3:
        raise InputError(
            f"benchmark_filename: expected the files of train, valid and test, or of train and "
            f"test, not {len(built)}: {config['benchmark_filename']}"
        )
    for part, made in zip(("train", "valid", "iid"), built, strict=True):
        if not len(made):
            source = config["benchmark_filename"] or config["eval_args"]["split"]
            raise InputError(
                f"the split '{part}' is empty (RecBole's own split, {source}). Change eval_args "
                "or the filters of the dataset (positive_threshold, user_inter_num_interval), "
                "or choose a protocol with --ood."
            )
    return Parts(built[0], built[1], {"iid": built[2]}, None)


def _valid_from_train(train: Dataset, config: Any) -> list[Dataset]:
    """Cut the validation part that a dataset of two files lacks from its training file."""
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL:
        raise InputError(
            f"benchmark_filename: {config['benchmark_filename']}: a sequential model needs a "
            "validation file; cutting one from sequences at random would leak later items."
        )
    users = train.inter_feat[train.uid_field].numpy()
    ratio = [*config["pool_ratio"][:2], 0.0]
    rng = numpy_generator(config["seed"], "data")
    kept, valid, _ = split_users_by_ratio(users, np.arange(len(users)), ratio, rng)
    getLogger().info(f"{len(valid)} rows of the training file are cut off for validation")
    return [train.copy(train.inter_feat[kept]), train.copy(train.inter_feat[valid])]
