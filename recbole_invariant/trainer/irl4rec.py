"""The training of Irl4Rec: one stage, and what its two representations look like."""

import math
from logging import getLogger
from typing import Any

import torch
from recbole.config import Config
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader

from recbole_invariant.allocator import keep_freed_memory
from recbole_invariant.model.dependence import DIB, MAXIMIZE
from recbole_invariant.model.sequential_recommender.irl4rec import Irl4Rec
from recbole_invariant.seeding import torch_generator
from recbole_invariant.trainer.disentangling_stage import DisentanglingStage
from recbole_invariant.trainer.host_stage import HostTrainer
from recbole_invariant.trainer.representation_diagnostics import (
    selected_diagnostics,
    validation_diagnostics,
)
from recbole_invariant.trainer.stage import Stage

DISENTANGLE = "disentangle"


class Irl4RecTrainer(HostTrainer):
    """Trains Irl4Rec.

    Attributes:
        representations: what the selected weights' t and s look like on validation rows; empty
            where there are none, or where validation is a test (`selection: oracle`).
    """

    def __init__(self, config: Config, model: Irl4Rec) -> None:
        super().__init__(config, model)
        self.representations: dict[str, Any] = {}

    def build_stages(self, train_data: AbstractDataLoader) -> list[Stage]:
        """Return the single stage `disentangle`."""
        if self.device.type == "cpu":
            keep_freed_memory()  # scores of the catalogue are tensors that malloc maps
        return [DisentanglingStage(DISENTANGLE, self, train_data, self._look_at_selected)]

    def _validation(self) -> AbstractDataLoader | None:
        """Return the loader of validation rows; none where a test stands in their place."""
        loader: AbstractDataLoader | None = self._options["valid_data"]
        return None if self.config["selection"] == "oracle" else loader

    def _generator(self) -> torch.Generator:
        """Return a generator that draws the same rows and negatives every time."""
        return torch_generator(self.config["seed"], "data/diagnostics")

    def examine(self) -> dict[str, float]:
        """Measure independence and what each representation predicts, for the history."""
        loader = self._validation()
        if loader is None:
            return {}
        return validation_diagnostics(self.model, loader, self._generator())

    def _look_at_selected(self) -> None:
        """Look at the weights that training ends with; warn of a spurious encoder that is dead."""
        loader = self._validation()
        if loader is None:
            return
        self.representations = selected_diagnostics(self.model, loader, self._generator())
        auc = self.representations["representations"].get("spurious_pairwise_auc")
        if auc is None:
            return
        alive = auc > least_alive(self.representations["n_rows"])
        self.representations["spurious_alive"] = alive
        if not alive:
            getLogger().warning(
                f"the spurious encoder scores {auc:.3f} of the targets above a random item, .5 is "
                "chance: it learned nothing, and being independent of it means nothing. "
                f"{_remedy(self.config)}"
            )

    def diagnostics(self) -> dict[str, Any]:
        """Return the encoder, and what the representations of the selected weights look like."""
        return {"encoder": self.config["encoder"], **self.representations}


def least_alive(n_rows: int) -> float:
    """Return the share of targets that s must score above a random item to count as alive.

    Two standard errors above a half, what chance gives: .522 on 2,048 rows.
    """
    return 0.5 + 1.0 / math.sqrt(n_rows)


def _remedy(config: Config) -> str:
    """Say what gives the spurious encoder something to learn."""
    if config["independence"] == DIB:
        return f"Raise independence_weight (now {config['independence_weight']})."
    lower = "" if config["independence"] == MAXIMIZE else ", or lower independence_weight"
    return f"Raise joint_weight (now {config['joint_weight']}){lower}."
