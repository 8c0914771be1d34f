"""The stages of PaInvRL: pretrain -> reference -> environments -> mask -> final."""

from collections.abc import Callable
from typing import Any, cast

import torch
from recbole.config import Config
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.dataset import Dataset
from torch import Tensor

from recbole_invariant.allocator import keep_freed_memory
from recbole_invariant.data.planted.truth import true_kinds
from recbole_invariant.data.planted.world import INVARIANT
from recbole_invariant.environment.given import INFERRED, TRUE, environment_source
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.truth import truth_diagnostics
from recbole_invariant.seeding import torch_generator
from recbole_invariant.stability.gate import GateOptions, assess
from recbole_invariant.stability.reference import described_temperature
from recbole_invariant.trainer.expert_stage import ExpertStage
from recbole_invariant.trainer.final_mask import final_mask, stability_diagnostics
from recbole_invariant.trainer.given_stage import GivenStage
from recbole_invariant.trainer.identify_stage import IdentifyStage
from recbole_invariant.trainer.mask_stage import MaskStage
from recbole_invariant.trainer.ranking_stage import RankingStage, TrainingPairs
from recbole_invariant.trainer.reference_stage import ReferenceStage, held_out_reference
from recbole_invariant.trainer.stage import Stage
from recbole_invariant.trainer.stages import StagedTrainer
from recbole_invariant.trainer.weight_decay import WeightDecay
from recbole_invariant.trainer.workspace import Workspace

FINAL, WITHOUT_MASK = "final", "final without mask"


