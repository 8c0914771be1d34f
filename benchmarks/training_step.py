"""Speed of one training step: UltraGCN, InvRL, PaInvRL, and RecBole's loader on the same loss.

    python benchmarks/training_step.py [--sizes tiktok movielens] [--steps 5] [--threads 2]

The data are synthetic, of the sizes of two published data sets; everything is measured in one
run, a step being sampling, forward, backward and optimiser. `ratio` is positives a second
against RecBole's loader feeding the same UltraGCN loss with its own negatives.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import TrainDataLoader
from recbole.data.interaction import Interaction
from recbole.sampler import Sampler
from tabulate import tabulate

from recbole_invariant.config import RunConfig, build_config
from recbole_invariant.data.dataset import MultimodalDataset
from recbole_invariant.registry import resolve
from recbole_invariant.trainer.painvrl import PaInvRLTrainer
from recbole_invariant.trainer.ranking_stage import RankingStage
from recbole_invariant.trainer.stage import Stage
from recbole_invariant.trainer.weight_decay import WeightDecay


@dataclass(frozen=True)
class Size:
    """How large the synthetic data are."""

    n_users: int
    n_items: int
    n_interactions: int
    n_dims: int


SIZES = {
    "tiktok": Size(36_656, 76_085, 726_065, 3 * 128),
    "movielens": Size(55_485, 5_986, 1_239_508, 2048 + 128 + 100),
    "small": Size(943, 1_682, 55_375, 115),
}
BATCH, NEGATIVES = 512, 50


class SyntheticDataset(MultimodalDataset):
    """ml-100k's dataset with its interactions and features replaced by drawn ones."""

    def resize(self, size: Size) -> None:
        """Draw users uniformly and items by Zipf's law; features are unit normal rows."""
        rng = np.random.default_rng(0)
        self._change_feat_format()
        items = rng.zipf(1.3, size.n_interactions) % size.n_items + 1
        users = rng.integers(1, size.n_users + 1, size.n_interactions)
        self.inter_feat = Interaction({self.uid_field: users, self.iid_field: items})
        self.field2id_token[self.uid_field] = np.arange(size.n_users + 1)
        self.field2id_token[self.iid_field] = np.arange(size.n_items + 1)
        self.user_feat = self.item_feat = None
        generator = torch.Generator().manual_seed(0)
        drawn = torch.randn(size.n_items + 1, size.n_dims, generator=generator)
        self.drawn = torch.nn.functional.normalize(drawn, dim=1)

    def item_features(self) -> torch.Tensor:
        """Return the drawn features `(n_items, n_dims)`."""
        return self.drawn


class Loader:
    """What a stage needs of RecBole's training loader."""

    def __init__(self, dataset: SyntheticDataset) -> None:
        self._dataset = dataset


def configuration(model: str, **options: Any) -> RunConfig:
    """Make the options of a model with the batch of this benchmark."""
    options = {"train_batch_size": BATCH, "n_negatives": NEGATIVES, **options}
    config = build_config(model, "ml-100k", overrides=options)
    config["run_dir"] = None
    return config


def seconds_a_step(step: Callable[[], object], steps: int) -> float:
    """Median wall time of a step, after one that is not counted."""
    step()
    times = []
    for _ in range(steps):
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def stage_step(stage: Stage) -> Callable[[], object]:
    """Return a function that takes the next step of a stage."""
    batches = iter(stage.batches())

    def step() -> object:
        nonlocal batches
        try:
            batch = next(batches)
        except StopIteration:
            batches = iter(stage.batches())
            batch = next(batches)
        return stage.step(batch)

    return step


def ranking_step(name: str, size: Size) -> Callable[[], object]:
    """Prepare a step of UltraGCN's single stage."""
    config = configuration(name)
    dataset = SyntheticDataset(config)
    dataset.resize(size)
    model = resolve(name).model_class(config, dataset)
    decay = WeightDecay.from_config(config)
    stage = RankingStage("train", model, config, Loader(dataset), 1, 1, decay)  # type: ignore[arg-type]
    stage.begin()
    return stage_step(stage)


