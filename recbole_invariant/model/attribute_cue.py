"""Spurious transitions between item attributes, explained apart so that the model need not."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from recbole_invariant.configuration.attribute_checks import (
    IDEA,
    needs_attribute,
    unfit_for_attribute,
)
from recbole_invariant.data.item_attribute import item_attribute
from recbole_invariant.data.planted.truth import true_cue_strength
from recbole_invariant.environment.attribute_shift import transition_log_ratio
from recbole_invariant.errors import InputError
from recbole_invariant.model.sequence_encoder import Examples

NONE, ESTIMATED, KNOWN = "none", "estimated", "known"

MOST_VALUES = 4000
"""Of an attribute whose values are looked at in pairs; a table of them takes some 0.5 GB then."""


class ItemAttribute(nn.Module):
    """One attribute of every item.

    Args:
        dataset: a dataset that loads the column.
        field: name of the column.

    Raises:
        InputError: there is no such column of single tokens.
    """

    values: Tensor

    def __init__(self, dataset: Any, field: str) -> None:
        super().__init__()
        values = torch.as_tensor(item_attribute(dataset, field))
        self.register_buffer("values", values, persistent=False)
        self.n_values = int(values.max()) + 1

    def before(self, examples: Examples) -> Tensor:
        """Return the attribute of the item before each target `(n_targets,)`."""
        return self.values[examples.cues]

    def after(self, examples: Examples) -> Tensor:
        """Return the attribute of each target `(n_targets,)`."""
        return self.values[examples.targets]


class CueAdjustment(nn.Module, ABC):
    """Adds to the scores in training what the attribute before says of the attribute after.

    With the transition explained, the backbone has no reason to learn it: the scores without the
    addition are those of a world where the two are independent. This is the product of experts of
    logit adjustment (Menon et al., 2021) over transitions in the place of classes.
    """

    @abstractmethod
    def forward(self, examples: Examples) -> Tensor:
        """Return what is added to the scores, `(n_targets, n_items)`."""


class EstimatedCue(CueAdjustment):
    """Adds `log P(attribute | attribute before) - log P(attribute)`, counted in training.

    Args:
        dataset: training rows with histories.
        attribute: of the items. Where fake items are put into training histories
            (`fake_ratio`), the counts are of the histories before that.
        smoothing: see `transition_log_ratio`.
    """

    ratio: Tensor

    def __init__(self, dataset: Any, attribute: ItemAttribute, smoothing: float) -> None:
        super().__init__()
        self.attribute = attribute
        columns = dataset.inter_feat
        histories = columns[f"{dataset.iid_field}{dataset.config['LIST_SUFFIX']}"]
        length = columns[dataset.config["ITEM_LIST_LENGTH_FIELD"]]
        last = histories.gather(1, (length - 1).unsqueeze(1)).squeeze(1)
        before, after = (attribute.values[ids] for ids in (last, columns[dataset.iid_field]))
        ratio = transition_log_ratio(before, after, attribute.n_values, smoothing)
        self.register_buffer("ratio", ratio, persistent=False)

    def forward(self, examples: Examples) -> Tensor:
        """Return the ratio of every item's attribute."""
        rows = self.ratio.index_select(0, self.attribute.before(examples))
        return rows.index_select(1, self.attribute.values)


class KnownCue(CueAdjustment):
    """Adds b_e where an item repeats the attribute before: the truth of planted sequences.

    A control, told what nobody knows. It is the law up to the normalisation within a group, which
    depends on the cue as well.

    Args:
        dataset: training rows of planted sequences.
        attribute: of the items, the cue's.

    Raises:
        InputError: the data have no such truth.
    """

    strength: Tensor

    def __init__(self, dataset: Any, attribute: ItemAttribute) -> None:
        super().__init__()
        self.attribute = attribute
        strength = torch.as_tensor(true_cue_strength(dataset))
        self.register_buffer("strength", strength, persistent=False)

    def forward(self, examples: Examples) -> Tensor:
        """Return the true logit of the cue."""
        cue = self.attribute.before(examples).unsqueeze(1)
        repeats = (cue == self.attribute.values) & (cue > 0)
        return self.strength[examples.users].unsqueeze(1) * repeats


def build_attribute(config: Any, dataset: Any) -> ItemAttribute | None:
    """Look the attribute up that the options ask for, None where none needs it.

    Raises:
        InputError: an option needs `attribute` and it is not set, or is no such column, or has more
            values than a table of all pairs can hold; or the backbone reads what comes after a
            target too.
    """
    origin = getattr(config, "layers", {})
    needing = needs_attribute(IDEA, config, origin)
    if not needing:
        return None
    problem = unfit_for_attribute(IDEA, config, origin)
    if problem is not None:
        raise InputError(problem)
    attribute = ItemAttribute(dataset, config["attribute"])
    in_pairs = config["environments"] == "attribute_shift" or config["cue_adjustment"] == ESTIMATED
    if in_pairs and attribute.n_values > MOST_VALUES:
        raise InputError(
            f"attribute: {config['attribute']} has {attribute.n_values - 1:,} values, too many for "
            f"the table of all their pairs behind {' and '.join(needing)}; take a coarser column "
            f"of fewer than {MOST_VALUES:,}, such as a category."
        )
    return attribute


def build_adjustment(
    config: Any, dataset: Any, attribute: ItemAttribute | None
) -> CueAdjustment | None:
    """Make the adjustment that `cue_adjustment` names, None for none.

    Raises:
        InputError: the true cue is asked for and the data have no truth.
    """
    if attribute is None or config["cue_adjustment"] == NONE:
        return None
    if config["cue_adjustment"] == KNOWN:
        return KnownCue(dataset, attribute)
    return EstimatedCue(dataset, attribute, config["cue_smoothing"])
