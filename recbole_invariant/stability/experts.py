"""Environments as experts that explain what the held-out reference does not.

Each environment e changes every user's preference in the same way: `p_e(i | u)` is proportional to
`P_u(i) exp(<w_e, x_i>)`, with the reference P frozen and x the item in the flagged subspace. The
experts and their shares are fitted to the held-out clicks as a mixture; a click belongs to the
environment with the largest posterior. Ours; no paper.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recbole_invariant.stability.reference import HeldOut


def flagged_subspace(features: Tensor, flagged: Tensor) -> Tensor:
    """Coordinates of the items in the causes behind the flagged dimensions.

    Whitened principal components of the flagged dimensions whose eigenvalue is above 1 and above
    the mean: what several flagged dimensions share.

    Args:
        features: standardised, `(n_items, d)`, row 0 padding.
        flagged: `(d,)` bool, at least one.

    Returns:
        `(n_items, r)`, r >= 1, columns uncorrelated with variance 1 over the items.
    """
    chosen = features[:, flagged]
    real = chosen[1:]
    covariance = real.T @ real / max(len(real) - 1, 1)
    values, vectors = torch.linalg.eigh(covariance)
    kept = values > values.mean().clamp_min(1.0)
    kept[-1] = True
    return chosen @ (vectors[:, kept] * values[kept].clamp_min(1e-12).rsqrt())


class Experts(nn.Module):
    """K experts on r coordinates, fitted from several starts at once.

    Args:
        n_starts: starts that are fitted side by side.
        n_environments: K.
        n_coordinates: r.
        generator: CPU generator of the starts, N(0, .3^2).
        device: where the parameters are.
    """

    def __init__(
        self,
        n_starts: int,
        n_environments: int,
        n_coordinates: int,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        drawn = torch.randn(n_starts, n_environments, n_coordinates, generator=generator)
        self.direction = nn.Parameter((0.3 * drawn).to(device))
        self.share = nn.Parameter(torch.zeros(n_starts, n_environments, device=device))

    def joint(self, block: HeldOut, coordinates: Tensor) -> Tensor:
        """Log of share times likelihood ratio to the reference, of each click.

        Args:
            block: users, their preferences and held-out clicks.
            coordinates: of every item `(n_items, r)`.

        Returns:
            `(n, starts, K)`.
        """
        sampled = coordinates[block.sample.items]
        tilt = torch.einsum("sr,jkr->sjk", sampled, self.direction).flatten(1)
        # standardised rare values are in the hundreds: exp(tilt) itself would overflow
        largest = tilt.amax(dim=0)
        normaliser = (block.preference @ (tilt - largest).exp()).clamp_min(1e-30).log() + largest
        own = torch.einsum("nr,jkr->njk", coordinates[block.item], self.direction)
        shares = self.share.log_softmax(dim=-1)
        return shares + own - normaliser[block.user].view_as(own)

    def likelihood(self, blocks: Sequence[HeldOut], coordinates: Tensor) -> Tensor:
        """Mean log-likelihood of the blocks' clicks over that of the reference, `(starts,)`.

        Without clicks it is 0.
        """
        total = torch.zeros_like(self.share).sum(dim=-1)
        for block in blocks:
            total = total + self.joint(block, coordinates).logsumexp(dim=-1).sum(dim=0)
        return total / max(sum(len(block.item) for block in blocks), 1)

    @torch.no_grad()
    def labels(self, block: HeldOut, coordinates: Tensor, start: int) -> Tensor:
        """Environment of each held-out click of a block by one start's experts, `(n,)` int64."""
        return self.joint(block, coordinates)[:, start].argmax(dim=-1)
