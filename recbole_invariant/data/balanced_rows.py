"""Training rows drawn so that a target's attribute does not follow from the item before it.

The simplest remedy for a known spurious attribute: rows are drawn with importance weights that
take the attribute's transition out of the training data (covariate-shift weighting: Shimodaira,
2000). Model, loss and negatives stay as they are.
"""

from collections.abc import Iterator
from logging import getLogger
from typing import Any

import torch
from recbole.utils import ModelType
from torch import Tensor
from torch.utils.data import Sampler

from recbole_invariant.configuration.attribute_checks import order_problem
from recbole_invariant.data.item_attribute import item_attribute
from recbole_invariant.environment.attribute_shift import row_log_ratio
from recbole_invariant.errors import InputError

OPTION = "balanced_attribute"
SMOOTHING = 10.0
"""Rows of the marginal added to the counts of each attribute before; bounds the weight of a row
whose transition was seen once, as `cue_smoothing` of IDEA does."""


class WeightedRows(Sampler[int]):
    """Draws as many rows as there are, with replacement, by their weights.

    Args:
        weights: `(n_rows,)`, >= 0, their sum > 0.
        generator: source of randomness; every pass draws anew, so that its state says what the
            next epoch has.
    """

    def __init__(self, weights: Tensor, generator: torch.Generator) -> None:
        self.cumulative = weights.double().cumsum(0)
        self.generator = generator

    def __len__(self) -> int:
        return len(self.cumulative)

    def __iter__(self) -> Iterator[int]:
        # torch.multinomial takes 2^24 rows at most
        drawn = torch.rand(len(self), dtype=torch.float64, generator=self.generator)
        at = torch.searchsorted(self.cumulative, drawn * self.cumulative[-1], right=True)
        # a draw next to 1 may round up to the sum itself
        yield from at.clamp(max=len(self) - 1).tolist()


def balancing_weights(before: Tensor, after: Tensor, smoothing: float = SMOOTHING) -> Tensor:
    """Weigh rows so that the attribute of the target is independent of the one before it.

    The weight of a row is `P(after) / P(after | before)`, both counted on these rows. Drawn by
    these weights, each attribute before is followed by all attributes with their marginal odds,
    as far as they were seen to follow it and but for the smoothing.

    Args:
        before: attribute of the last item of each history `(n_rows,)`, 0 where there is none.
        after: attribute of each target `(n_rows,)`, 0 where there is none.
        smoothing: rows of the marginal added to the counts of each attribute before, > 0.

    Returns:
        `(n_rows,)` float64, > 0; 1 where either attribute is missing.
    """
    return (-row_log_ratio(before, after, smoothing).double()).exp()


def effective_share(weights: Tensor) -> float:
    """Compute `(sum w)^2 / (n sum w^2)`, Kish's effective sample size as a share; in (0, 1]."""
    return float(weights.sum() ** 2 / (len(weights) * (weights**2).sum()))


def balance_rows(loader: Any, config: Any) -> None:
    """Let a training loader of sequences draw its rows by `balanced_attribute`.

    RecBole's loader stays, its batches and negatives with it; only the order in which it is asked
    for rows changes. Draws come from the loader's own generator.

    Args:
        loader: RecBole's training loader; left alone without the option, and where the model reads
            no sequences.
        config: the run's options.

    Raises:
        InputError: the column cannot serve, or the model does not learn targets from histories.
    """
    field = config[OPTION]
    if not field or config["MODEL_TYPE"] != ModelType.SEQUENTIAL:
        return
    if problem := order_problem(config["transform"], config["model"]):
        raise InputError(problem)
    before, after = _transitions(loader._dataset, field)
    weights = balancing_weights(before, after)
    getLogger().info(
        f"{OPTION}: {field}; the rows drawn are worth {effective_share(weights):.1%} of as many "
        f"drawn alike, the largest weight is {float(weights.max()):.1f}"
    )
    # DataLoader reads its order from here; its attribute `sampler` itself cannot be set
    loader.batch_sampler.sampler = WeightedRows(weights, loader.generator)


def _transitions(dataset: Any, field: str) -> tuple[Tensor, Tensor]:
    """Look up the attribute of every row's last item and target, `(n_rows,)` each.

    Raises:
        InputError: the column is not loaded, or not one token an item.
    """
    try:
        values = torch.from_numpy(item_attribute(dataset, field).copy())
    except InputError as error:
        raise InputError([f"{OPTION}: {problem}" for problem in error.problems]) from error
    rows = dataset.inter_feat
    lengths = rows[dataset.item_list_length_field].long()
    items = rows[f"{dataset.iid_field}{dataset.config['LIST_SUFFIX']}"]
    last = items.gather(1, (lengths - 1).clamp(min=0).unsqueeze(1)).squeeze(1)
    return values[last], values[rows[dataset.iid_field]]
