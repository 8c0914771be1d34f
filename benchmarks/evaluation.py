"""Speed of evaluation against RecBole's own, and a catalogue of a million items within memory.

    python benchmarks/evaluation.py [--items 20000] [--users 2000] [--threads 1]
    python benchmarks/evaluation.py --items 1000000 --users 10000 --only ours

The model is BPR with random weights; the data are synthetic, 40 training, 5 validation and 10
test rows a user. All is measured in one run on the same model and the same test set:

* RecBole as it comes (`eval_batch_size: 4096`, one user at a time on 20,000 items), and with
  a batch of `--batch` users;
* ours, as in validation, and as in the tests, which keep the rankings up to 100 items.

Without `--only`, the large catalogue follows in a process of its own. Its numbers are compared
with RecBole's on its first 100 users.
"""

import argparse
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.data.utils import create_samplers
from recbole.model.general_recommender import BPR
from recbole.trainer import Trainer
from tabulate import tabulate

from recbole_invariant.config import RunConfig, build_config
from recbole_invariant.evaluation.loader import rank_users
from recbole_invariant.evaluation.protocol import set_eval_batch
from recbole_invariant.evaluation.recording import evaluate_recorded
from recbole_invariant.evaluation.tiles import quicken

ROWS = {"train": 40, "valid": 5, "test": 10}
CHECKED_USERS = 100
LARGE = {"items": 1_000_000, "users": 10_000}
DEFAULT_BATCH = 4096


class SyntheticDataset(Dataset):
    """ml-100k's dataset with its interactions replaced by drawn ones."""

    def resize(self, n_users: int, n_items: int) -> None:
        """Say how many users and items there are."""
        self._change_feat_format()
        self.field2id_token[self.uid_field] = np.arange(n_users + 1)
        self.field2id_token[self.iid_field] = np.arange(n_items + 1)
        self.user_feat = self.item_feat = None

    def draw(self, rows: int, seed: int) -> Dataset:
        """Draw as many rows of every user, items nearly by Zipf's law."""
        n_users, n_items = self.user_num - 1, self.item_num - 1
        generator = np.random.default_rng(seed)
        items = (n_items ** generator.random(rows * n_users)).astype(np.int64)
        users = np.repeat(np.arange(1, n_users + 1), rows)
        return self.copy(Interaction({self.uid_field: users, self.iid_field: items}))

    def first_users(self, part: Dataset, n_users: int) -> Dataset:
        """Return a part's rows of its first users."""
        rows = (part.inter_feat[self.uid_field] <= n_users).numpy()
        return part.copy(part.inter_feat[np.flatnonzero(rows)])


def configuration(memory_mb: int) -> RunConfig:
    """Make the options of the model."""
    options = {"metrics": ["Recall", "NDCG", "Precision"], "topk": [10, 20]}
    chosen = {**options, "embedding_size": 64, "eval_memory_mb": memory_mb, "use_gpu": False}
    config = build_config("BPR", "ml-100k", overrides=chosen)
    config["run_dir"] = None
    config["checkpoint_dir"] = "saved"
    return config


def timed(work: Any, repeats: int = 1) -> tuple[float, Any]:
    """Return the fewest wall seconds of some repeats, and the result."""
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds), result


