"""The whole way from fold models to the decision on each dimension."""

from dataclasses import dataclass, replace

import torch
from recbole.config import Config
from torch import Tensor

from recbole_invariant.seeding import torch_generator
from recbole_invariant.stability.flags import Stability, correlation_smoothing, stability_of
from recbole_invariant.stability.overdispersion import dispersion, standardise
from recbole_invariant.stability.reference import (
    FoldTables,
    HeldOutReference,
    ItemSample,
    sample_items,
)

CELLS_AT_A_TIME = 1 << 21
"""Scores (users x items) held in memory at a time."""

USERS_A_SAMPLE = 8
"""Users that share a sample of the catalogue; with more, its error shows in the scores."""

CELLS_FOR_TEMPERATURE = 1 << 23
"""Scores a fold that the temperature is chosen by."""


@dataclass(frozen=True)
class GateOptions:
    """Settings of the gate; every field is documented in properties/model/PaInvRL.yaml."""

    smoothing: bool
    level: float
    share: float
    floor: float

    @classmethod
    def from_config(cls, config: Config) -> "GateOptions":
        """Read the options."""
        return cls(
            smoothing=config["gate_smoothing"],
            level=config["gate_level"],
            share=config["gate_share"],
            floor=config["gate_floor"],
        )


def make_reference(
    tables: FoldTables,
    features: Tensor,
    rows: tuple[Tensor, Tensor, Tensor],
    n_sample: int,
    seed: int,
) -> HeldOutReference:
    """Make the held-out reference at its best temperature.

    Args:
        tables: the fold models.
        features: `(n_items, d)`.
        rows: user, item and fold of every training row, `(n_rows,)` each.
        n_sample: items that stand for the catalogue, drawn anew for some users each; 0 takes all.
        seed: of the samples.
    """
    users, items, folds = rows
    popularity, n_items = torch.bincount(items, minlength=len(features)), len(features)
    is_sampled = 0 < n_sample < n_items - 1

    def sample(fold: int, first: int) -> ItemSample:
        stream = torch_generator(seed, f"reference/{fold}/{first}")
        return sample_items(popularity, n_sample, stream)

    block_size = USERS_A_SAMPLE if is_sampled else max(1, CELLS_AT_A_TIME // n_items)
    reference = HeldOutReference(tables, features, users, items, folds, sample, block_size)
    reference.calibrate(reference.every(CELLS_FOR_TEMPERATURE))
    return reference


def assess(reference: HeldOutReference, options: GateOptions) -> Stability:
    """Decide which dimensions act in some situations only."""
    features = standardise(reference.features)
    n_users = reference.tables.user.shape[1]
    found = dispersion(reference.blocks(), features, n_users)
    smoothing = correlation_smoothing(features) if options.smoothing else None
    stability = stability_of(found, smoothing, options.level, options.share, options.floor)
    return replace(stability, temperature=reference.temperature)
