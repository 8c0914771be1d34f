"""`inference.safetensors`: what a model needs of its data to be built again and to recommend.

Beside the weights (`model.safetensors`), the ids (`ids.parquet`) and the rows of training and
validation (`seen.parquet`), a model reads of its data set how many values each field has, and some
read columns of users, items or a knowledge graph, or the order of the training rows. Sequential
models recommend from histories. All of this is integers of the smallest width that holds them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from recbole.utils import ModelType
from torch import Tensor

from recbole_invariant.data.splits.parts import Parts
from recbole_invariant.errors import InputError
from recbole_invariant.inference.user_histories import collect_histories
from recbole_invariant.tensor_files import load_tensors, save_tensors

INFERENCE_FILE = "inference.safetensors"
FORMAT = 1
ABOUT_KEY = "about"
ORDER, HISTORY_STARTS, HISTORY_ITEMS, CONTENT = (
    "order",
    "history.starts",
    "history.items",
    "content",
)
TABLES = ("user", "item", "kg")
"""Tables of a data set whose columns are stored, as `<table>.<field>`."""

ROWS_UNREAD = frozenset({"BPR", "NeuMF", "ConvNCF", "Pop", "Random"})
"""RecBole's general models that read nothing of the training rows but how many ids there are."""


@dataclass(frozen=True)
class Field:
    """A field of a data set.

    Attributes:
        type, source: values of RecBole's `FeatureType` and `FeatureSource`.
        length: of a sequence, 1 for a single value; None where RecBole gives none.
        size: number of its values with padding; None where RecBole cannot say.
    """

    type: str
    source: str
    length: Any
    size: int | None


@dataclass(frozen=True)
class Stored:
    """The content of the file.

    Attributes:
        fields: the data set's fields by name.
        tensors: the columns, orders and histories by name.
        about: other facts, plain JSON.
    """

    fields: dict[str, Field]
    tensors: dict[str, Tensor]
    about: dict[str, Any]

    def write(self, run_dir: Path) -> None:
        """Write the file into a run folder."""
        fields = {name: vars(field) for name, field in self.fields.items()}
        about = json.dumps({"format": FORMAT, **self.about, "fields": fields})
        narrow = {name: narrowed(tensor) for name, tensor in self.tensors.items()}
        save_tensors(run_dir / INFERENCE_FILE, narrow, {ABOUT_KEY: about})

    @classmethod
    def read(cls, run_dir: Path) -> "Stored":
        """Read the file of a run folder; integers come back as int64.

        Raises:
            InputError: it is missing, broken or of a later version.
        """
        path = run_dir / INFERENCE_FILE
        if not path.is_file():
            raise InputError(
                f"{path}: there is no such file, and without it this run cannot recommend: it was "
                "made by an earlier version, or log.txt says why it was not written. Train it "
                f"again; `evaluate --run {run_dir}` works as long as its data is there."
            )
        tensors, metadata = load_tensors(path)
        try:
            about = json.loads(metadata[ABOUT_KEY])
            fields = {name: Field(**field) for name, field in about.pop("fields").items()}
            version = about.pop("format")
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: not a file of a run's data ({error!r}).") from error
        if version != FORMAT:
            raise InputError(f"{path}: format {version}; this version reads format {FORMAT}.")
        wide = {k: t if t.is_floating_point() else t.long() for k, t in tensors.items()}
        return cls(fields, wide, about)

    def table(self, name: str) -> dict[str, Tensor]:
        """Return the columns of one of `TABLES` by field."""
        start = f"{name}."
        return {k.removeprefix(start): t for k, t in self.tensors.items() if k.startswith(start)}


def narrowed(tensor: Tensor) -> Tensor:
    """Return integers in the smallest type that holds them; other tensors as they are."""
    if tensor.dtype != torch.int64 or not tensor.numel():
        return tensor
    low, high = int(tensor.min()), int(tensor.max())
    for kind in (torch.uint8, torch.int16, torch.int32):
        limits = torch.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return tensor.to(kind)
    return tensor


def describe_dataset(config: Any, model: Any, parts: Parts, seen: pd.DataFrame) -> Stored:
    """Collect what a trained model would need of its data.

    Args:
        config: the run's options.
        model: the model.
        parts: the data, of which tests are not read.
        seen: `seen.parquet`.
    """
    dataset = parts.fitted
    fields = {name: _field(dataset, name) for name in dataset.field2type}
    about: dict[str, Any] = {"history_is_seen": False}
    tensors = dict(_columns(config, dataset))
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL:
        histories = collect_histories(parts)
        starts, items = torch.from_numpy(histories.starts), torch.from_numpy(histories.items)
        tensors |= {HISTORY_STARTS: starts, HISTORY_ITEMS: items}
        # RecBole's own split makes rows of targets, so that a user's first item is in no row
        about["history_is_seen"] = parts.sequences is None
    elif reads_rows(config, model):
        order = training_order(seen, parts.train)
        if not np.array_equal(order, np.arange(len(order))):
            tensors[ORDER] = torch.from_numpy(order)
    if getattr(model, "uses_item_features", False):
        tensors[CONTENT] = model.content_vectors().detach().cpu()
        about["feature_dim"] = int(model.item_features.shape[1])
    return Stored(fields, tensors, about)


def reads_rows(config: Any, model: Any) -> bool:
    """Whether a model reads its training rows to be built or to score."""
    if config["MODEL_TYPE"] in (ModelType.SEQUENTIAL, ModelType.CONTEXT):
        return False
    return bool(getattr(model, "scores_from_rows", type(model).__name__ not in ROWS_UNREAD))


def training_order(seen: pd.DataFrame, train: Any) -> np.ndarray:
    """Say where each training row of `seen.parquet` stood: some models read rows in their order.

    Args:
        seen: `seen.parquet`.
        train: the training set.

    Returns:
        `(n,)`: row j of those of part `train` is row `order[j]` of the training set.
    """
    rows = seen[seen["part"] == "train"]
    there = np.lexsort((rows["item"].to_numpy(), rows["user"].to_numpy()))
    users, items = (np.asarray(train.inter_feat[f]) for f in (train.uid_field, train.iid_field))
    order = np.empty(len(rows), dtype=np.int64)
    order[there] = np.lexsort((items, users))
    return order


def _field(dataset: Any, name: str) -> Field:
    """Describe a field."""
    try:
        size = int(dataset.num(name))
    except (KeyError, TypeError):
        size = None
    kind, source = dataset.field2type[name], dataset.field2source[name]
    source = getattr(source, "value", source)
    return Field(kind.value, str(source), dataset.field2seqlen.get(name), size)


def _columns(config: Any, dataset: Any) -> Iterator[tuple[str, Tensor]]:
    """List the columns that a model may read, in general models none."""
    if config["MODEL_TYPE"] not in (ModelType.GENERAL, ModelType.TRADITIONAL):
        for name in TABLES:
            yield from _table(name, getattr(dataset, f"{name}_feat", None))


def _table(name: str, table: Mapping[str, Tensor] | None) -> Iterator[tuple[str, Tensor]]:
    """List the columns of a table."""
    if table is not None:
        for field in table:
            yield f"{name}.{field}", table[field]
