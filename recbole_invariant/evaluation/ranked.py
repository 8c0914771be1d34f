"""The rankings of a test: who was asked, what came on top, what was to be found.

Among equal scores the order is the one in which `torch.topk` leaves the first `max(topk)` items,
as in RecBole's own evaluation. Table, per-user values, slices and curves all read this one order.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranked:
    """One ranking a row.

    Attributes:
        users: internal user id of each row `(n,)`.
        top_items: items from the top `(n, K)`; 0, the padding item, where fewer are ranked.
        hits: whether each is one of the row's positives `(n, K)`.
        positive_rows: row of each positive `(p,)`, ascending.
        positive_items: item of each positive `(p,)`; a pair stands once.
    """

    users: np.ndarray
    top_items: np.ndarray
    hits: np.ndarray
    positive_rows: np.ndarray
    positive_items: np.ndarray

    @property
    def n_positives(self) -> np.ndarray:
        """Number of positives of each row `(n,)`."""
        return np.bincount(self.positive_rows, minlength=len(self.users))

    def restricted(self, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Count some of the positives only; the rankings stay as they are.

        Args:
            kept: which positives count `(p,)`.

        Returns:
            Hits `(m, K)` and numbers of positives `(m,)` of the rows that keep any.
        """
        rows, items = self.positive_rows[kept], self.positive_items[kept]
        n_positives = np.bincount(rows, minlength=len(self.users))
        some = n_positives > 0
        width = 1 + max(self.top_items.max(initial=0), self.positive_items.max(initial=0))
        wanted = rows * width + items
        keys = np.flatnonzero(some)[:, None] * width + self.top_items[some]
        hits = self.hits[some] & np.isin(keys, wanted)
        return hits, n_positives[some]


def pair_labels(
    ranked: Ranked, users: np.ndarray, items: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Find the label, such as an environment, of every positive of a test.

    Args:
        ranked: the test's rankings.
        users: internal user id of each test row `(r,)`.
        items: internal item id of each test row `(r,)`.
        labels: label of each test row `(r,)`.

    Returns:
        Label of each positive `(p,)`; of a pair that the test has twice, the first one's.

    Raises:
        KeyError: a positive is in no row.
    """
    n_items = 1 + max(items.max(initial=0), ranked.positive_items.max(initial=0))
    known, first = np.unique(users * n_items + items, return_index=True)
    wanted = ranked.users[ranked.positive_rows] * n_items + ranked.positive_items
    places = np.minimum(np.searchsorted(known, wanted), max(known.size - 1, 0))
    if known.size == 0 or not np.array_equal(known[places], wanted):
        raise KeyError("a positive of these rankings is in none of the rows that were given")
    return np.asarray(labels)[first[places]]
