"""The seam between our sequential models and RecBole's: item vectors in, sequence vector out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from torch import Tensor, nn

from recbole_invariant.model.sequence_encoder.substitution import given_vectors


@dataclass(frozen=True)
class Examples:
    """A training batch as a backbone reads it.

    Attributes:
        item_sequence: ids `(batch, length)`, 0 is padding.
        length: items of each sequence `(batch,)`.
        is_item: places that hold an item: neither padding nor a mask token `(batch, length)` bool.
        rows: sequence of each target `(n_targets,)`.
        positions: place in its sequence that predicts each target `(n_targets,)`.
        targets: items to predict `(n_targets,)`.
        cues: item just before each target; 0 where a mask or a fake stands there `(n_targets,)`.
        users: user of each target `(n_targets,)`.
        negatives: item sampled against each target `(n_targets,)`; None where none is sampled.
    """

    item_sequence: Tensor
    length: Tensor
    is_item: Tensor
    rows: Tensor
    positions: Tensor
    targets: Tensor
    cues: Tensor
    users: Tensor
    negatives: Tensor | None = None


class SequenceEncoder(nn.Module, ABC):
    """One of RecBole's sequential models, taken apart at its item vectors.

    Args:
        backbone: the model.
        n_fakes: ids from `first_fake` on that may stand in sequences and are never scored.

    Attributes:
        first_fake: the first id after those of the backbone's own table.
        size: length of an item's vector, and of an encoded sequence.
    """

    backbone: Any

    def __init__(self, backbone: SequentialRecommender, n_fakes: int = 0) -> None:
        super().__init__()
        self.backbone = backbone
        self.n_items = int(backbone.n_items)
        self.size, self.first_fake = self.table.embedding_dim, self.table.num_embeddings
        self.fake_embedding = nn.Embedding(n_fakes, self.size) if n_fakes else None

    @property
    def table(self) -> nn.Embedding:
        """The backbone's item vectors."""
        table: nn.Embedding = self.backbone.item_embedding
        return table

    def embed(self, item_sequence: Tensor) -> Tensor:
        """Look items up, fakes in a table of their own.

        Args:
            item_sequence: ids `(batch, length)`.

        Returns:
            `(batch, length, size)`; zeros for padding where the backbone has it so.
        """
        if self.fake_embedding is None:
            vectors: Tensor = self.table(item_sequence)
            return vectors
        is_fake = item_sequence >= self.first_fake
        real = self.table(torch.where(is_fake, 0, item_sequence))
        fakes = self.fake_embedding(torch.where(is_fake, item_sequence - self.first_fake, 0))
        return torch.where(is_fake.unsqueeze(-1), fakes, real)

    @abstractmethod
    def examples(self, batch: Interaction) -> Examples:
        """Read a training batch of RecBole's loader for this backbone."""

    def real_items(self, ids: Tensor) -> Tensor:
        """Put 0 in the place of ids beyond the catalogue: masks and fakes."""
        return torch.where(ids < self.n_items, ids, 0)

    @abstractmethod
    def encode_sequence(
        self, item_embeddings: Tensor, item_sequence: Tensor, length: Tensor
    ) -> Tensor:
        """Encode histories for the item that comes next, as the backbone does when it recommends.

        Args:
            item_embeddings: vectors of the items `(batch, length, size)`, gated or not.
            item_sequence: their ids `(batch, length)`; masks are made of these.
            length: items of each history `(batch,)`, >= 1.

        Returns:
            `(batch, size)`.
        """

    @abstractmethod
    def encode_targets(self, item_embeddings: Tensor, examples: Examples) -> Tensor:
        """Encode a training batch, several versions of its item vectors in one pass.

        Args:
            item_embeddings: `(n_versions, batch, length, size)`.
            examples: the batch.

        Returns:
            `(n_versions, n_targets, size)`.
        """

    def scores(self, encoded: Tensor) -> Tensor:
        """Score the whole catalogue, and nothing beyond it.

        Args:
            encoded: `(..., size)`.

        Returns:
            `(..., n_items)`.
        """
        return encoded @ self.table.weight[: self.n_items].transpose(0, 1)

    def item_scores(self, encoded: Tensor, items: Tensor) -> Tensor:
        """Score one item a row.

        Args:
            encoded: `(rows, size)`.
            items: ids `(rows,)`.

        Returns:
            `(rows,)`.
        """
        scores: Tensor = (encoded * self.table(items)).sum(dim=-1)
        return scores

    def run_backbone(self, item_embeddings: Tensor, *arguments: Tensor) -> Any:
        """Run the backbone's own forward pass on these item vectors."""
        with given_vectors(self.backbone, item_embeddings):
            return self.backbone.forward(*arguments)
