"""BERT4Rec: trained to fill masked places in, asked for one more place when it recommends."""

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from torch import Tensor

from recbole_invariant.model.sequence_encoder.base import Examples, SequenceEncoder


class MaskedEncoder(SequenceEncoder):
    """BERT4Rec, whose training batches come with masked places (RecBole's `mask_itemseq`)."""

    def __init__(self, backbone: SequentialRecommender, n_fakes: int = 0) -> None:
        super().__init__(backbone, n_fakes)
        self.mask_token = int(backbone.mask_token)

    def examples(self, batch: Interaction) -> Examples:
        """Take the masked places of every row.

        RecBole takes a mask at the first place for padding of its list of masks and leaves it out
        of the loss; so is it here. A masked fake item is no target: it has no score.
        """
        model = self.backbone
        sequence, places = batch[model.MASK_ITEM_SEQ], batch[model.MASK_INDEX]
        masked = batch[model.POS_ITEMS]
        rows, columns = torch.nonzero((places > 0) & (masked < self.n_items), as_tuple=True)
        positions = places[rows, columns]
        return Examples(
            sequence,
            batch[model.ITEM_SEQ_LEN],
            is_item=(sequence != 0) & (sequence != self.mask_token),
            rows=rows,
            positions=positions,
            targets=masked[rows, columns],
            cues=self.real_items(sequence[rows, positions - 1]),
            users=batch[model.USER_ID][rows],
            negatives=batch[model.NEG_ITEMS][rows, columns],
        )

    def encode_sequence(
        self, item_embeddings: Tensor, item_sequence: Tensor, length: Tensor
    ) -> Tensor:
        """Append a mask to every history, which loses its first place, and encode the mask."""
        batch = torch.arange(len(item_sequence), device=item_sequence.device)
        sequence = torch.nn.functional.pad(item_sequence, (0, 1))
        sequence[batch, length] = self.mask_token
        vectors = torch.nn.functional.pad(item_embeddings, (0, 0, 0, 1))
        is_mask = (sequence == self.mask_token).unsqueeze(-1)
        mask = self.table(sequence.new_tensor(self.mask_token))
        vectors = torch.where(is_mask, mask, vectors)
        encoded = self.run_backbone(vectors[:, 1:], sequence[:, 1:])
        last: Tensor = self.backbone.gather_indexes(encoded, length - 1)
        return last

    def encode_targets(self, item_embeddings: Tensor, examples: Examples) -> Tensor:
        """Encode all versions at once and take the masked places."""
        n, batch = item_embeddings.shape[:2]
        sequence = examples.item_sequence.repeat(n, 1)
        encoded = self.run_backbone(item_embeddings.flatten(0, 1), sequence)
        places = examples.rows * sequence.shape[1] + examples.positions
        # index_select: the backward pass of plain indexing is not deterministic on two threads
        every: Tensor = encoded.reshape(n, batch * sequence.shape[1], self.size)
        return every.index_select(1, places)

    def scores(self, encoded: Tensor) -> Tensor:
        """Score the catalogue with the backbone's bias; the mask has no score."""
        bias: Tensor = self.backbone.output_bias
        return super().scores(encoded) + bias

    def item_scores(self, encoded: Tensor, items: Tensor) -> Tensor:
        """Score one item a row with the backbone's bias."""
        bias: Tensor = self.backbone.output_bias[items]
        return super().item_scores(encoded, items) + bias
