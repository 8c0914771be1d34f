"""The options of the mask stage, read once from the configuration."""

from dataclasses import dataclass
from typing import Literal

from recbole.config import Config

from recbole_invariant.model.layers import AttentionOutput
from recbole_invariant.objective.invariance import VarianceReduction

WeightRule = Literal["adaptive", "erm", "irm", "fixed"]
GradientNorm = Literal["none", "l2", "loss", "first"]
ProjectionStart = Literal["pretrained", "drawn"]
ProjectionObjective = Literal["erm", "both"]


@dataclass(frozen=True)
class MaskOptions:
    """Settings of one mask stage; every field is documented in properties/model/PaInvRL.yaml."""

    rule: WeightRule
    gradient_norm: GradientNorm
    erm_weight: float
    irm_weight: float
    optimizer: Literal["adam", "sgd"]
    mask_learning_rate: float
    learning_rate: float
    initial: float
    noise: float
    regularisation: float
    centre: float
    project: bool
    penalty_gate: Literal["sampled", "unclipped"]
    variance_reduction: VarianceReduction
    projection_decay: float
    projection_start: ProjectionStart
    projection_objective: ProjectionObjective
    init_std: float
    attention: bool
    attention_hidden: int
    attention_output: AttentionOutput

    @classmethod
    def from_config(cls, config: Config, outer: int) -> "MaskOptions":
        """Read the options of outer iteration number `outer` (from 0): some weights grow."""
        return cls(
            rule=config["pareto"],
            gradient_norm=config["pareto_norm"],
            erm_weight=config["erm_weight"],
            irm_weight=config["irm_weight"] * config["irm_weight_growth"] ** outer,
            optimizer=config["mask_optimizer"],
            mask_learning_rate=config["mask_learning_rate"],
            learning_rate=config["learning_rate"],
            initial=config["mask_init"],
            noise=config["mask_noise"],
            regularisation=config["mask_regularisation"]
            * config["mask_regularisation_growth"] ** outer,
            centre=config["mask_regularisation_centre"],
            project=config["project_mask"],
            penalty_gate=config["penalty_gate"],
            variance_reduction=config["variance_reduction"],
            projection_decay=config["pretrain_projection_decay"],
            projection_start=config["projection_start"],
            projection_objective=config["projection_objective"],
            init_std=config["init_std"],
            attention=config["attention"],
            attention_hidden=config["attention_hidden"],
            attention_output=config["attention_output"],
        )
