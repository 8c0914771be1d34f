"""Causal backbones that never read beyond a history's end: padding is cut off, not computed."""

import torch
from torch import Tensor

from recbole_invariant.model.length_groups import group_by_length, rows_in_order
from recbole_invariant.model.sequence_encoder.base import Examples
from recbole_invariant.model.sequence_encoder.causal import CausalEncoder


class TrimmedEncoder(CausalEncoder):
    """GRU4Rec, SASRec and NARM in training: rows of like length together, without their padding.

    What they encode is theirs to float32 rounding (dropout draws other numbers). Histories are
    mostly short: of Amazon Beauty's at a length of 50, a quarter of the positions is left, and a
    step in four environments takes a third to a half of its time.
    """

    def encode_targets(self, item_embeddings: Tensor, examples: Examples) -> Tensor:
        """Run the backbone once a group of lengths, on all versions."""
        groups = group_by_length(examples.length)
        encoded = [
            self.encode_versions(
                item_embeddings[:, group.rows, : group.longest],
                examples.item_sequence[group.rows, : group.longest],
                examples.length[group.rows],
            )
            for group in groups
        ]
        return torch.cat(encoded, dim=1).index_select(1, rows_in_order(groups))
