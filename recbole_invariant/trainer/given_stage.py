"""The stage that puts given environments where inferred ones would be: the controls."""

from typing import Any

from recbole.config import Config
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from torch import Tensor

from recbole_invariant.environment.given import given_environments
from recbole_invariant.seeding import torch_generator
from recbole_invariant.trainer.identify_stage import publish_labels
from recbole_invariant.trainer.stage import Stage
from recbole_invariant.trainer.workspace import Workspace


class GivenStage(Stage):
    """Label the training interactions once; nothing is trained.

    Args:
        name: name of the stage.
        source: `true` or `random`.
        config: resolved options.
        train_data: RecBole's training loader.
        workspace: takes the labels.
    """

    def __init__(
        self,
        name: str,
        source: str,
        config: Config,
        train_data: AbstractDataLoader,
        workspace: Workspace,
    ) -> None:
        super().__init__(name, epochs=0)
        self.config, self.train_data, self.workspace = config, train_data, workspace
        generator = torch_generator(config["seed"], f"environments/{name}")
        # looked up now, so that missing truth is told before anything is trained
        self.labels = given_environments(
            source, train_data._dataset, config["n_environments"], generator
        )

    def batches(self) -> list[Any]:
        """Return no batches."""
        return []

    def step(self, batch: Any) -> dict[str, Tensor]:
        """Never happens: there are no epochs."""
        raise RuntimeError("labels are given, not trained")

    def end(self) -> None:
        """Write the labels into the interactions and the workspace."""
        self.workspace.labels = self.labels.to(self.config["device"])
        publish_labels(self.train_data, self.workspace.labels)
