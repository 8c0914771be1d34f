"""Folders of runs as training writes them, with figures drawn from a known order of the models."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

METRICS = ("recall@10", "ndcg@10")
MODALITIES = {"visual": 16, "text": 12}
FULL = {"mode": {"valid": "full", "test": "full"}}
SHORT, LONG = 10, 100


@dataclass(frozen=True)
class Made:
    """A model to make up.

    Attributes:
        label: its line in the table.
        iid: its mean ndcg@10 on `iid`, over users.
        ood: on the shifted tests.
        masked: whether it has a mask.
        options: options that its label names.
    """

    label: str
    iid: float
    ood: float
    masked: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> str:
        return self.label.partition("[")[0]


CLEAR = (
    Made("Pop", 0.11, 0.03),
    Made("BPR", 0.20, 0.09),
    Made("UltraGCN", 0.21, 0.092),
    Made("InvRL", 0.21, 0.101, masked=True),
    Made("PaInvRL", 0.212, 0.118, masked=True, options={"n_environments": 3}),
)
"""PaInvRL leads out of distribution by far more than the noise."""

EQUAL = tuple(Made(made.label, 0.2, 0.1, made.masked, made.options) for made in CLEAR)
"""All models alike but for noise."""

SWEEP = tuple(
    Made(f"PaInvRL[n_environments={n}]", 0.21, ood, masked=True, options={"n_environments": n})
    for n, ood in ((2, 0.105), (6, 0.116), (10, 0.109))
)
ORACLE = Made(
    "PaInvRL[mask_source=oracle]", 0.2, 0.16, masked=True, options={"mask_source": "oracle"}
)


def write_runs(
    folder: Path,
    models: Sequence[Made] = CLEAR,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    shifts: Sequence[str] = ("ood_popularity",),
    dataset: str = "toy-movies",
    protocol: str = "popularity",
    n_users: int = 60,
) -> Path:
    """Write a run folder of every model and seed; returns the folder."""
    for position, made in enumerate(models):
        for seed in seeds:
            run = folder / f"{position}-seed{seed}"
            _write_run(run, made, position, seed, shifts, dataset, protocol, n_users)
    return folder


def _write_run(
    run: Path,
    made: Made,
    position: int,
    seed: int,
    shifts: Sequence[str],
    dataset: str,
    protocol: str,
    n_users: int,
) -> None:
    run.mkdir(parents=True)
    rng = np.random.default_rng([seed, position])
    users = np.random.default_rng(seed).normal(0, 0.03, n_users)
    tables, metrics = [], {"valid": dict.fromkeys(METRICS, made.iid * 0.95)}
    for test in ("iid", *shifts):
        level = made.iid if test == "iid" else made.ood
        values = np.clip(level + users + rng.normal(0, 0.01, n_users), 0, 1)
        columns = {"recall@10": values * 1.3, "ndcg@10": values}
        ids = [f"u{k}" for k in range(n_users)]
        tables.append(pd.DataFrame({"split": test, "user_id": ids, **columns}))
        metrics[test] = {name: float(column.mean()) for name, column in columns.items()}
    pd.concat(tables).to_parquet(run / "per_user.parquet", index=False)
    record = _record(made, seed, dataset, protocol, metrics, rng)
    (run / "run.json").write_text(json.dumps(record))
    (run / "compare.json").write_text(json.dumps({"label": made.label, "position": position}))
    (run / "history.jsonl").write_text(_history(made, rng))


def _record(
    made: Made,
    seed: int,
    dataset: str,
    protocol: str,
    metrics: dict[str, dict[str, float]],
    rng: np.random.Generator,
) -> dict[str, Any]:
    tests = [name for name in metrics if name != "valid"]
    host = made.model in ("Pop", "BPR")
    options = {
        "eval_args": {"value": FULL, "layer": "RecBole overall.yaml"},
        "learning_rate": {"value": 0.001, "layer": "RecBole overall.yaml"},
        "embedding_size": {"value": 64, "layer": f"dataset_configs/toy.yaml models.{made.model}"},
        **{key: {"value": value, "layer": "command line"} for key, value in made.options.items()},
    }
    diagnostics = {}
    if made.masked:
        diagnostics = {
            "invariant_mask": rng.beta(0.6, 0.5, sum(MODALITIES.values())).tolist(),
            "mask_quality": {"invariant": 0.8, "spurious": 0.3, "noise": 0.4},
            "environment_agreement": {"ari": 0.02, "n_environments_true": 3},
        }
    return {
        "model": made.model,
        "model_class": f"recbole.model.{made.model}" if host else f"recbole_invariant.{made.model}",
        "dataset": dataset,
        "seed": seed,
        "finished": "2026-01-01T00:00:00+00:00",
        "protocol": protocol,
        "split": {"gamma": [1.0], "n_max": 12.0, "dropped": {"iid": 3, "ood_popularity": 15}},
        "selection": {
            "metric": "ndcg@10",
            "best_epoch": 7,
            "rule": "highest valid:ndcg@10, validation rows only, tests opened afterwards",
            "name": "valid",
        },
        "stages": [{"name": name, "epochs": n, "seconds": 3.5} for name, n in _stages(made)],
        "training_seconds": 12.0 + rng.uniform(),
        "evaluation_seconds": dict.fromkeys(tests, 0.4),
        "diagnostics": diagnostics,
        "metrics": metrics,
        "slices": {test: _slices(metrics[test]) for test in tests},
        "curves": {test: {"recall": _curve(metrics[test]["recall@10"])} for test in tests},
        "options": options,
        "n_users": dict.fromkeys(["train", "valid", *tests], 60),
        "n_items": dict.fromkeys(["train", "valid", *tests], 120),
        "n_interactions": {"train": 35286, "valid": 4308, **dict.fromkeys(tests, 4352)},
        "modalities": {
            name: {"dim": dim, "coverage": 0.98, "checksum": "0" * 64}
            for name, dim in MODALITIES.items()
        },
        "data": {f"{dataset}.inter": "ab" * 32, f"{dataset}.item": "cd" * 32},
        "versions": {"recbole_invariant": "0.1.0", "python": "3.11.7", "recbole": "1.2.1"},
    }


def _stages(made: Made) -> list[tuple[str, int]]:
    if not made.masked:
        return [("train", 20)]
    return [("pretrain", 12), ("identify 1", 3), ("mask 1", 4), ("final", 18)]


def _slices(measured: dict[str, float]) -> dict[str, Any]:
    shares = {
        "items": {"head": (1.3, 58), "mid": (0.7, 51), "tail": (0.2, 40)},
        "warmth": {"warm": (1.0, 60), "cold": (0.05, 4)},
        "users": {"active": (1.1, 30), "inactive": (0.9, 30)},
    }
    found: dict[str, Any] = {
        group: {
            name: {
                "n_users": n,
                "n_positives": 2 * n,
                "metrics": {metric: share * value for metric, value in measured.items()},
            }
            for name, (share, n) in slices.items()
        }
        for group, slices in shares.items()
    }
    worst = {"group": "items", "slice": "tail", "metric": "recall@10", "n_users": 40}
    found["worst"] = {**worst, "value": 0.2 * measured["recall@10"], "min_users": 20}
    return found


def _curve(at_ten: float) -> list[float]:
    """Give recall at 1 to 100, as it is at 10."""
    rate = -np.log1p(-at_ten) / SHORT**0.6
    return [float(1 - np.exp(-rate * k**0.6)) for k in range(1, LONG + 1)]


def _history(made: Made, rng: np.random.Generator) -> str:
    lines = []
    for name, epochs in _stages(made):
        for epoch in range(epochs):
            line: dict[str, Any] = {"stage": name, "epoch": epoch, "seconds": 0.1}
            line["losses"] = {"loss": float(300 * np.exp(-epoch / 6) + rng.uniform(0, 5))}
            if name in ("train", "final"):
                reached = made.iid * (1 - np.exp(-(epoch + 1) / 5))
                line["valid"] = {"ndcg@10": float(reached + rng.normal(0, 0.002))}
            lines.append(json.dumps(line))
    return "\n".join(lines) + "\n"
