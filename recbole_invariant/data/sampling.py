"""Batches of positive pairs and their negatives, drawn as tensors on the device."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from recbole.sampler.sampler import AbstractSampler
from torch import Tensor


class NegativeSampler(Protocol):
    """Draws negatives for the users of a batch."""

    def draw(self, users: Tensor) -> Tensor:
        """Return item ids `(batch, n_negatives)` for users `(batch,)`."""
        ...


class UniformNegatives:
    """Uniform draws over the catalogue, padding excluded, positives not removed.

    A drawn negative is one of the user's own items with probability of about
    degree / catalogue; UltraGCN and InvRL accept that, and it spares a test of every draw.

    Args:
        n_items: catalogue size with the padding item 0; >= 2.
        n_negatives: draws a pair, >= 1.
        generator: source of randomness, on the device of the draws.
    """

    def __init__(self, n_items: int, n_negatives: int, generator: torch.Generator) -> None:
        self.n_items = n_items
        self.n_negatives = n_negatives
        self.generator = generator

    def draw(self, users: Tensor) -> Tensor:
        """Return item ids in [1, n_items), `(batch, n_negatives)`, for users `(batch,)`."""
        return torch.randint(
            1,
            self.n_items,
            (users.shape[0], self.n_negatives),
            generator=self.generator,
            device=self.generator.device,
        )


class HostNegatives:
    """RecBole's own sampler behind the same shape: never a training item of the user, but slow.

    Args:
        sampler: a RecBole sampler in its training phase.
        n_negatives: draws a pair, >= 1.
    """

    def __init__(self, sampler: AbstractSampler, n_negatives: int) -> None:
        self.sampler = sampler
        self.n_negatives = n_negatives

    def draw(self, users: Tensor) -> Tensor:
        """Return item ids `(batch, n_negatives)` for users `(batch,)`."""
        on_host = users.cpu().numpy()
        flat = self.sampler.sample_by_user_ids(on_host, None, self.n_negatives)
        return flat.view(self.n_negatives, len(on_host)).T.contiguous().to(users.device)


class ShuffledBatches:
    """Row numbers of the training interactions in a new random order every epoch.

    Args:
        n_rows: number of interactions, >= 1.
        batch_size: rows a batch; the last batch of an epoch may be shorter.
        generator: source of randomness, on the device of the batches.
    """

    def __init__(self, n_rows: int, batch_size: int, generator: torch.Generator) -> None:
        self.n_rows = n_rows
        self.batch_size = batch_size
        self.generator = generator

    def __len__(self) -> int:
        return -(-self.n_rows // self.batch_size)

    def __iter__(self) -> Iterator[Tensor]:
        order = torch.randperm(self.n_rows, generator=self.generator, device=self.generator.device)
        yield from order.split(self.batch_size)


class StackedBatches:
    """One batch of every set of rows at each step; the largest set sets the epoch.

    A smaller set starts again, newly shuffled, until the largest has been seen once (InvRL's
    loop). Every set always gives exactly `batch_size` rows, also one that has fewer (its rows
    then repeat within the batch): the summed losses keep one scale. InvRL's code gives such a
    set a smaller batch, which would weigh its gradient down.

    Args:
        rows: row numbers of each set; a set without rows is left out.
        batch_size: rows of each set a step.
        generator: source of randomness, on the device of the rows.
    """

    def __init__(self, rows: Sequence[Tensor], batch_size: int, generator: torch.Generator) -> None:
        self.rows = [r for r in rows if len(r)]
        self.batch_size = batch_size
        self.generator = generator

    def __len__(self) -> int:
        return -(-max(len(r) for r in self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[Tensor]:
        """Yield row numbers `(sets, batch_size)`."""
        needed = len(self) * self.batch_size
        orders = torch.stack([self._order(rows, needed) for rows in self.rows])
        yield from orders.split(self.batch_size, dim=1)

    def _order(self, rows: Tensor, needed: int) -> Tensor:
        """Repeat newly shuffled passes over the rows until there are enough."""
        passes = [
            rows[torch.randperm(len(rows), generator=self.generator, device=self.generator.device)]
            for _ in range(-(-needed // len(rows)))
        ]
        return torch.cat(passes)[:needed]


class EnvironmentBatches(StackedBatches):
    """One batch of every environment at each step.

    Args:
        environment: environment label of every training interaction `(n_rows,)`.
        n_environments: number of labels; an environment without rows is left out.
        batch_size: rows of each environment a step.
        generator: source of randomness, on the device of the labels.
    """

    def __init__(
        self, environment: Tensor, n_environments: int, batch_size: int, generator: torch.Generator
    ) -> None:
        rows = [torch.nonzero(environment == e).flatten() for e in range(n_environments)]
        super().__init__(rows, batch_size, generator)
