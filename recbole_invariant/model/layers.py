"""Layers of the mask stage: the clipped-Gaussian gate and the two attention heads."""

from typing import Literal

import torch
from torch import Tensor, nn

from recbole_invariant.model.pair_functions import pair_hidden

AttentionOutput = Literal["sigmoid", "softmax"]


class ClippedGaussianGate(nn.Module):
    """A mask on d feature dimensions with clipped Gaussian noise (PaInvRL Eq. 10).

    The parameter is m itself and the sampled gate `clip(m + noise, 0, 1)`; the paper's equation
    swaps the two names with respect to its own text and to InvRL. InvRL's parameter is m - 0.5.

    Args:
        n_dims: d.
        initial: first value of every m, in [0, 1].
        noise: standard deviation sigma of the noise, >= 0.
    """

    def __init__(self, n_dims: int, initial: float = 0.5, noise: float = 0.01) -> None:
        super().__init__()
        self.mask = nn.Parameter(torch.full((n_dims,), float(initial)))
        self.noise = noise

    def forward(self, generator: torch.Generator) -> Tensor:
        """Sample one gate `(d,)` in [0, 1] for all items."""
        drawn = torch.randn(
            self.mask.shape, generator=generator, device=generator.device, dtype=self.mask.dtype
        )
        return (self.mask + self.noise * drawn.to(self.mask.device)).clamp(0.0, 1.0)

    @torch.no_grad()
    def project(self) -> None:
        """Put m back into [0, 1]; outside, the clip has no gradient and m could never return."""
        self.mask.clamp_(0.0, 1.0)

    @torch.no_grad()
    def hard(self) -> Tensor:
        """Return the mask without noise, `(d,)` in [0, 1]."""
        return self.mask.clamp(0.0, 1.0).clone()


class RepresentationAttention(nn.Module):
    """Weights of the invariant and the variant representation of a pair (PaInvRL Eq. 14).

    Two MLPs read `[p_u, q_u, t_i, f_i]`. Their first layer is linear in that concatenation, so
    users and items go through it once each and pairs only add up.

    Args:
        user_size: size of `[p_u, q_u]`.
        item_size: size of `[t_i, f_i]`.
        hidden: width of the hidden layer of each MLP.
        output: `sigmoid` for two independent weights, `softmax` for two that sum to 1.
        generator: CPU generator for the initial values. The last layer starts at 0: both weights
            are 0.5 at first.
    """

    def __init__(
        self,
        user_size: int,
        item_size: int,
        hidden: int,
        output: AttentionOutput,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.hidden, self.output = hidden, output
        bound = (user_size + item_size) ** -0.5

        def drawn(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound, generator=generator))

        self.user_weight = drawn(2 * hidden, user_size)
        self.item_weight = drawn(2 * hidden, item_size)
        self.hidden_bias = nn.Parameter(torch.zeros(2 * hidden))
        self.head_weight = nn.Parameter(torch.zeros(2, hidden))
        self.head_bias = nn.Parameter(torch.zeros(2))

    def forward(self, users: Tensor, items: Tensor, position: Tensor) -> Tensor:
        """Weigh the two representations of each pair.

        Args:
            users: `[p_u, q_u]` of each row `(batch, user_size)`.
            items: `[t_i, f_i]` of the different items `(n_different, item_size)`.
            position: which of them each pair is `(batch, n)`.

        Returns:
            `(batch, n, 2)` in (0, 1): weights of the invariant and of the variant one.
        """
        from_user = nn.functional.linear(users, self.user_weight, self.hidden_bias)
        from_item = nn.functional.linear(items, self.item_weight)
        logits = pair_hidden(from_user, from_item, position, self.head_weight) + self.head_bias
        return logits.softmax(-1) if self.output == "softmax" else logits.sigmoid()
