"""The stage that trains a model of the UltraGCN family on positives and drawn negatives."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from recbole.config import Config
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.dataset import Dataset
from recbole.sampler import Sampler
from torch import Tensor

from recbole_invariant.data.sampling import (
    HostNegatives,
    NegativeSampler,
    ShuffledBatches,
    UniformNegatives,
)
from recbole_invariant.model.general_recommender.ultragcn import UltraGCN
from recbole_invariant.seeding import torch_generator
from recbole_invariant.trainer.optimizer import build_optimizer, optimizer_state
from recbole_invariant.trainer.stage import Stage
from recbole_invariant.trainer.weight_decay import WeightDecay, batch_decay, parameter_groups


@dataclass
class TrainingPairs:
    """The training interactions on the device.

    Attributes:
        users: `(n_rows,)`, int64.
        items: `(n_rows,)`, int64.
    """

    users: Tensor
    items: Tensor

    @classmethod
    def from_loader(cls, train_data: AbstractDataLoader, device: torch.device) -> "TrainingPairs":
        """Take the user and item columns of RecBole's training set."""
        return cls.from_dataset(train_data._dataset, device)

    @classmethod
    def from_dataset(cls, dataset: Dataset, device: torch.device) -> "TrainingPairs":
        """Take the user and item columns of a data set."""
        columns = dataset.inter_feat
        return cls(columns[dataset.uid_field].to(device), columns[dataset.iid_field].to(device))


def negative_sampler(
    config: Config, train_data: AbstractDataLoader, n_items: int, generator: torch.Generator
) -> NegativeSampler:
    """Make the sampler that the option `negative_sampler` names."""
    if config["negative_sampler"] == "recbole":
        sampler = Sampler(["train"], [train_data._dataset], "uniform").set_phase("train")
        return HostNegatives(sampler, config["n_negatives"])
    return UniformNegatives(n_items, config["n_negatives"], generator)


class RankingStage(Stage):
    """Minimise the UltraGCN loss; validated, early stopped.

    Args:
        name: name of the stage.
        model: the model to train, as it is when the stage begins.
        config: resolved options.
        train_data: RecBole's training loader; only its interactions are used.
        epochs: at most so many.
        patience: validations without improvement before it stops.
        decay: weight decay of this stage.
        prepare: called first at `begin`, e.g. to draw fresh parameters and set the mask.
        on_end: called at `end`, with the best weights loaded.
        needed: whether the stage runs; always where it is None.
    """

    def __init__(
        self,
        name: str,
        model: UltraGCN,
        config: Config,
        train_data: AbstractDataLoader,
        epochs: int,
        patience: int,
        decay: WeightDecay,
        prepare: Callable[[], None] | None = None,
        on_end: Callable[[], None] | None = None,
        needed: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(name, epochs)
        self.model, self.config, self.train_data, self.decay = model, config, train_data, decay
        self.validates, self.patience = True, patience
        self.eval_step = min(config["eval_step"], epochs)
        self.prepare, self.on_end, self.needed = prepare, on_end, needed
        self.optional = needed is not None

    def is_needed(self) -> bool:
        """Whether it runs."""
        return self.needed is None or self.needed()

    def begin(self) -> None:
        """Make batches, sampler and optimiser; all ranking stages use one random stream."""
        if self.prepare:
            self.prepare()
        device = self.config["device"]
        self.generator = torch_generator(self.config["seed"], "sampling", device)
        self.pairs = TrainingPairs.from_loader(self.train_data, device)
        batch_size = self.config["train_batch_size"]
        self.loader = ShuffledBatches(len(self.pairs.users), batch_size, self.generator)
        self.negatives = negative_sampler(
            self.config, self.train_data, self.model.n_items, self.generator
        )
        groups = parameter_groups(self.model, self.decay)
        self.optimizer = build_optimizer(
            self.config["learner"], groups, self.config["learning_rate"]
        )

    def batches(self) -> ShuffledBatches:
        """Return this epoch's batches of row numbers."""
        return self.loader

    def step(self, batch: Tensor) -> dict[str, Tensor]:
        """Take one step on the pairs of these rows `(batch,)`."""
        users, items = self.pairs.users[batch], self.pairs.items[batch]
        negatives = self.negatives.draw(users)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.model.pair_losses(users, items, negatives).sum()
        if self.decay.scope == "batch":
            both = torch.cat([items.unsqueeze(-1), negatives], dim=-1)
            loss = loss + batch_decay(self.model, self.decay, users, both)
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.detach()}

    def end(self) -> None:
        """Hand the trained model on."""
        if self.on_end:
            self.on_end()

    def optimizers(self) -> Iterable[torch.optim.Optimizer]:
        """Return its only one."""
        return (self.optimizer,)

    def generators(self) -> dict[str, torch.Generator]:
        """Return the stream of batches and negatives."""
        return {"generator": self.generator}

    def state(self) -> dict[str, Any]:
        """Return the optimiser and the random stream."""
        return {
            "optimizer": optimizer_state(self.optimizer),
            "generator": self.generator.get_state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