def host_loader_step(size: Size) -> Callable[[], object]:
    """Prepare the same loss on RecBole's loader: 512 positives with 50 of RecBole's negatives."""
    negatives = {"distribution": "uniform", "sample_num": NEGATIVES, "alpha": 1.0}
    config = configuration(
        "UltraGCNF",
        train_neg_sample_args={**negatives, "dynamic": False, "candidate_num": 0},
    )
    config["train_batch_size"] = BATCH * (1 + NEGATIVES)
    dataset = SyntheticDataset(config)
    dataset.resize(size)
    sampler = Sampler(["train"], [dataset], "uniform").set_phase("train")
    loader = TrainDataLoader(config, dataset, sampler, shuffle=True)
    model = resolve("UltraGCNF").model_class(config, dataset)
    decay = WeightDecay.from_config(config)
    stage = RankingStage("train", model, config, Loader(dataset), 1, 1, decay)  # type: ignore[arg-type]
    stage.begin()
    batches = iter(loader)

    def step() -> object:
        rows = next(batches)
        users, items = rows[dataset.uid_field], rows[dataset.iid_field]
        drawn = items[BATCH:].view(NEGATIVES, BATCH).T
        stage.optimizer.zero_grad(set_to_none=True)
        loss = model.pair_losses(users[:BATCH], items[:BATCH], drawn).sum()
        loss.backward()
        stage.optimizer.step()
        return loss

    return step


def mask_step(name: str, size: Size, n_environments: int) -> Callable[[], object]:
    """Prepare a step of the mask stage, the environments drawn at random."""
    config = configuration(name, n_environments=n_environments)
    dataset = SyntheticDataset(config)
    dataset.resize(size)
    model = resolve(name).model_class(config, dataset)
    trainer = PaInvRLTrainer(config, model)
    trainer.workspace.keep_tables(model)
    labels = torch.randint(n_environments, (size.n_interactions,))
    trainer.workspace.labels = labels
    stage = trainer.build_stages(Loader(dataset))[2]  # type: ignore[arg-type]
    stage.begin()
    return stage_step(stage)


def identify_step(size: Size) -> Callable[[], object]:
    """Prepare a step of the identification stage."""
    config = configuration("PaInvRL")
    dataset = SyntheticDataset(config)
    dataset.resize(size)
    model = resolve("PaInvRL").model_class(config, dataset)
    trainer = PaInvRLTrainer(config, model)
    trainer.workspace.keep_tables(model)
    stage = trainer.build_stages(Loader(dataset))[1]  # type: ignore[arg-type]
    stage.begin()
    return stage_step(stage)


def measure(name: str, size: Size, steps: int) -> list[list[object]]:
    """Measure every kind of step at one size; return the rows of the table."""
    kinds: list[tuple[str, Callable[[], Callable[[], object]], int]] = [
        ("RecBole's loader, UltraGCNF loss", lambda: host_loader_step(size), BATCH),
        ("UltraGCN", lambda: ranking_step("UltraGCN", size), BATCH),
        ("UltraGCNF", lambda: ranking_step("UltraGCNF", size), BATCH),
        ("PaInvRL identify, 10 environments", lambda: identify_step(size), BATCH),
        ("InvRL mask, 10 environments", lambda: mask_step("InvRL", size, 10), 10 * BATCH),
        ("PaInvRL mask, 2 environments", lambda: mask_step("PaInvRL", size, 2), 2 * BATCH),
        ("PaInvRL mask, 10 environments", lambda: mask_step("PaInvRL", size, 10), 10 * BATCH),
    ]
    rows: list[list[object]] = []
    peer = 0.0
    for label, prepare, positives in kinds:
        seconds = seconds_a_step(prepare(), steps)
        speed = positives / seconds
        peer = peer or speed
        rows.append([name, label, f"{1000 * seconds:.1f}", f"{speed:,.0f}", f"{speed / peer:.1f}"])
        print("  " + " | ".join(str(cell) for cell in rows[-1]), flush=True)
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["tiktok", "movielens"])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = [row for name in arguments.sizes for row in measure(name, SIZES[name], arguments.steps)]
    headers = ["size", "step", "ms a step", "positives/s", "ratio"]
    print(tabulate(rows, headers=headers, tablefmt="github"))


if __name__ == "__main__":
    main()
