"""RecBole configs, datasets and trainers for tests that need the host."""

import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from recbole.config import Config
from recbole.data.utils import create_dataset

from recbole_invariant.data.splits.apply import cut
from recbole_invariant.data.splits.parts import Parts

OPTIONS: dict[str, Any] = {
    "ood": "popularity",
    "popularity_gamma": [1.0],
    "popularity_n_max": 12,
    "pool_ratio": [0.8, 0.1, 0.1],
    "random_ood_share": 0.2,
    "positive_threshold": 4,
    "eval_users_per_batch": 64,
    "metric_decimal_place": 10,
    "topk": [5, 10],
    "metrics": ["Recall", "MRR", "NDCG", "Hit", "Precision", "MAP"],
    "epochs": 1,
    "use_gpu": False,
    "show_progress": False,
    "selection": "valid",
    "cold_kind": "items",
    "curve_k": 100,
    "column_field": None,
    "state": "ERROR",
}


def host_config(model: str, folder: Path, **options: Any) -> Config:
    """Make a RecBole config over `<folder>/toy` that keeps RecBole's files in `folder`."""
    values = {
        **OPTIONS,
        "data_path": str(folder),
        "checkpoint_dir": str(folder / "saved"),
        **options,
    }
    with patch.object(sys, "argv", ["test"]):
        return Config(model=model, dataset=values.pop("dataset", "toy"), config_dict=values)


def write_toy(
    folder: Path, n_users: int = 40, n_items: int = 30, ratings: bool = False, seed: int = 0
) -> None:
    """Write `<folder>/toy/toy.inter`: long-tailed items, 8 to 20 a user, ratings 1 to 5."""
    rng = np.random.default_rng(seed)
    weight = 1.0 / np.arange(1, n_items + 1)
    weight /= weight.sum()
    lines = ["user_id:token\titem_id:token" + ("\trating:float" if ratings else "")]
    for user in range(n_users):
        for item in rng.choice(n_items, size=rng.integers(8, 21), replace=False, p=weight):
            rating = f"\t{rng.integers(1, 6)}" if ratings else ""
            lines.append(f"u{user}\ti{item}{rating}")
    (folder / "toy").mkdir(exist_ok=True)
    (folder / "toy" / "toy.inter").write_text("\n".join(lines) + "\n")


def cut_toy(config: Config, protocol: str | None = "popularity") -> tuple[Any, Parts]:
    """Load the config's dataset and cut it."""
    dataset = create_dataset(config)
    return dataset, cut(dataset, config, protocol)


def pairs(dataset: Any) -> set[tuple[int, int]]:
    """User-item pairs of a built dataset."""
    table = dataset.inter_feat
    users, items = table[dataset.uid_field], table[dataset.iid_field]
    return set(zip(users.tolist(), items.tolist(), strict=True))


def stop_after(trainer: Any, checkpoints: int) -> None:
    """Let a training be interrupted after so many checkpoints."""
    original, counted = trainer._checkpoint, []

    def checkpoint(*arguments: Any) -> None:
        original(*arguments)
        counted.append(1)
        if len(counted) == checkpoints:
            raise KeyboardInterrupt

    trainer._checkpoint = checkpoint
