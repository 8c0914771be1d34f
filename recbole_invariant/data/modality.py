"""Item features of several modalities, aligned to RecBole's internal ids by item token.

A modality is read by one of the sources in `modality_sources`, aligned, checked and scaled so that
each item's row has norm 1. Row numbers of files mean nothing here: RecBole renumbers items, so only
tokens join features and interactions.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recbole_invariant.data.modality_sources import SOURCES
from recbole_invariant.data.modality_sources.base import SourceContext, TokenFeatures
from recbole_invariant.data.modality_specs import parse_specs
from recbole_invariant.errors import InputError

# Rows are read and scaled so many at a time, to keep copies of large matrices small.
CHUNK = 8192


@dataclass(frozen=True)
class Modality:
    """One modality's features for every item of the catalogue.

    Attributes:
        name: its name in the `modalities` option.
        values: (n_items, dim) float32; each row has L2 norm 1, or is zero where the item has no
            features; row 0 (padding) is zero.
        n_covered: items with a non-zero row.
        checksum: SHA-256 of the bytes of `values`, as hexadecimal text.
        source: where the features were read.
        source_dtype: the number type there.
    """

    name: str
    values: torch.Tensor = field(repr=False)
    n_covered: int
    checksum: str
    source: str
    source_dtype: str

    @property
    def dim(self) -> int:
        """Number of feature columns."""
        return int(self.values.shape[1])

    @property
    def coverage(self) -> float:
        """Share of the catalogue's items (padding left out) that have features, in [0, 1]."""
        return self.n_covered / max(self.values.shape[0] - 1, 1)

    def describe(self) -> str:
        """Say in one line what was loaded."""
        return (
            f"modality {self.name}: dim {self.dim}, "
            f"items with features {self.n_covered}/{self.values.shape[0] - 1}, "
            f"shape {tuple(self.values.shape)}, {self.source_dtype} from {self.source}, "
            f"sha256 {self.checksum}"
        )


def align_by_token(
    tokens: Sequence[str],
    matrix: np.ndarray,
    token2id: Mapping[str, int],
    n_items: int,
    origin: str = "the features",
) -> np.ndarray:
    """Put the row of each token at that token's internal id.

    Args:
        tokens: raw item token of each row, each once.
        matrix: (len(tokens), dim), any real dtype; only rows of catalogue items are read.
        token2id: raw item token -> internal id in [0, n_items); id 0 is padding, never an item.
        n_items: rows of the result, padding included.
        origin: name of the features, for messages.

    Returns:
        (n_items, dim) float32; zero for padding and for items without a row.

    Raises:
        InputError: no token is in the catalogue, or a row in use is not finite in float32.
    """
    ids = np.fromiter((token2id.get(token, 0) for token in tokens), np.int64, len(tokens))
    rows = np.flatnonzero(ids)
    if rows.size == 0:
        catalogue = [token for token, item in token2id.items() if item != 0]
        raise InputError(
            f"{origin}: none of its {len(tokens)} items is in the catalogue; its tokens look like "
            f"{[str(token) for token in tokens[:3]]}, those of the interactions like "
            f"{[str(token) for token in catalogue[:3]]}"
        )
    aligned = np.zeros((n_items, matrix.shape[1]), dtype=np.float32)
    for start in range(0, rows.size, CHUNK):
        part = rows[start : start + CHUNK]
        with np.errstate(over="ignore"):  # a float64 beyond float32 is reported below
            block = matrix[part].astype(np.float32)
        bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if bad.size:
            value = matrix[part[bad[0]]][~np.isfinite(block[bad[0]])][0]
            raise InputError(
                f"{origin}: item '{tokens[part[bad[0]]]}' has the feature value {value}; "
                "every value must be a finite float32 number"
            )
        aligned[ids[part]] = block
    return aligned


def l2_normalise_rows(values: np.ndarray) -> np.ndarray:
    """Scale each row to L2 norm 1; a zero row stays zero.

    Args:
        values: (n_rows, dim) finite numbers.

    Returns:
        A new (n_rows, dim) float32 array. Rows are first divided by their largest magnitude, so
        that neither huge nor tiny ones leave float32's range.
    """
    scaled = np.array(values, dtype=np.float32)
    for start in range(0, len(scaled), CHUNK):
        block = scaled[start : start + CHUNK]
        largest = np.abs(block).max(axis=1, keepdims=True)
        block /= np.where(largest > 0, largest, 1)
        norms = np.linalg.norm(block, axis=1, keepdims=True)
        block /= np.where(norms > 0, norms, 1)
        block += 0.0  # turns -0.0 into 0.0: equal values have equal bytes, hence one checksum
    return scaled


def checksum(values: np.ndarray) -> str:
    """Compute the SHA-256 of a float32 array's bytes (row by row, little-endian)."""
    little_endian = np.ascontiguousarray(values, dtype="<f4")
    return hashlib.sha256(little_endian.reshape(-1).view(np.uint8).data).hexdigest()


def build_modality(
    name: str, features: TokenFeatures, token2id: Mapping[str, int], n_items: int
) -> Modality:
    """Align and scale one source's features; arguments and errors as `align_by_token`.

    Raises:
        InputError: also if every row is zero.
    """
    origin = f"modality '{name}', {features.origin}"
    aligned = align_by_token(features.tokens, features.values, token2id, n_items, origin)
    values = l2_normalise_rows(aligned)
    covered = int(values.any(axis=1).sum())
    if covered == 0:
        raise InputError(f"{origin}: the features are empty: every row in use is zero")
    dtype = str(features.values.dtype)
    return Modality(
        name, torch.from_numpy(values), covered, checksum(values), features.origin, dtype
    )


def load_modalities(
    config: Any, token2id: Mapping[str, int], n_items: int, host: Any = None
) -> dict[str, Modality]:
    """Load every modality of the `modalities` option.

    Args:
        config: a RecBole config (`config["key"]` is None for a key that is not there); reads
            `modalities`, `dataset`, `data_path` and the atomic files' format.
        token2id: raw item token -> internal id; id 0 is padding.
        n_items: items, padding included.
        host: the RecBole dataset after its processing; the source `preload` needs it.

    Returns:
        Modalities by name, in the order of the option; empty if it is None.

    Raises:
        InputError: with the problems of all modalities at once.
    """
    loaded: dict[str, Modality] = {}
    problems: list[str] = []
    for spec in parse_specs(config["modalities"]):
        context = SourceContext(
            modality=spec.name,
            dataset=config["dataset"],
            folder=Path(config["data_path"]),
            token2id=token2id,
            item_field=config["ITEM_ID_FIELD"],
            field_separator=config["field_separator"] or "\t",
            seq_separator=config["seq_separator"] or " ",
            encoding=config["encoding"] or "utf-8",
            host=host,
        )
        try:
            features = SOURCES[spec.source].read(spec.options, context)
            loaded[spec.name] = build_modality(spec.name, features, token2id, n_items)
        except InputError as error:
            problems += error.problems
            continue
        getLogger().info(loaded[spec.name].describe())
    if problems:
        raise InputError(problems)
    return loaded
