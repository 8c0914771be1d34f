"""The stages of IDEA: pretrain the backbone -> alternate -> keep the better of both."""

from dataclasses import dataclass, field
from logging import getLogger
from typing import Any

from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader

from recbole_invariant.allocator import keep_freed_memory
from recbole_invariant.data.fake_items import replace_items
from recbole_invariant.errors import InputError
from recbole_invariant.seeding import torch_generator
from recbole_invariant.trainer.alternating_stage import AlternatingStage
from recbole_invariant.trainer.checkpoint import clone_state, restore_state
from recbole_invariant.trainer.host_stage import HostStage, HostTrainer
from recbole_invariant.trainer.stage import Stage

PRETRAIN, ALTERNATE = "pretrain", "alternate"


@dataclass
class Selected:
    """Weights at the end of a stage.

    Attributes:
        stage: the stage.
        epoch: the epoch of the weights, from 0.
        score: `valid_metric` on validation.
        valid: all metrics on validation; None where there is no validation.
        state: the weights.
    """

    stage: str
    epoch: int | None
    score: float
    valid: dict[str, float] | None
    state: dict[str, Any] = field(repr=False)

    def said(self, validated: bool) -> dict[str, Any]:
        """Return what `run.json` shows; metrics only where they are those of validation rows."""
        return {
            "stage": self.stage,
            "epoch": self.epoch,
            "valid": self.valid if validated else None,
        }


class IDEATrainer(HostTrainer):
    """Trains IDEA.

    The first stage is the plain backbone: same initial values, batches and dropout as RecBole's
    model under the same seed, so its weights are that model's, bit for bit. Its best epoch is kept
    beside the best and the last of the second stage.

    Attributes:
        pretrained: the end of the first stage.
        best: the best epoch of the second.
        last: the last epoch of the second that was validated.
        kept: which of them the model holds at the end: `pretrain`, `best` or `last`.
        initial: the weights before training, for a stage 2 that starts from them; None for a warm
            start. A resumed run draws them again from the same seed.
    """

    def __init__(self, config: Any, model: Any) -> None:
        super().__init__(config, model)
        self.pretrained: Selected | None = None
        self.best: Selected | None = None
        self.last: Selected | None = None
        self.kept: str | None = None
        self.initial = None if config["warm_start"] else clone_state(model)

    def build_stages(self, train_data: AbstractDataLoader) -> list[Stage]:
        """Return pretrain and, where it has epochs, alternate.

        Raises:
            InputError: neither stage has an epoch.
        """
        config = self.config
        if not self.epochs and not config["pretrain_epochs"]:
            raise InputError("epochs: 0 leaves stage 1 alone; set pretrain_epochs, e.g. to 100.")
        if self.device.type == "cpu":
            keep_freed_memory()  # a batch in all environments is made of tensors that malloc maps
        self._replace_items(train_data)
        pretrain = HostStage(
            PRETRAIN,
            self,
            train_data,
            model=self.model.encoder,
            epochs=config["pretrain_epochs"],
            patience=config["pretrain_stopping_step"],
            on_end=self._end_pretraining,
        )
        alternate = AlternatingStage(
            ALTERNATE, self, train_data, self._begin_alternation, self._end_alternation
        )
        return [pretrain, alternate] if self.epochs else [pretrain]

    def _replace_items(self, train_data: AbstractDataLoader) -> None:
        """Put fake items into the training histories; targets and all other parts stay."""
        if not self.config["fake_ratio"]:
            return
        columns, model = train_data._dataset.inter_feat, self.model
        columns[model.ITEM_SEQ] = replace_items(
            columns[model.ITEM_SEQ],
            model.encoder.first_fake,
            self.config["fake_ratio"],
            self.config["n_fake_items"],
            torch_generator(self.config["seed"], "data/fakes"),
        )

    def _selected(self, stage: str) -> Selected:
        """Take the weights that the model holds at the end of a stage."""
        return Selected(
            stage,
            self.best_epoch,
            float(self.best_valid_score),
            self.best_valid_result,
            clone_state(self.model),
        )

    def _end_pretraining(self) -> None:
        """Keep the plain backbone."""
        self.pretrained, self.kept = self._selected(PRETRAIN), PRETRAIN
        self._show("plain backbone", self.pretrained)

    def _begin_alternation(self) -> None:
        """Go on from the plain backbone, or start again from the initial values."""
        if self.initial is not None:
            restore_state(self.model, self.initial)

    def _validate(self, stage: Stage, epoch: int) -> tuple[dict[str, float], bool]:
        """Validate as every stage is; keep the latest weights of the alternation apart."""
        result, stop = super()._validate(stage, epoch)
        if stage.name == ALTERNATE:
            score = float(result[self.valid_metric])
            self.last = Selected(ALTERNATE, epoch, score, result, clone_state(self.model))
        return result, stop

    def _end_alternation(self) -> None:
        """Choose what the model holds: by `keep`, and where it says so by validation."""
        self.best = self._selected(ALTERNATE)
        self.last = self.last or self.best
        self._show("alternate best", self.best)
        self._show("alternate last", self.last)
        self.kept = self.config["keep"]
        if self.kept == "better":
            self.kept = "best" if self._improves(self.best, self.pretrained) else "pretrain"
        chosen = {"pretrain": self.pretrained, "best": self.best, "last": self.last}[self.kept]
        if chosen is None:
            raise RuntimeError("the alternation ended without a pretrained backbone")
        getLogger().info(f"kept: {self.kept} (stage {chosen.stage}, epoch {chosen.epoch})")
        self.best_state, self.best_epoch = chosen.state, chosen.epoch
        self.best_valid_score, self.best_valid_result = chosen.score, chosen.valid

    def _improves(self, one: Selected, other: Selected | None) -> bool:
        """Say whether validation is better in `one`; a draw is for the plain backbone."""
        if other is None:
            return True
        better = one.score > other.score if self.valid_metric_bigger else one.score < other.score
        return better or other.valid is None

    def _show(self, name: str, selected: Selected) -> None:
        """Have these weights measured on the tests too, once selection is over."""
        if selected.epoch is not None:  # without validation no epoch stands out
            at = selected.stage, selected.epoch, selected.valid
            self.snapshots.keep(name, *at, selected.state)

    def extra_state(self) -> dict[str, Any]:
        """Return the ends of the stages so far."""
        kept = {"pretrained": self.pretrained, "last": self.last}
        return {name: None if one is None else vars(one) for name, one in kept.items()}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Take back what `extra_state` returned."""
        for name, one in state.items():
            setattr(self, name, None if one is None else Selected(**one))

    def diagnostics(self) -> dict[str, Any]:
        """Return which weights were kept, and validation at the ends of the stages."""
        ends = {"pretrain": self.pretrained, "best": self.best, "last": self.last}
        validated = self.config["selection"] != "oracle"  # which asks a test
        said = {name: one and one.said(validated) for name, one in ends.items()}
        return {"backbone": self.config["backbone"], "kept": self.kept, **said}
