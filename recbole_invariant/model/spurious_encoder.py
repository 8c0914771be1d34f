"""Irl4Rec's second encoder: what it reads, and through which vectors it scores items."""

from typing import Any

import torch
from torch import Tensor, nn

from recbole_invariant.data.item_attribute import item_tokens
from recbole_invariant.model.attribute_embedding import attribute_embedding
from recbole_invariant.model.sequence_encoder import Examples, SequenceEncoder, build_encoder
from recbole_invariant.seeding import derive_seed

SEQUENCE, ATTRIBUTE, NONE = "sequence", "attribute", "none"


class SharedEmbedding(nn.Module):
    """Another module's item vectors, looked up but not owned: they are saved and trained there."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        self._owner = (table,)  # in a tuple, so that torch does not take it for a part

    @property
    def weight(self) -> Tensor:
        """The vectors, `(n_ids, size)`."""
        return self._owner[0].weight

    @property
    def embedding_dim(self) -> int:
        """Length of a vector."""
        return self._owner[0].embedding_dim

    @property
    def num_embeddings(self) -> int:
        """Number of vectors."""
        return self._owner[0].num_embeddings

    def forward(self, ids: Tensor) -> Tensor:
        """Look ids up."""
        vectors: Tensor = self._owner[0](ids)
        return vectors


class SpuriousEncoder(nn.Module):
    """A second instance of a sequential model, with a table of its own to score items by.

    Scores are inner products alone: where the model adds a bias of each item (BERT4Rec), that
    is the adjustment encoder's.

    Args:
        encoder: the model, whose `item_embedding` is what it reads.
        own: the vectors it scores items by; None for those that it reads.
    """

    def __init__(self, encoder: SequenceEncoder, own: nn.Embedding | None = None) -> None:
        super().__init__()
        self.encoder, self.own = encoder, own

    @property
    def scoring(self) -> nn.Embedding:
        """The vectors it scores items by."""
        return self.encoder.table if self.own is None else self.own

    def encode_targets(self, examples: Examples) -> Tensor:
        """Encode a training batch: `(n_targets, size)`."""
        vectors = self.encoder.embed(examples.item_sequence)
        return self.encoder.encode_targets(vectors.unsqueeze(0), examples)[0]

    def encode_sequence(self, item_sequence: Tensor, length: Tensor) -> Tensor:
        """Encode histories `(batch, length)` for the item that comes next: `(batch, size)`."""
        vectors = self.encoder.embed(item_sequence)
        return self.encoder.encode_sequence(vectors, item_sequence, length)

    def scores(self, encoded: Tensor) -> Tensor:
        """Score the catalogue: `(rows, n_items)`."""
        return encoded @ self.scoring.weight[: self.encoder.n_items].transpose(0, 1)

    def item_scores(self, encoded: Tensor, items: Tensor) -> Tensor:
        """Score one item a row: `(rows,)`."""
        scores: Tensor = (encoded * self.scoring(items)).sum(dim=-1)
        return scores


def build_spurious(
    config: Any, dataset: Any, adjustment: SequenceEncoder
) -> SpuriousEncoder | None:
    """Make the spurious encoder that the option `s_input` names, None for `none`.

    Its initial values are drawn from a stream of their own, so that the adjustment encoder has
    those of the plain model under the same seed.

    Args:
        config: the options.
        dataset: training rows with histories.
        adjustment: the encoder whose item vectors `s_input: sequence` reads.

    Raises:
        InputError: the attribute is no column of tokens that the dataset loads.
    """
    if config["s_input"] == NONE:
        return None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(config["seed"], "init/spurious") % 2**32)
        encoder = build_encoder(config["encoder"], config, dataset, option="encoder")
        own = encoder.table
        if config["s_input"] == SEQUENCE:
            encoder.backbone.item_embedding = SharedEmbedding(adjustment.table)
            return SpuriousEncoder(encoder, own)
        tokens = torch.as_tensor(item_tokens(dataset, config["attribute"]))
        std = float(own.weight.detach().std())
        values = attribute_embedding(tokens, own.num_embeddings, own.embedding_dim, std)
    encoder.backbone.item_embedding = values
    return SpuriousEncoder(encoder)
