"""Speed of a training step of IDEA against the same step of its plain backbone.

    python benchmarks/idea_step.py [--sizes beauty planted] [--backbones GRU4Rec SASRec]
    python benchmarks/idea_step.py --environments 2 4 8 --rounds 7

The data are synthetic, of the size of Amazon Beauty and of planted sequences, with histories as
short as theirs. Every kind of step is a whole one (forward, backward, optimiser) on the same
batches, in one process; the kinds take turns, and the median of the CPU time counts, so that other
work on the machine meets all of them alike. `ratio` is to RecBole's own model with its own cross
entropy. Every environment is a pass of the backbone, so a step of IDEA is expected to take N times
as long, and exploring every T-th step adds N / T: `expected`. It takes less where padding is cut
off (`TrimmedEncoder`); RecBole's model computes it.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from recbole.data.dataset import SequentialDataset
from recbole.data.interaction import Interaction
from tabulate import tabulate

from recbole_invariant.allocator import keep_freed_memory
from recbole_invariant.config import RunConfig, build_config
from recbole_invariant.registry import resolve
from recbole_invariant.trainer.alternating_stage import AlternatingStage
from recbole_invariant.trainer.host_stage import HostStage, HostTrainer
from recbole_invariant.trainer.idea import IDEATrainer


@dataclass(frozen=True)
class Size:
    """How large the synthetic data are."""

    n_items: int
    batch: int
    length: int
    mean_length: float


SIZES = {"beauty": Size(12_101, 512, 50, 8.4), "planted": Size(300, 256, 10, 5.0)}
INTERVAL = 5
Step = Callable[[Interaction], object]


class SyntheticDataset(SequentialDataset):
    """ml-100k's dataset with another number of items; batches are drawn, not read."""

    def resize(self, n_items: int) -> None:
        """Say how many items there are."""
        self.field2id_token[self.iid_field] = np.arange(n_items + 1)
        self.item_feat = None

    def draw(self, size: Size, seed: int) -> Interaction:
        """Draw a batch: items uniformly, lengths geometrically, padding on the right."""
        generator = np.random.default_rng(seed)
        lengths = generator.geometric(1 / size.mean_length, size.batch).clip(1, size.length)
        items = generator.integers(1, size.n_items + 1, (size.batch, size.length))
        items[np.arange(size.length) >= lengths[:, None]] = 0
        targets = generator.integers(1, size.n_items + 1, size.batch)
        columns = {
            self.uid_field: np.ones(size.batch, dtype=np.int64),
            f"{self.iid_field}_list": items,
            "item_length": lengths,
            self.iid_field: targets,
        }
        return Interaction({name: torch.from_numpy(values) for name, values in columns.items()})


def configuration(model: str, size: Size, **options: Any) -> RunConfig:
    """Make the options of a model with the size of this benchmark."""
    options = {"MAX_ITEM_LIST_LENGTH": size.length, "loss_type": "CE", "use_gpu": False, **options}
    config = build_config(model, "ml-100k", overrides={**options, "train_neg_sample_args": None})
    config["run_dir"] = None
    return config


def dataset_of(config: RunConfig, size: Size) -> SyntheticDataset:
    """Make the data set of a model."""
    dataset = SyntheticDataset(config)
    dataset.resize(size.n_items)
    return dataset


def plain_step(backbone: str, size: Size) -> tuple[Step, SyntheticDataset]:
    """Prepare the step of RecBole's model, as our loop takes it."""
    config = configuration(backbone, size)
    dataset = dataset_of(config, size)
    model = resolve(backbone).model_class(config, dataset)
    stage = HostStage("train", HostTrainer(config, model), None)  # type: ignore[arg-type]
    stage.begin()
    model.train()
    return stage.step, dataset


def idea_steps(backbone: str, size: Size, **options: Any) -> tuple[Step, Step]:
    """Prepare a step of the recommender and one of the exploration."""
    config = configuration("IDEA", size, backbone=backbone, **options)
    model = resolve("IDEA").model_class(config, dataset_of(config, size))
    trainer = IDEATrainer(config, model)
    stage = AlternatingStage("alternate", trainer, None)  # type: ignore[arg-type]
    stage.begin()
    model.train()
    examples = model.encoder.examples
    return (lambda rows: stage.recommend(examples(rows))), (
        lambda rows: stage.explore(examples(rows))
    )


def interleaved(
    steps: dict[str, Step], batches: list[Interaction], rounds: int
) -> dict[str, float]:
    """Median CPU seconds of each kind of step, in turns; the first round is not counted."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for k in range(rounds + 1):
        for name, step in steps.items():
            begun = time.process_time()
            step(batches[k % len(batches)])
            if k:
                times[name].append(time.process_time() - begun)
    return {name: statistics.median(values) for name, values in times.items()}


def measure(
    name: str, backbone: str, environments: list[int], rounds: int, penalty: str
) -> list[list[object]]:
    """Measure one backbone at one size; return the rows of the table."""
    size = SIZES[name]
    torch.manual_seed(0)
    plain, dataset = plain_step(backbone, size)
    steps = {"plain": plain}
    for n in environments:
        recommend, explore = idea_steps(backbone, size, n_environments=n, penalty=penalty)
        steps[f"recommend {n}"], steps[f"explore {n}"] = recommend, explore
    batches = [dataset.draw(size, seed) for seed in range(4)]
    found = interleaved(steps, batches, rounds)
    base = found["plain"]
    rows: list[list[object]] = [[name, backbone, "plain backbone", 1000 * base, 1.0, 1.0]]
    for n in environments:
        recommend_s, explore_s = found[f"recommend {n}"], found[f"explore {n}"]
        kinds: list[tuple[str, float, float]] = [
            ("recommender step", recommend_s, n),
            ("exploration step", explore_s, n),
            (
                f"average, T = {INTERVAL}",
                recommend_s + explore_s / INTERVAL,
                n * (1 + 1 / INTERVAL),
            ),
        ]
        rows += [
            [name, backbone, f"IDEA, N = {n}: {kind}", 1000 * seconds, seconds / base, expected]
            for kind, seconds, expected in kinds
        ]
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--backbones", nargs="+", default=["GRU4Rec", "SASRec"])
    parser.add_argument("--environments", nargs="+", type=int, default=[4])
    parser.add_argument("--penalty", choices=["vrex", "irmv1"], default="vrex")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--return_memory", action="store_true", help="as the C library has it")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if not given.return_memory:
        keep_freed_memory()
    rows: list[list[object]] = []
    for name in given.sizes:
        for backbone in given.backbones:
            rows += measure(name, backbone, given.environments, given.rounds, given.penalty)
    headers = ["size", "backbone", "step", "CPU ms", "ratio", "expected"]
    print(
        tabulate(
            rows, headers=headers, tablefmt="github", floatfmt=("", "", "", ".1f", ".2f", ".1f")
        )
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory of the process {peak:.1f} GiB")


if __name__ == "__main__":
    main()
