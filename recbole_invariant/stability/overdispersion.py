"""Over-dispersion of held-out clicks: do a user's clicks vary more than the model expects?

A cause that acts in some situations only makes a user's clicks a mixture, and a mixture has a
larger variance along that cause than any one preference; a cause that always acts narrows it, and
what does not matter leaves it alone. It is the information-matrix test (White, 1982) for the
weights of the features, within users. Ours; no paper.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from recbole_invariant.stability.reference import HeldOut


@dataclass(frozen=True)
class Dispersion:
    """Variance of held-out clicks against what the reference expects, by user.

    Attributes:
        excess: sum over a user's clicks of observed less expected variance `(n_users, d)`.
        clicks: clicks that it is the sum of `(n_users,)`; only those of a user and fold with two.
        expected: mean expected variance `(d,)`.
    """

    excess: Tensor
    clicks: Tensor
    expected: Tensor


def standardise(features: Tensor) -> Tensor:
    """Scale features `(n_items, d)` to mean 0 and deviation 1 over all items but padding (row 0).

    A dimension without variance becomes 0.
    """
    real = features[1:]
    deviation = real.std(dim=0)
    scale = torch.where(
        deviation > 1e-8, 1 / deviation.clamp_min(1e-8), torch.zeros_like(deviation)
    )
    scaled = (features - real.mean(dim=0)) * scale
    scaled[0] = 0
    return scaled


def dispersion(blocks: Iterable[HeldOut], features: Tensor, n_users: int) -> Dispersion:
    """Add up observed and expected variance within each user and fold.

    Args:
        blocks: held-out clicks, from `HeldOutReference.blocks`.
        features: standardised, `(n_items, d)`.
        n_users: number of users, padding included.
    """
    d = features.shape[1]
    excess = features.new_zeros(n_users, d)
    clicks = features.new_zeros(n_users)
    total = features.new_zeros(d)
    for block in blocks:
        sampled = features[block.sample.items]
        first = block.first
        n = len(block.preference)
        count = torch.bincount(block.user, minlength=n).to(features.dtype)
        several = count >= 2
        clicked = features[block.item]
        mean = clicked.new_zeros(n, d).index_add_(0, block.user, clicked)
        mean = mean / count.clamp_min(1).unsqueeze(-1)
        squares = (clicked - mean[block.user]).square()
        observed = clicked.new_zeros(n, d).index_add_(0, block.user, squares)
        observed = observed * (count / (count - 1).clamp_min(1)).unsqueeze(-1)
        first_moment = block.preference @ sampled
        expected = block.preference @ sampled.square() - first_moment.square()
        counted = torch.where(several, count, torch.zeros_like(count)).unsqueeze(-1)
        excess[first : first + n] += (
            torch.where(several.unsqueeze(-1), observed, 0.0) - counted * expected
        )
        clicks[first : first + n] += counted.squeeze(-1)
        total += (counted * expected).sum(dim=0)
    return Dispersion(excess, clicks, total / clicks.sum().clamp_min(1))
