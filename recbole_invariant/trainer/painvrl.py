"""The stages of PaInvRL: pretrain -> T x (identify -> mask) -> final."""

from typing import Any, cast

import torch
from recbole.config import Config
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from torch import Tensor

from recbole_invariant.seeding import torch_generator
from recbole_invariant.trainer.identify_stage import IdentifyStage
from recbole_invariant.trainer.mask_stage import MaskStage
from recbole_invariant.trainer.ranking_stage import RankingStage
from recbole_invariant.trainer.stage import Stage
from recbole_invariant.trainer.stages import StagedTrainer
from recbole_invariant.trainer.weight_decay import WeightDecay
from recbole_invariant.trainer.workspace import Workspace


class PaInvRLTrainer(StagedTrainer):
    """Trains PaInvRL and, with `variant: invrl`, InvRL.

    Both ranking stages start from the same initial values and use the same random stream as
    UltraGCN's single stage: with the same decay and a mask of ones each of them is UltraGCNF.
    """

    def __init__(self, config: Config, model: torch.nn.Module) -> None:
        super().__init__(config, model)
        ones = torch.ones_like(cast(Tensor, model.invariant_mask))
        self.workspace = Workspace(mask=config["mask_init"] * ones)
        self.pretrained: dict[str, float] | None = None

    def build_stages(self, train_data: AbstractDataLoader) -> list[Stage]:
        """Return pretrain, T pairs of identify and mask, and final."""
        config, model, workspace = self.config, self.model, self.workspace
        decay = WeightDecay.from_config(config)
        pretrain_decay = decay.with_values(
            item_ratio=config["pretrain_item_decay_ratio"],
            projection=config["pretrain_projection_decay"],
        )
        stages: list[Stage] = [
            RankingStage(
                "pretrain",
                model,
                config,
                train_data,
                epochs=config["pretrain_epochs"],
                patience=config["pretrain_stopping_step"],
                decay=pretrain_decay,
                prepare=self._begin_pretraining,
                on_end=self._end_pretraining,
            )
        ]
        for outer in range(config["outer_iterations"]):
            number = outer + 1
            stages += [
                IdentifyStage(f"identify {number}", model, config, train_data, workspace),
                MaskStage(f"mask {number}", model, config, train_data, workspace, outer),
            ]
        final = RankingStage(
            "final",
            model,
            config,
            train_data,
            epochs=self.epochs,
            patience=self.stopping_step,
            decay=decay,
            prepare=self._begin_final,
        )
        return [*stages, final]

    def _draw_parameters(self) -> None:
        """Draw the model's parameters from the run's own stream for initialisation."""
        self.model.reset_parameters(torch_generator(self.config["seed"], "init"))

    def _begin_pretraining(self) -> None:
        """Start with every feature on."""
        self._draw_parameters()
        self.model.invariant_mask.fill_(1.0)

    def _end_pretraining(self) -> None:
        """Keep the embeddings, and the validation result as that of the plain backbone."""
        self.workspace.keep_tables(self.model)
        self.pretrained = self.best_valid_result

    def _begin_final(self) -> None:
        """Start from fresh parameters on the masked features (Eq. 26)."""
        self._draw_parameters()
        self.model.invariant_mask.copy_(self.workspace.mask)

    def extra_state(self) -> dict[str, Any]:
        """Return the workspace and the backbone's validation result."""
        return {"workspace": self.workspace.state(), "pretrained": self.pretrained}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Take back what `extra_state` returned."""
        self.workspace.load_state(state["workspace"], self.config["device"])
        self.pretrained = state["pretrained"]

    def diagnostics(self) -> dict[str, Any]:
        """Return the mask, the environment sizes and the backbone's validation result."""
        sizes = None
        if self.workspace.labels is not None:
            counted = torch.bincount(self.workspace.labels, minlength=self.config["n_environments"])
            sizes = counted.tolist()
        return {
            "invariant_mask": self.model.invariant_mask.tolist(),
            "environment_sizes": sizes,
            "backbone_valid": self.pretrained,
        }
