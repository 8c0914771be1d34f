"""The training of Irl4Rec: one stage, and what its two representations look like."""

from collections.abc import Mapping
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
ERRORS = 2.0
"""Standard errors by which s must predict better than the s of another history to be alive."""


class Irl4RecTrainer(HostTrainer):
    """Trains Irl4Rec.

    Attributes:
        representations: what the selected weights' t and s look like on validation rows; empty
            where there are none, or where validation is a test (`selection: oracle`).
        dead: the warning of a spurious encoder that says nothing, None where it is alive.
    """

    def __init__(self, config: Config, model: Irl4Rec) -> None:
        super().__init__(config, model)
        self.representations: dict[str, Any] = {}
        self.dead: str | None = None

    def build_stages(self, train_data: AbstractDataLoader) -> list[Stage]:
        """Return the single stage `disentangle`."""
        if self.device.type == "cpu":
            keep_freed_memory()  # scores of the catalogue are tensors that malloc maps
        return [DisentanglingStage(DISENTANGLE, self, train_data, self._look_at_selected)]

    def _validation(self) -> AbstractDataLoader | None:
        """Return the loader of validation rows.

        None where there is no row, or where a test stands in their place.
        """
        loader: AbstractDataLoader | None = self._options["valid_data"]
        return None if self.config["selection"] == "oracle" or not loader else loader

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
        measured = self.representations["representations"]
        if "spurious_pairwise_auc" not in measured:
            return
        alive = self.representations["spurious_alive"] = spurious_alive(measured)
        if not alive:
            self.dead = _dead(measured, self.config)
            getLogger().warning(self.dead)

    def diagnostics(self) -> dict[str, Any]:
        """Return the encoder, and what the representations of the selected weights look like."""
        return {"encoder": self.config["encoder"], **self.representations}

    def notes(self) -> list[str]:
        """Return the warning of a spurious encoder that is dead."""
        return [] if self.dead is None else [self.dead]


def spurious_alive(measured: Mapping[str, float]) -> bool:
    """Say whether s predicts targets better than the s of another history does.

    It must be above it by more than `ERRORS` standard errors of the difference. Above chance is
    not enough: an s that is the same for every history scores popular items up too.

    Args:
        measured: as `representation_diagnostics.describe`.
    """
    gain = measured["spurious_pairwise_auc"] - measured["spurious_pairwise_auc_shuffled"]
    return gain > ERRORS * measured["spurious_pairwise_auc_error"]


def _dead(measured: Mapping[str, float], config: Config) -> str:
    """Say that the spurious encoder is dead, and what may wake it."""
    return (
        "the spurious encoder says nothing of a history: it scores "
        f"{measured['spurious_pairwise_auc']:.3f} of the targets above a random item, and "
        f"{measured['spurious_pairwise_auc_shuffled']:.3f} when it has read another one's "
        f"history. Being independent of it means nothing. {_remedy(config)}"
    )


def _remedy(config: Config) -> str:
    """Say what gives the spurious encoder something to learn."""
    if config["independence"] == DIB:
        return f"Raise independence_weight (now {config['independence_weight']})."
    lower = "" if config["independence"] == MAXIMIZE else ", or lower independence_weight"
    return f"Raise joint_weight (now {config['joint_weight']}){lower}."
