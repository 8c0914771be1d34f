"""A RecBole data set made of a run folder, for models that ask for one when they are built."""

from logging import getLogger
from typing import Any

import numpy as np
import torch
from recbole.data.dataset import Dataset, KnowledgeBasedDataset, SequentialDataset
from recbole.data.interaction import Interaction
from recbole.utils import FeatureSource, FeatureType, ModelType
from torch import Tensor

from recbole_invariant.inference.stored import ORDER, TABLES, Stored
from recbole_invariant.inference.tokens import Tokens

CLASSES: dict[ModelType, type[Dataset]] = {
    ModelType.SEQUENTIAL: SequentialDataset,
    ModelType.KNOWLEDGE: KnowledgeBasedDataset,
}
"""RecBole's data set class of a kind of model; `Dataset` for all others."""
SOURCES = {source.value: source for source in FeatureSource}
"""RecBole's sources by value; those of additional files are plain text."""


def build_stand_in(
    config: Any, stored: Stored, tokens: tuple[Tokens, Tokens], train: tuple[Tensor, Tensor]
) -> Dataset:
    """Make a data set that answers what models ask: sizes, columns, matrices of interactions.

    Its methods are RecBole's own; only what the files would have filled is filled from the run
    folder. Values of fields other than users and items have no names in it.

    Args:
        config: the run's options.
        stored: the run's `inference.safetensors`.
        tokens: users and items.
        train: user and item of every training row in the order of `seen.parquet`.
    """
    kind = config["MODEL_TYPE"]
    # past the constructor, which reads files
    made: Any = object.__new__(type("StandIn", (_StandIn, CLASSES.get(kind, Dataset)), {}))
    made.config, made.dataset_name, made.logger = config, config["dataset"], getLogger()
    made.feature_dim = stored.about.get("feature_dim")
    made._get_preset()
    made._get_field_from_config()
    for name, field in stored.fields.items():
        source = SOURCES.get(field.source, field.source)
        made.set_field_property(name, FeatureType(field.type), source, field.length)
        if field.size is not None:
            made.field2id_token[name] = range(field.size)
            made.field2bucketnum[name] = field.size
    for name, known in zip((made.uid_field, made.iid_field), tokens, strict=True):
        made.field2id_token[name] = np.array(["[PAD]", *known.names], dtype=object)
    if kind == ModelType.SEQUENTIAL:
        _name_lists(made, config)
    for name in TABLES:
        columns = stored.table(name)
        setattr(made, f"{name}_feat", Interaction(columns) if columns else None)
    made.inter_feat = Interaction(_rows(made, train, stored.tensors.get(ORDER)))
    return made


class _StandIn:
    """What a stand-in has beside RecBole's methods."""

    feature_dim: int | None
    field2id_token: dict[str, Any]
    iid_field: str

    def item_features(self) -> Tensor:
        """Return zeros `(n_items, dim)` that take no memory: the model is given final vectors."""
        n_items = len(self.field2id_token[self.iid_field])
        return torch.zeros(()).expand(n_items, self.feature_dim or 0)


def _name_lists(made: Any, config: Any) -> None:
    """Set the names of list columns that RecBole sets when it makes histories."""
    made.max_item_list_len = config["MAX_ITEM_LIST_LENGTH"]
    made.item_list_length_field = config["ITEM_LIST_LENGTH_FIELD"]
    suffix = config["LIST_SUFFIX"]
    for name in list(made.field2type):
        if f"{name}{suffix}" in made.field2type:
            setattr(made, f"{name}_list_field", f"{name}{suffix}")


def _rows(made: Any, train: tuple[Tensor, Tensor], order: Tensor | None) -> dict[str, Tensor]:
    """Put the training rows into the order they had; sequential models read none."""
    users, items = train
    if order is not None:
        users, items = (torch.empty_like(side).scatter_(0, order, side) for side in train)
    return {made.uid_field: users, made.iid_field: items}
