"""What the stages of PaInvRL hand to each other."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recbole_invariant.environment.models import FrozenTables
from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF


@dataclass
class Workspace:
    """Results of earlier stages.

    Attributes:
        mask: the current invariant mask m, `(d,)` in [0, 1].
        labels: environment of every training interaction `(n_rows,)`, or None before the first
            identification.
        tables: the pretrained embeddings, or None before pretraining.
        projection: the mask stage's last W `(content_size, d)`, kept for warm starts.
    """

    mask: Tensor
    labels: Tensor | None = None
    tables: FrozenTables | None = None
    projection: Tensor | None = None

    def keep_tables(self, model: UltraGCNF) -> None:
        """Copy the pretrained embeddings out of the model."""
        self.tables = FrozenTables(
            user=model.user_embedding.weight.detach().clone(),
            user_content=model.user_content_embedding.weight.detach().clone(),
            item=model.item_embedding.weight.detach().clone(),
        )

    def state(self) -> dict[str, Any]:
        """Return the workspace for a checkpoint."""
        tables = self.tables
        return {
            "mask": self.mask,
            "labels": self.labels,
            "tables": None if tables is None else [tables.user, tables.user_content, tables.item],
            "projection": self.projection,
        }

    def load_state(self, state: dict[str, Any], device: torch.device) -> None:
        """Take back what `state` returned."""

        def moved(value: Tensor | None) -> Tensor | None:
            return None if value is None else value.to(device)

        self.mask = state["mask"].to(device)
        self.labels, self.projection = moved(state["labels"]), moved(state["projection"])
        if state["tables"] is not None:
            self.tables = FrozenTables(*(table.to(device) for table in state["tables"]))
