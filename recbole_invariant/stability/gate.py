"""The whole way from fold models to the decision on each dimension."""

import torch
from torch import Tensor

from recbole_invariant.stability.flags import Stability, correlation_smoothing, stability_of
from recbole_invariant.stability.overdispersion import dispersion, standardise
from recbole_invariant.stability.reference import FoldTables, HeldOutReference, sample_items


def make_reference(
    tables: FoldTables,
    features: Tensor,
    rows: tuple[Tensor, Tensor, Tensor],
    n_sample: int,
    generator: torch.Generator,
) -> HeldOutReference:
    """Make the held-out reference at its best temperature.

    Args:
        tables: the fold models.
        features: `(n_items, d)`.
        rows: user, item and fold of every training row, `(n_rows,)` each.
        n_sample: items that stand for the catalogue; 0 takes all.
        generator: CPU generator of the sample.
    """
    users, items, folds = rows
    popularity = torch.bincount(items, minlength=len(features))
    sample = sample_items(popularity, n_sample, generator)
    reference = HeldOutReference(tables, features, users, items, folds, sample)
    reference.calibrate()
    return reference


def assess(reference: HeldOutReference, smooth: bool, level: float, floor: float) -> Stability:
    """Decide which dimensions act in some situations only.

    Args:
        reference: what users were expected to click.
        smooth: average the scores of correlated dimensions.
        level: false discovery rate, in (0, 1).
        floor: gate of a flagged dimension, in [0, 1].
    """
    features = standardise(reference.features)
    n_users = reference.tables.user.shape[1]
    found = dispersion(reference.blocks(), features, reference.sample, n_users)
    smoothing = correlation_smoothing(features) if smooth else None
    return stability_of(found, smoothing, level, floor)
