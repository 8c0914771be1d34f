"""L2 decay of the UltraGCN family, in closed form through the optimiser.

The public code adds `wd1 (|U|^2 + wdi |V|^2) + wd2 |W, b|^2` over whole tables to the loss of
every batch. Adding its gradient `2 wd1 U` in the optimiser is the same thing without reading
every row in the loss.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from recbole.config import Config
from torch import Tensor

from recbole_invariant.errors import InputError
from recbole_invariant.model.general_recommender.ultragcn import UltraGCN


@dataclass(frozen=True)
class WeightDecay:
    """Strength of the decay of each kind of parameter.

    Attributes:
        embedding: wd1, on the user tables.
        item_ratio: wdi, the item table decays wdi times as strongly.
        projection: wd2, on W and b.
        scope: `table` decays every row at every step (the public code), `batch` only the rows
            of the batch, which is a different objective.
    """

    embedding: float
    item_ratio: float
    projection: float
    scope: Literal["table", "batch"] = "table"

    @classmethod
    def from_config(cls, config: Config) -> "WeightDecay":
        """Read the decay of a model's single or final stage.

        Raises:
            InputError: an option of RecBole's trainer is set that these stages would ignore.
        """
        ignored = [key for key in ("weight_decay", "clip_grad_norm", "enable_amp") if config[key]]
        if ignored:
            raise InputError(
                f"{', '.join(ignored)}: no effect on {config['model']}; its L2 decay is set by "
                "embedding_decay, item_decay_ratio and projection_decay. Leave the others unset."
            )
        return cls(
            embedding=config["embedding_decay"],
            item_ratio=config["item_decay_ratio"],
            projection=config["projection_decay"],
            scope=config["weight_decay_scope"],
        )

    def with_values(self, item_ratio: float, projection: float) -> "WeightDecay":
        """Return a copy with other strengths for the items and the projection."""
        return replace(self, item_ratio=item_ratio, projection=projection)


def parameter_groups(model: UltraGCN, decay: WeightDecay) -> list[dict[str, Any]]:
    """Group the parameters for an optimiser with coupled L2 decay (Adam, not AdamW)."""
    in_table = 2.0 * decay.embedding if decay.scope == "table" else 0.0
    users: list[Tensor] = [model.user_embedding.weight]
    groups: list[dict[str, Any]] = [
        {"params": [model.item_embedding.weight], "weight_decay": in_table * decay.item_ratio}
    ]
    if model.uses_item_features:
        users.append(model.user_content_embedding.weight)
        projection = list(model.item_projection.parameters())
        groups.append({"params": projection, "weight_decay": 2.0 * decay.projection})
    return [{"params": users, "weight_decay": in_table}, *groups]


def batch_decay(model: UltraGCN, decay: WeightDecay, users: Tensor, items: Tensor) -> Tensor:
    """Decay of the batch's different rows only, to be added to the loss; 0 for scope `table`.

    Args:
        model: the model whose tables decay.
        decay: the strengths.
        users: users of the batch, any shape.
        items: items of the batch, negatives included, any shape.
    """
    if decay.scope == "table":
        return torch.zeros((), device=users.device)
    user_rows = model.user_vectors(users.unique())
    item_rows = model.item_embedding(items.unique())
    return decay.embedding * (
        user_rows.square().sum() + decay.item_ratio * item_rows.square().sum()
    )
