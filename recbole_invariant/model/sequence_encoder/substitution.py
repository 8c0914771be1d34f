"""Let a RecBole model read given vectors where it would look its items up."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from recbole_invariant.errors import TrainingError

TABLE = "item_embedding"
"""The attribute under which RecBole's sequential models keep their item vectors."""


class _GivenVectors(nn.Module):
    """Answers the look-up of a sequence with vectors instead of the table's rows."""

    def __init__(self, vectors: Tensor, table: nn.Embedding) -> None:
        super().__init__()
        self.vectors, self.table = vectors, table

    @property
    def weight(self) -> Tensor:
        """The table itself, for scores."""
        return self.table.weight

    def forward(self, items: Tensor) -> Tensor:
        """Return the vectors given for `items` `(batch, length)`.

        Raises:
            TrainingError: the model looks up something else than the sequence.
        """
        if items.shape != self.vectors.shape[:-1]:
            raise TrainingError(
                f"the backbone looks up items {tuple(items.shape)} while vectors are given for a "
                f"sequence {tuple(self.vectors.shape[:-1])}; it cannot be gated before its encoder."
            )
        return self.vectors


@contextmanager
def given_vectors(model: nn.Module, vectors: Tensor) -> Iterator[None]:
    """Let `model.forward` use these vectors for the items of the sequence it is called with.

    The model's own forward pass is run, whatever it does with ids (attention masks) and whatever
    it adds after the look-up (positions), so that nothing of it is written anew here.

    Args:
        model: a RecBole model with `item_embedding`.
        vectors: `(batch, length, dim)`.
    """
    table = model.get_submodule(TABLE)
    model._modules[TABLE] = _GivenVectors(vectors, table)  # type: ignore[arg-type]
    try:
        yield
    finally:
        model._modules[TABLE] = table
