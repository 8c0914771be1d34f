"""Whether a shift is one: confidence intervals over users."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

N_RESAMPLES = 2000
USERS_AT_ONCE = 2_000_000
"""Resampled users held in memory at once."""


@dataclass(frozen=True)
class GapDifference:
    """How much more a protocol's test differs from `iid` than a random test does.

    Attributes:
        metric: what is compared, e.g. `recall@10`.
        gap: mean over users on `iid` less the mean on the protocol's test.
        control_gap: the same for the random split of the same sizes.
        low: lower end of the confidence interval of `gap - control_gap`.
        high: upper end.
        level: confidence level.
    """

    metric: str
    gap: float
    control_gap: float
    low: float
    high: float
    level: float = 0.95

    @property
    def is_shift(self) -> bool:
        """Whether the interval leaves out 0: the two gaps differ by more than chance."""
        return self.low > 0 or self.high < 0

    def describe(self) -> str:
        """Say in a sentence what was found."""
        numbers = (
            f"{self.metric}: iid less ood is {self.gap:+.4f}, in the random control "
            f"{self.control_gap:+.4f}; {self.level:.0%} interval of the difference over users "
            f"[{self.low:+.4f}, {self.high:+.4f}]"
        )
        if self.is_shift:
            return f"{numbers}: this split is a shift."
        return f"{numbers} contains 0: for this model the two splits agree, so this is no shift."


def compare_gaps(
    run: pd.DataFrame, control: pd.DataFrame, ood: str, metric: str, seed: int
) -> GapDifference:
    """Compare a protocol's gap with that of its random control by a bootstrap over users.

    A resampled user brings all four of its values along (iid and ood of both runs), as far as it
    has test rows there. The interval is the percentile interval.

    Args:
        run: per-user table of the protocol's run: `split`, `user_id`, metrics.
        control: the same of the control, whose test is `ood_random`.
        ood: name of the protocol's test set.
        metric: column to compare.
        seed: of the resampling.

    Raises:
        ValueError: a split has no users.
    """
    splits = [(run, "iid"), (run, ood), (control, "iid"), (control, "ood_random")]
    columns = []
    for table, split in splits:
        part = table[table["split"] == split]
        if part.empty:
            raise ValueError(f"there are no users in '{split}' to compare")
        columns.append(part.groupby("user_id")[metric].mean())
    # missing values mark users without test rows
    values = pd.concat(columns, axis=1).to_numpy(dtype=np.float64)
    present = ~np.isnan(values)
    filled = np.where(present, values, 0.0)

    def means(users: np.ndarray) -> np.ndarray:
        total = filled[users].sum(axis=-2)
        return np.asarray(total / np.maximum(present[users].sum(axis=-2), 1))

    def difference(users: np.ndarray, axis: int = -1) -> np.ndarray:
        mean = means(np.moveaxis(users, axis, -1).astype(np.int64))
        return np.asarray(mean[..., 0] - mean[..., 1] - mean[..., 2] + mean[..., 3])

    interval = bootstrap(
        (np.arange(len(values)),),
        difference,
        n_resamples=N_RESAMPLES,
        batch=max(1, USERS_AT_ONCE // len(values)),
        method="percentile",
        rng=np.random.default_rng(seed),
        vectorized=True,
    ).confidence_interval
    mean = means(np.arange(len(values)))
    return GapDifference(
        metric,
        float(mean[0] - mean[1]),
        float(mean[2] - mean[3]),
        float(interval.low),
        float(interval.high),
    )
