"""What users would click according to models that have not seen those clicks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear

TEMPERATURES = tuple(round(0.3 + 0.1 * k, 1) for k in range(10))
"""Factors on the scores that are tried, .3 to 1.2."""


def described_temperature(temperature: float) -> str:
    """Write a temperature; one at an end of those tried may be too small or too large."""
    ends = {TEMPERATURES[0]: " (the smallest tried)", TEMPERATURES[-1]: " (the largest tried)"}
    return f"{temperature}{ends.get(temperature, '')}"


@dataclass(frozen=True)
class ItemSample:
    """Items that stand for the catalogue in sums over all items.

    Attributes:
        items: `(n_sample,)` item ids from 1; repeated ones count as often.
        log_weights: `(n_sample,)` log of what each counts for: 0 for a whole catalogue.
    """

    items: Tensor
    log_weights: Tensor


def sample_items(popularity: Tensor, n_sample: int, generator: torch.Generator) -> ItemSample:
    """Take the whole catalogue, or draw from it by popularity where it is larger than asked for.

    A softmax is concentrated on popular items: drawing with probability proportional to
    `clicks + 1`, and weighing by its inverse, has a smaller variance than uniform draws.

    Args:
        popularity: training clicks of each item `(n_items,)`, the padding item 0 included.
        n_sample: at most so many; 0 takes all.
        generator: CPU generator.
    """
    device, n_items = popularity.device, len(popularity) - 1
    if n_sample == 0 or n_items <= n_sample:
        items = torch.arange(1, n_items + 1, device=device)
        return ItemSample(items, torch.zeros(n_items, device=device))
    chance = popularity[1:].to(torch.float64).cpu() + 1.0
    chance = chance / chance.sum()
    drawn = torch.multinomial(chance, n_sample, replacement=True, generator=generator)
    weights = -(chance[drawn] * n_sample).log()
    return ItemSample((drawn + 1).to(device), weights.to(device, torch.float32))


def log_normaliser(logits: Tensor, sample: ItemSample) -> Tensor:
    """Log of the sum of `exp(logits)` over the whole catalogue, `(n_users,)`."""
    return torch.logsumexp(logits + sample.log_weights, dim=-1)


@dataclass(frozen=True)
class FoldTables:
    """Parameters of F models `s_ui = <p_u, t_i> + <q_u, W f_i + b>`, stacked.

    Attributes:
        user: `(F, n_users, size)`.
        user_content: `(F, n_users, content_size)`.
        item: `(F, n_items, size)`.
        projection: `(F, content_size, d)`.
        bias: `(F, content_size)`.
    """

    user: Tensor
    user_content: Tensor
    item: Tensor
    projection: Tensor
    bias: Tensor

    def item_vectors(self, fold: int, features: Tensor) -> Tensor:
        """Return `[t_i, W f_i + b]` of every item by one fold's model, `(n_items, size)`."""
        content = linear(features, self.projection[fold], self.bias[fold])
        return torch.cat([self.item[fold], content], dim=-1)

    def user_vectors(self, fold: int, users: Tensor) -> Tensor:
        """Return `[p_u, q_u]` of some users by one fold's model, `(n, size)`."""
        return torch.cat([self.user[fold, users], self.user_content[fold, users]], dim=-1)


@dataclass(frozen=True)
class HeldOut:
    """A block of users, what one fold's model thinks of them, and their clicks in that fold.

    Attributes:
        fold: number of the fold.
        first: id of the block's first user; the others follow.
        sample: the items that stand for the catalogue in this block.
        preference: probability that each sampled item stands for `(n_users, n_sample)`; rows sum
            to 1.
        rows: training rows of this fold `(n,)`.
        user: place of each of these rows' users in the block `(n,)`.
        item: their items `(n,)`.
        log_likelihood: log-probability of each of these clicks among all items `(n,)`.
    """

    fold: int
    first: int
    sample: ItemSample
    preference: Tensor
    rows: Tensor
    user: Tensor
    item: Tensor
    log_likelihood: Tensor