class Bench:
    """One model on one test set.

    Args:
        n_users: users, each tested.
        n_items: catalogue.
        memory_mb: `eval_memory_mb`.
        repeats: evaluations of which the fastest counts.
    """

    def __init__(self, n_users: int, n_items: int, memory_mb: int, repeats: int = 1) -> None:
        self.repeats = repeats
        self.config = configuration(memory_mb)
        self.whole = SyntheticDataset(self.config)
        self.whole.resize(n_users, n_items)
        drawn = [self.whole.draw(rows, seed) for seed, rows in enumerate(ROWS.values())]
        self.train, self.valid, self.test = drawn
        torch.manual_seed(0)
        self.model = BPR(self.config, self.train)

    def recbole(self, batch: int, test: Dataset) -> tuple[float, float, dict[str, float]]:
        """Measure RecBole: seconds of its loader and of its evaluation, and the metrics."""
        self.config["eval_batch_size"] = batch

        def make() -> Any:
            parts = [self.train, self.valid, test]
            sampler = create_samplers(self.config, self.whole, parts)[2]
            return FullSortEvalDataLoader(self.config, test, sampler)

        loading, loader = timed(make)
        trainer = Trainer(self.config, self.model)
        seconds, metrics = timed(
            lambda: trainer.evaluate(loader, load_best_model=False), self.repeats
        )
        return loading, seconds, dict(metrics)

    def ours(self, test: Dataset, keep: bool) -> tuple[float, float, dict[str, float]]:
        """Measure ours the same way; `keep` as for the tests of a run."""
        set_eval_batch(self.config, "RecBole", self.whole.item_num)
        loading, loader = timed(lambda: rank_users(self.config, test, [self.train, self.valid]))
        trainer = quicken(Trainer(self.config, self.model))
        if keep:
            seconds, found = timed(lambda: evaluate_recorded(trainer, loader), self.repeats)
            return loading, seconds, found.metrics
        seconds, metrics = timed(
            lambda: trainer.evaluate(loader, load_best_model=False), self.repeats
        )
        return loading, seconds, dict(metrics)


def compare(bench: Bench, batch: int) -> None:
    """Print the table of all four."""
    n_users, n_items = bench.whole.user_num - 1, bench.whole.item_num
    found = {
        f"RecBole, eval_batch_size {DEFAULT_BATCH}": bench.recbole(DEFAULT_BATCH, bench.test),
        f"RecBole, {batch} users a batch": bench.recbole(batch * n_items, bench.test),
        "ours, validation": bench.ours(bench.test, keep=False),
        "ours, tests (rankings kept)": bench.ours(bench.test, keep=True),
    }
    base = next(iter(found.values()))
    rows = [
        [name, load, seconds, n_users / seconds, base[1] / seconds, metrics == base[2]]
        for name, (load, seconds, metrics) in found.items()
    ]
    head = ["", "loader s", "evaluation s", "users/s", "times RecBole's", "same metrics"]
    print(f"{n_users} users, {n_items - 1} items")
    print(tabulate(rows, headers=head, floatfmt=("", ".2f", ".2f", ".0f", ".1f")))


def alone(bench: Bench) -> None:
    """Print speed and memory of ours, then compare the first users' numbers with RecBole's."""
    n_users, n_items = bench.whole.user_num - 1, bench.whole.item_num - 1
    loading, seconds, _ = bench.ours(bench.test, keep=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{n_users} users, {n_items} items, eval_memory_mb {bench.config['eval_memory_mb']}")
    print(f"loader {loading:.2f} s, evaluation {seconds:.1f} s, {n_users / seconds:.0f} users/s")
    print(f"peak memory of the whole process {peak:.2f} GiB")
    few = bench.whole.first_users(bench.test, min(n_users, CHECKED_USERS))
    same = bench.ours(few, keep=True)[2] == bench.recbole(DEFAULT_BATCH, few)[2]
    print(f"same metrics as RecBole on {min(n_users, CHECKED_USERS)} users: {same}")


def main() -> None:
    """Read the sizes and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--batch", type=int, default=256, help="users of RecBole's large batch")
    parser.add_argument("--memory", type=int, default=1024, help="eval_memory_mb")
    parser.add_argument("--repeats", type=int, default=3, help="the fastest counts")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=["compare", "ours"])
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.only == "ours":
        alone(Bench(given.users, given.items, given.memory))
        return
    compare(Bench(given.users, given.items, given.memory, given.repeats), given.batch)
    if given.only is None:
        sizes = [f"--{name}={value}" for name, value in LARGE.items()]
        shared = [f"--threads={given.threads}", f"--memory={given.memory}", "--only=ours"]
        subprocess.run([sys.executable, __file__, *sizes, *shared], check=True)


if __name__ == "__main__":
    main()
