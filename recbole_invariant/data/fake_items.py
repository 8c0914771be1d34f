"""Fake items in training histories, the robustness test of IDEA."""

import torch
from torch import Tensor


def replace_items(
    histories: Tensor, n_items: int, ratio: float, n_fake: int, generator: torch.Generator
) -> Tensor:
    """Replace a share of the positions by items that nobody bought.

    Every position that holds an item is replaced with probability `ratio`, by an id drawn
    uniformly; rows are independent, also where they are pieces of one user's sequence.

    Args:
        histories: item ids, 0 for padding, `(n, length)`, int64.
        n_items: size of the catalogue with the padding; ids from here on are fake.
        ratio: expected share of replaced positions, in [0, 1).
        n_fake: number of fake ids.
        generator: source of randomness.

    Returns:
        A new tensor `(n, length)`; replaced positions are in [n_items, n_items + n_fake), padding
        stays 0.
    """
    device = generator.device
    chosen = torch.rand(histories.shape, generator=generator, device=device) < ratio
    fakes = torch.randint(
        n_items, n_items + n_fake, histories.shape, generator=generator, device=device
    )
    replaced = chosen.to(histories.device) & (histories != 0)
    return torch.where(replaced, fakes.to(histories.device), histories)