class PaInvRLTrainer(StagedTrainer):
    """Trains PaInvRL and, with `variant: invrl`, InvRL.

    Both ranking stages start from the same initial values and use the same random stream as
    UltraGCN's single stage: with the same decay and a mask of ones each of them is UltraGCNF.
    """

    def __init__(self, config: Config, model: torch.nn.Module) -> None:
        super().__init__(config, model)
        ones = torch.ones_like(cast(Tensor, model.invariant_mask))
        self.uses_experts = config["identification"] == "experts"
        self.workspace = Workspace(mask=config["mask_init"] * ones)
        self.train_dataset: Dataset | None = None
        self.pretrained: dict[str, float] | None = None
        self.pretrained_score: float | None = None
        self.masked_score: float | None = None

    def build_stages(self, train_data: AbstractDataLoader) -> list[Stage]:
        """Return the stages, in their order.

        Pretrain; the held-out reference, where gate or experts need it; experts once and T masks,
        or T pairs of identify and mask; final; and the optional one without a mask. With given
        environments (`environment_source`) one stage takes the place of all identification; with
        the true mask (`mask_source: oracle`) there is the final stage only.
        """
        config, self.train_dataset = self.config, train_data._dataset
        if self.device.type == "cpu":
            keep_freed_memory()  # gradients of whole tables are tensors that malloc maps
        source = environment_source(config["environment_source"])
        final = self._final(train_data, FINAL, self._begin_final, self._end_final)
        if config["mask_source"] == "oracle":
            if source != INFERRED:
                raise InputError(
                    f"environment_source: {source}: no effect with mask_source: oracle, which "
                    "needs no environments. Leave one of them away."
                )
            invariant = torch.from_numpy(true_kinds(self.train_dataset) == INVARIANT)
            self.workspace.mask = invariant.to(self.workspace.mask)
            return [final]
        stages: list[Stage] = [self._pretraining(train_data)]
        if config["stability_gate"] or (self._identifies(source) and self.uses_experts):
            if config["weight_decay_scope"] != "table":
                raise InputError(
                    f"weight_decay_scope: {config['weight_decay_scope']}: the held-out reference "
                    "decays whole tables and would not be trained as the backbone is. Set it to "
                    "table, or stability_gate: false and identification: models."
                )
            workspace, on_end = self.workspace, self._end_reference
            stages.append(ReferenceStage(self.model, config, train_data, workspace, on_end))
        stages += [*self._mask_stages(train_data, source), final]
        if config["mask_tolerance"] is not None:
            needed = self._mask_costs_too_much
            stages.append(
                self._final(train_data, WITHOUT_MASK, self._begin_without_mask, needed=needed)
            )
        return stages

    def _final(
        self,
        train_data: AbstractDataLoader,
        name: str,
        prepare: Callable[[], None],
        on_end: Callable[[], None] | None = None,
        needed: Callable[[], bool] | None = None,
    ) -> RankingStage:
        """Return a stage that trains the model that is served."""
        return RankingStage(
            name,
            self.model,
            self.config,
            train_data,
            epochs=self.epochs,
            patience=self.stopping_step,
            decay=WeightDecay.from_config(self.config),
            prepare=prepare,
            on_end=on_end,
            needed=needed,
        )

    def _identifies(self, source: str) -> bool:
        """Whether environments are inferred."""
        return source == INFERRED and self.config["outer_iterations"] > 0

    def _pretraining(self, train_data: AbstractDataLoader) -> Stage:
        """Return the stage that trains the backbone, whose embeddings are then frozen."""
        config = self.config
        return RankingStage(
            "pretrain",
            self.model,
            config,
            train_data,
            epochs=config["pretrain_epochs"],
            patience=config["pretrain_stopping_step"],
            decay=WeightDecay.from_config(config).with_values(
                item_ratio=config["pretrain_item_decay_ratio"],
                projection=config["pretrain_projection_decay"],
            ),
            prepare=self._begin_pretraining,
            on_end=self._end_pretraining,
        )

    def _mask_stages(self, train_data: AbstractDataLoader, source: str) -> list[Stage]:
        """Return what finds the mask: T times identify and mask, or given labels and T masks."""
        model, config, workspace = self.model, self.config, self.workspace
        stages: list[Stage] = []
        if source != INFERRED and config["outer_iterations"]:
            stages.append(GivenStage("environments", source, config, train_data, workspace))
        elif self._identifies(source) and self.uses_experts:
            stages.append(ExpertStage(model, config, train_data, workspace))
        for outer in range(config["outer_iterations"]):
            number = outer + 1
            if source == INFERRED and not self.uses_experts:
                name = f"identify {number}"
                stages.append(IdentifyStage(name, model, config, train_data, workspace))
            stages.append(MaskStage(f"mask {number}", model, config, train_data, workspace, outer))
        return stages

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
        best, pretrain = self.best_epoch, self.stages[0]
        # without validation (a refit) all of its epochs count
        self.workspace.pretrain_epochs = pretrain.epochs if best is None else best + 1
        self.pretrained, self.pretrained_score = self.best_valid_result, self._score_of_stage()

    def _end_reference(self) -> None:
        """Hold the held-out clicks against the reference: which dimensions are stable?"""
        self._make_reference()
        workspace = self.workspace
        if workspace.reference is None:
            raise RuntimeError("stage 'reference' left no fold models")
        stability = assess(workspace.reference, GateOptions.from_config(self.config))
        workspace.stability, flagged = stability, stability.flagged
        self.logger.info(
            f"reference: temperature {described_temperature(stability.temperature)}, "
            f"{int(flagged.sum())} of {len(flagged)} feature dimensions flagged as unstable"
        )
        if not any(isinstance(stage, ExpertStage) for stage in self.stages):
            workspace.release_reference()

    def _make_reference(self) -> None:
        """Make the held-out reference of the fold models, where there are any."""
        workspace, dataset = self.workspace, self.train_dataset
        if workspace.fold_tables is None or workspace.folds is None or dataset is None:
            return
        pairs = TrainingPairs.from_dataset(dataset, self.config["device"])
        workspace.reference = held_out_reference(
            self.model, self.config, pairs, workspace.folds, workspace.fold_tables
        )

    def _begin_final(self) -> None:
        """Start from fresh parameters on the masked features (Eq. 26)."""
        self._draw_parameters()
        self.model.invariant_mask.copy_(final_mask(self.config, self.workspace))

    def _end_final(self) -> None:
        """Keep the validation score of the masked model."""
        self.masked_score = self._score_of_stage()

    def _begin_without_mask(self) -> None:
        """Start again with every feature on: the plain backbone."""
        self._draw_parameters()
        self.model.invariant_mask.fill_(1.0)

    def _mask_costs_too_much(self) -> bool:
        """Whether the mask lowers the validation score by more than `mask_tolerance`."""
        if WITHOUT_MASK in self.stage_epochs:
            return True
        tolerance, before, after = (
            self.config["mask_tolerance"],
            self.pretrained_score,
            self.masked_score,
        )
        if tolerance is None or before is None or after is None:
            return False
        loss = before - after if self.valid_metric_bigger else after - before
        return bool(loss > tolerance * abs(before))

    def _score_of_stage(self) -> float | None:
        """Return the best validation score of the stage that ends; None without validation."""
        return None if self.best_valid_result is None else float(self.best_valid_score)

    def notes(self) -> list[str]:
        """Say when the truth was seen, an environment is empty, or the mask was not kept."""
        said = []
        if self.config["mask_source"] == "oracle":
            said.append("mask_source: oracle: the mask is the planted truth, a control")
        sizes = self._environment_sizes()
        if sizes and 0 in sizes:
            said.append(
                f"{sizes.count(0)} of {len(sizes)} environments are empty; rows of each: {sizes}"
            )
        if not any(record["name"] == WITHOUT_MASK for record in self.stage_records):
            return said
        return [
            *said,
            "the mask lowered the validation score by more than mask_tolerance "
            f"({self.config['mask_tolerance']}): the final model was trained again without it and "
            "is the plain backbone",
        ]

    def _environment_sizes(self) -> list[int] | None:
        """Count the training rows of every environment; None where there are no environments."""
        if self.workspace.labels is None:
            return None
        # true environments have their own number
        is_true = environment_source(self.config["environment_source"]) == TRUE
        wanted = 0 if is_true else self.config["n_environments"]
        sizes: list[int] = torch.bincount(self.workspace.labels, minlength=wanted).tolist()
        return sizes

    def extra_state(self) -> dict[str, Any]:
        """Return the workspace and the backbone's validation result."""
        return {
            "workspace": self.workspace.state(),
            "pretrained": self.pretrained,
            "pretrained_score": self.pretrained_score,
            "masked_score": self.masked_score,
        }

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Take back what `extra_state` returned."""
        self.workspace.load_state(state["workspace"], self.config["device"])
        self._make_reference()
        self.pretrained = state["pretrained"]
        self.pretrained_score = state["pretrained_score"]
        self.masked_score = state["masked_score"]

    def diagnostics(self) -> dict[str, Any]:
        """Return mask, environment sizes, the backbone's validation result, nearness to truth."""
        return {
            "invariant_mask": self.model.invariant_mask.tolist(),
            "environment_sizes": self._environment_sizes(),
            "backbone_valid": self.pretrained,
            **stability_diagnostics(self.workspace),
            **self._nearness_to_truth(),
        }

    def _nearness_to_truth(self) -> dict[str, Any]:
        """Return what is measured where the data is planted, after training."""
        if self.train_dataset is None:
            return {}
        mask = cast(Tensor, self.model.invariant_mask)
        return truth_diagnostics(self.train_dataset, mask, self.workspace.labels)
