"""The control of planted sequences: the spurious cue's true logit, in training only."""

from typing import Any

import torch
from torch import Tensor, nn

from recbole_invariant.data.item_attribute import item_attribute
from recbole_invariant.data.planted.truth import true_cue_strength
from recbole_invariant.model.sequence_encoder import Examples


class KnownCue(nn.Module):
    """Adds b_e to the score of every item that repeats the attribute of the item before it.

    With the cue explained, the backbone has no reason to learn it; it recommends without it. This
    is the best that an invariant method can do there, since it is told what nobody knows.

    Args:
        dataset: training rows of planted sequences.
        field: the cue's column of the items.

    Raises:
        InputError: the data have no such truth.
    """

    strength: Tensor
    attribute: Tensor

    def __init__(self, dataset: Any, field: str) -> None:
        super().__init__()
        strength = torch.as_tensor(true_cue_strength(dataset))
        attribute = torch.as_tensor(item_attribute(dataset, field))
        self.register_buffer("strength", strength, persistent=False)
        self.register_buffer("attribute", attribute, persistent=False)

    def forward(self, examples: Examples) -> Tensor:
        """Return what is added to the scores, `(n_targets, n_items)`."""
        cue = self.attribute[examples.cues].unsqueeze(1)
        repeats = (cue == self.attribute) & (cue > 0)
        return self.strength[examples.users].unsqueeze(1) * repeats
