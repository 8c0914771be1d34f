"""Backbones whose training asks what their recommendation asks: the item after a history."""

import torch
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_invariant.model.sequence_encoder.base import Examples, SequenceEncoder


class CausalEncoder(SequenceEncoder):
    """STAMP, LightSANs and others with `forward(item_seq, item_seq_len)`."""

    def examples(self, batch: Interaction) -> Examples:
        """Take history and next item of every row."""
        model = self.backbone
        sequence, length = batch[model.ITEM_SEQ], batch[model.ITEM_SEQ_LEN]
        rows = torch.arange(len(sequence), device=sequence.device)
        return Examples(
            sequence,
            length,
            is_item=sequence != 0,
            rows=rows,
            positions=length - 1,
            targets=batch[model.POS_ITEM_ID],
            cues=self.real_items(sequence[rows, length - 1]),
            users=batch[model.USER_ID],
            negatives=batch.interaction.get(model.NEG_ITEM_ID),
        )

    def encode_sequence(
        self, item_embeddings: Tensor, item_sequence: Tensor, length: Tensor
    ) -> Tensor:
        """Run the backbone: `(batch, size)`."""
        encoded: Tensor = self.run_backbone(item_embeddings, item_sequence, length)
        return encoded

    def encode_targets(self, item_embeddings: Tensor, examples: Examples) -> Tensor:
        """Run the backbone once on all versions, one after the other in the batch."""
        return self.encode_versions(item_embeddings, examples.item_sequence, examples.length)

    def encode_versions(
        self, item_embeddings: Tensor, item_sequence: Tensor, length: Tensor
    ) -> Tensor:
        """Encode several versions `(n_versions, batch, length, size)` of the same sequences."""
        n = len(item_embeddings)
        sequence = item_sequence.repeat(n, 1)
        encoded = self.encode_sequence(item_embeddings.flatten(0, 1), sequence, length.repeat(n))
        return encoded.view(n, -1, self.size)
