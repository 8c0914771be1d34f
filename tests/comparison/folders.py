"""Run folders as a run would leave them, made without training."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HOST = "recbole.model.general_recommender"
OURS = "recbole_invariant.model.general_recommender"
FULL = {"value": {"mode": {"valid": "full", "test": "full"}}, "layer": "RecBole overall.yaml"}
CLASSES = {"UltraGCN": OURS, "PaInvRL": OURS}


def user_values(model: str, seed: int, shift: float, n_users: int = 40) -> np.ndarray:
    """Draw a model's per-user values; users are as hard for every model of a seed."""
    hard = np.random.default_rng([seed, 0]).random(n_users) * 0.4
    noise = np.random.default_rng([seed, len(model)]).normal(0, 0.01, n_users)
    return np.asarray(hard + shift + noise)


def write_run(
    folder: Path,
    model: str,
    seed: int,
    better: float = 0.0,
    tests: tuple[str, ...] = ("iid", "ood_popularity"),
    label: str | None = None,
    tuned: bool = False,
    **record: Any,
) -> Path:
    """Write `run.json` and `per_user.parquet` of one run.

    Args:
        folder: the run folder.
        model: name of the model.
        seed: the seed.
        better: by how much it is better than nothing; every later test is 0.05 worse.
        tests: names of the test sets.
        label: its line of a comparison.
        tuned: whether the dataset has options for it.
        record: other entries of the record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables, metrics = [], {"valid": {"recall@10": 0.2 + better, "ndcg@10": 0.1 + better}}
    for number, test in enumerate(tests):
        values = user_values(model, seed, better - 0.05 * number)
        users = [f"u{i}" for i in range(len(values))]
        columns = {"split": test, "user_id": users, "recall@10": values, "ndcg@10": values / 2}
        tables.append(pd.DataFrame(columns))
        metrics[test] = {"recall@10": float(values.mean()), "ndcg@10": float(values.mean() / 2)}
    pd.concat(tables).to_parquet(folder / "per_user.parquet", index=False)
    items = pd.DataFrame({"kind": ["user"] * 40 + ["item"] * 110})
    items.to_parquet(folder / "ids.parquet", index=False)
    layer = f"dataset_configs/toy.yaml models.{model}" if tuned else "RecBole overall.yaml"
    rule = "highest valid:ndcg@10, validation rows only"
    content = {
        "model": model,
        "model_class": f"{CLASSES.get(model, HOST)}.{model.lower()}.{model}",
        "dataset": "toy",
        "protocol": "popularity",
        "seed": seed,
        "finished": "2026-01-01T00:00:00+00:00",
        "selection": {"metric": "ndcg@10", "rule": rule, "name": "valid", "best_epoch": 3},
        "stages": [{"name": "train", "epochs": 3, "seconds": 2.0}],
        "metrics": metrics,
        "split": {},
        "n_interactions": {"train": 400, **dict.fromkeys(tests, 40)},
        "n_users": {"train": 40},
        "options": {"learning_rate": {"value": 0.1, "layer": layer}, "eval_args": FULL},
        "baselines": {},
        "control": None,
        "shift": None,
    }
    (folder / "run.json").write_text(json.dumps({**content, **record}))
    if label is not None:
        (folder / "compare.json").write_text(json.dumps({"label": label, "position": 0}))
    return folder
