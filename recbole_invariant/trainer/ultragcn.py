"""Training of UltraGCN: one validated stage."""

from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader

from recbole_invariant.seeding import torch_generator
from recbole_invariant.trainer.ranking_stage import RankingStage
from recbole_invariant.trainer.stage import Stage
from recbole_invariant.trainer.stages import StagedTrainer
from recbole_invariant.trainer.weight_decay import WeightDecay


class UltraGCNTrainer(StagedTrainer):
    """One ranking stage from fresh parameters."""

    def build_stages(self, train_data: AbstractDataLoader) -> list[Stage]:
        """Return the single stage `train`."""
        return [
            RankingStage(
                "train",
                self.model,
                self.config,
                train_data,
                epochs=self.epochs,
                patience=self.stopping_step,
                decay=WeightDecay.from_config(self.config),
                prepare=self.draw_parameters,
            )
        ]

    def draw_parameters(self) -> None:
        """Draw the model's parameters from the run's own stream for initialisation."""
        self.model.reset_parameters(torch_generator(self.config["seed"], "init"))
