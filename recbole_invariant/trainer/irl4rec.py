"""The training of Irl4Rec: one stage, and what its two representations look like."""

from typing import Any

from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader

from recbole_invariant.allocator import keep_freed_memory
from recbole_invariant.trainer.disentangling_stage import DisentanglingStage
from recbole_invariant.trainer.host_stage import HostTrainer
from recbole_invariant.trainer.stage import Stage

DISENTANGLE = "disentangle"


class Irl4RecTrainer(HostTrainer):
    """Trains Irl4Rec."""

    def build_stages(self, train_data: AbstractDataLoader) -> list[Stage]:
        """Return the single stage `disentangle`."""
        if self.device.type == "cpu":
            keep_freed_memory()  # scores of the catalogue are tensors that malloc maps
        return [DisentanglingStage(DISENTANGLE, self, train_data)]

    def diagnostics(self) -> dict[str, Any]:
        """Return what the encoders are."""
        return {"encoder": self.config["encoder"]}