class HeldOutReference:
    """`P_u = softmax(T s_u)` over all items but those that the fold's model was trained on.

    Args:
        tables: the fold models.
        features: `(n_items, d)`.
        users: user of every training row `(n_rows,)`.
        items: item of every training row `(n_rows,)`.
        folds: fold of every training row `(n_rows,)`.
        sample: from fold and first user of a block to the items that its sums run over. Blocks
            that are tested together need samples of their own: the error of one sample for all
            users would not average out, and no error by user would show it.
        block_size: users in a block, >= 1.
    """

    def __init__(
        self,
        tables: FoldTables,
        features: Tensor,
        users: Tensor,
        items: Tensor,
        folds: Tensor,
        sample: Callable[[int, int], ItemSample],
        block_size: int,
    ) -> None:
        self.tables, self.features, self.sample = tables, features, sample
        self.block_size = block_size
        self.order = torch.argsort(users, stable=True)
        self.users, self.items = users[self.order], items[self.order]
        self.folds, self.n_folds = folds[self.order], len(tables.user)
        self.temperature, self.likelihood = 1.0, 0.0
        self._kept: tuple[int, Tensor] | None = None
        n_users = tables.user.shape[1]
        counts = torch.bincount(users, minlength=n_users)
        self.begins = torch.cat([counts.new_zeros(1), counts.cumsum(0)])

    def calibrate(self, every: int = 1) -> float:
        """Set the temperature to what makes held-out clicks most likely, and return it.

        The attribute `likelihood` is then their mean log-likelihood.

        Args:
            every: look at one block of users in so many.
        """
        totals, n_clicks = torch.zeros(len(TEMPERATURES), dtype=torch.float64), 0
        for fold, first, last in self._blocks(every):
            sample = self.sample(fold, first)
            scores, clicked, rows = self._scores(fold, first, last, sample)
            if not len(rows):
                continue
            n_clicks += len(rows)
            user = self.users[rows] - first
            for k, temperature in enumerate(TEMPERATURES):
                normaliser = log_normaliser(temperature * scores, sample)
                totals[k] += float((temperature * clicked - normaliser[user]).double().sum())
        self.temperature = TEMPERATURES[int(totals.argmax())]
        self.likelihood = float(totals.max()) / max(1, n_clicks)
        return self.temperature

    def blocks(self, every: int = 1) -> Iterator[HeldOut]:
        """Go through all users of all folds, some users at a time.

        Args:
            every: only one block of users in so many.
        """
        for fold, first, last in self._blocks(every):
            sample = self.sample(fold, first)
            scores, clicked, rows = self._scores(fold, first, last, sample)
            logits = self.temperature * scores
            normaliser = log_normaliser(logits, sample)
            user = self.users[rows] - first
            likelihood = self.temperature * clicked - normaliser[user]
            preference = (logits + sample.log_weights - normaliser.unsqueeze(-1)).exp()
            chosen, items = self.order[rows], self.items[rows]
            yield HeldOut(fold, first, sample, preference, chosen, user, items, likelihood)

    def _item_vectors(self, fold: int) -> Tensor:
        """Return a fold's item vectors, kept while its blocks follow each other."""
        if self._kept is None or self._kept[0] != fold:
            self._kept = (fold, self.tables.item_vectors(fold, self.features))
        return self._kept[1]

    def every(self, most: int) -> int:
        """Say which share of the blocks, one in so many, has at most so many scores a fold."""
        n_users, n_sample = len(self.begins) - 1, len(self.sample(0, 0).items)
        return max(1, -(-n_users * n_sample // most))

    def _blocks(self, every: int) -> Iterator[tuple[int, int, int]]:
        n_users = len(self.begins) - 1
        for fold in range(self.n_folds):
            for first in range(0, n_users, self.block_size * every):
                yield fold, first, min(first + self.block_size, n_users)

    def _scores(
        self, fold: int, first: int, last: int, sample: ItemSample
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Score the sample for a block of users, and its held-out clicks.

        Returns:
            Scores `(last - first, n_sample)`, -inf on items the model was trained on (unless
            that is all of them); scores of the fold's clicks `(n,)`, without those of an item
            that the user clicked in another fold too; and their places in the sorted rows `(n,)`.
        """
        device = self.features.device
        vectors = self.tables.user_vectors(fold, torch.arange(first, last, device=device))
        item_vectors = self._item_vectors(fold)
        scores = vectors @ item_vectors[sample.items].T
        rows = torch.arange(int(self.begins[first]), int(self.begins[last]), device=device)
        held_out = self.folds[rows] == fold
        seen = torch.zeros(last - first, len(self.features), dtype=torch.bool, device=device)
        seen[self.users[rows[~held_out]] - first, self.items[rows[~held_out]]] = True
        rows = rows[held_out]
        rows = rows[~seen[self.users[rows] - first, self.items[rows]]]
        seen = seen[:, sample.items]
        # who has seen the whole sample keeps it: a softmax over nothing is NaN, in all sums
        scores = scores.masked_fill(seen & ~seen.all(dim=1, keepdim=True), -torch.inf)
        clicked = item_vectors[self.items[rows]]
        return scores, (vectors[self.users[rows] - first] * clicked).sum(-1), rows
