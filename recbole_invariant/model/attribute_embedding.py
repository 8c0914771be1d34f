"""Item vectors that know nothing of an item but its attribute."""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn


class AttributeEmbedding(nn.Module):
    """Stands where a RecBole model has its `item_embedding`: ids in, vectors out.

    An item's vector is the mean of the vectors of its attribute values, and zeros where it has
    none, so that items of the same values cannot be told apart.

    Args:
        tokens: values of every id `(n_ids, k)` int64, filled up with 0; row 0 is padding.
        n_values: number of values, 0 included.
        dim: length of a vector.
        std: standard deviation of the initial values, from a normal distribution around 0.

    Attributes:
        num_embeddings: number of ids, as of an `nn.Embedding`.
        embedding_dim: length of a vector.
        padding_idx: the id of padding, 0.
        values: `(n_values, dim)`, the parameter; row 0 stays zeros.
    """

    tokens: Tensor
    flat: Tensor
    starts: Tensor

    def __init__(self, tokens: Tensor, n_values: int, dim: int, std: float = 0.02) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim, self.padding_idx = len(tokens), dim, 0
        self.register_buffer("tokens", tokens.long(), persistent=False)
        # without the zeros, of which there are many where one item has many values
        counts = (tokens > 0).sum(dim=1)
        self.register_buffer("flat", self.tokens[tokens > 0], persistent=False)
        self.register_buffer("starts", counts.cumsum(0) - counts, persistent=False)
        values = torch.empty(n_values, dim).normal_(0, std)
        values[0] = 0
        self.values = nn.Parameter(values)

    @property
    def weight(self) -> Tensor:
        """The vectors of all ids `(n_ids, dim)`, with their gradient."""
        if self.tokens.shape[1] == 1:
            return F.embedding(self.tokens[:, 0], self.values, padding_idx=0)
        return F.embedding_bag(self.flat, self.values, self.starts, mode="mean")

    def forward(self, ids: Tensor) -> Tensor:
        """Look ids up: `(...)` -> `(..., dim)`."""
        k = self.tokens.shape[1]
        if ids.numel() * k > len(self.flat):  # it is less to take every id's mean once
            return F.embedding(ids, self.weight)
        tokens = self.tokens[ids.flatten()]
        vectors = F.embedding_bag(tokens, self.values, mode="mean", padding_idx=0)
        return vectors.view(*ids.shape, self.embedding_dim)


def attribute_embedding(
    tokens_of_items: Tensor, n_ids: int, dim: int, std: float = 0.02
) -> AttributeEmbedding:
    """Make the table of a model that has more ids than items, such as BERT4Rec's mask.

    Args:
        tokens_of_items: `(n_items, k)` int64, see `AttributeEmbedding`.
        n_ids: >= n_items; each id beyond the items has a value of its own.
        dim: length of a vector.
        std: standard deviation of the initial values.
    """
    n_values = int(tokens_of_items.max()) + 1
    n_extra = n_ids - len(tokens_of_items)
    extra = tokens_of_items.new_zeros(n_extra, tokens_of_items.shape[1])
    extra[:, 0] = torch.arange(n_values, n_values + n_extra)
    tokens = torch.cat([tokens_of_items, extra])
    return AttributeEmbedding(tokens, n_values + n_extra, dim, std)
