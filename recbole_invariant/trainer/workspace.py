"""What the stages of PaInvRL hand to each other."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recbole_invariant.environment.models import FrozenTables
from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF
from recbole_invariant.stability.flags import Stability
from recbole_invariant.stability.reference import FoldTables, HeldOutReference


@dataclass
class Workspace:
    """Results of earlier stages.

    Attributes:
        mask: the current invariant mask m, `(d,)` in [0, 1].
        labels: environment of every training interaction `(n_rows,)`, or None before the first
            identification.
        tables: the pretrained embeddings, or None before pretraining.
        projection: the mask stage's last W `(content_size, d)`, kept for warm starts.
        pretrained_projection: W as pretraining left it.
        pretrain_epochs: epochs that pretraining took to its best weights.
        folds: fold of every training interaction `(n_rows,)`, with a reference only.
        fold_tables: the models that were trained without a fold, with a reference only.
        reference: what these say of held-out clicks; made of the former two.
        stability: which dimensions are stable, with a reference only.
    """

    mask: Tensor
    labels: Tensor | None = None
    tables: FrozenTables | None = None
    projection: Tensor | None = None
    pretrained_projection: Tensor | None = None
    pretrain_epochs: int = 1
    folds: Tensor | None = None
    fold_tables: FoldTables | None = None
    reference: HeldOutReference | None = None
    stability: Stability | None = None

    def keep_tables(self, model: UltraGCNF) -> None:
        """Copy the pretrained embeddings and the projection out of the model."""
        self.tables = FrozenTables(
            user=model.user_embedding.weight.detach().clone(),
            user_content=model.user_content_embedding.weight.detach().clone(),
            item=model.item_embedding.weight.detach().clone(),
        )
        self.pretrained_projection = model.item_projection.weight.detach().clone()

    def release_reference(self) -> None:
        """Forget the fold models once nothing is asked of them; what they said is kept."""
        self.folds = self.fold_tables = self.reference = None

    def state(self) -> dict[str, Any]:
        """Return the workspace for a checkpoint."""
        tables = self.tables
        return {
            "mask": self.mask,
            "labels": self.labels,
            "tables": None if tables is None else vars(tables).copy(),
            "pretrained_projection": self.pretrained_projection,
            "projection": self.projection,
            "pretrain_epochs": self.pretrain_epochs,
            "folds": self.folds,
            "fold_tables": None if self.fold_tables is None else vars(self.fold_tables).copy(),
            "stability": None if self.stability is None else vars(self.stability).copy(),
        }

    def load_state(self, state: dict[str, Any], device: torch.device) -> None:
        """Take back what `state` returned."""

        def moved(value: Tensor | None) -> Tensor | None:
            return None if value is None else value.to(device)

        self.mask = state["mask"].to(device)
        self.labels, self.projection = moved(state["labels"]), moved(state["projection"])
        self.pretrained_projection = moved(state["pretrained_projection"])
        self.pretrain_epochs, self.folds = state["pretrain_epochs"], moved(state["folds"])
        if state["fold_tables"] is not None:
            tables = {name: table.to(device) for name, table in state["fold_tables"].items()}
            self.fold_tables = FoldTables(**tables)
        if state["stability"] is not None:
            values: dict[str, Any] = {
                name: value.to(device) if isinstance(value, Tensor) else value
                for name, value in state["stability"].items()
            }
            self.stability = Stability(**values)
        if state["tables"] is not None:
            tables = {name: table.to(device) for name, table in state["tables"].items()}
            self.tables = FrozenTables(**tables)
