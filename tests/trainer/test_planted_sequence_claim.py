"""The claim for sequences where the truth is known: what helps is above every plain epoch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recbole_invariant.config import build_config
from recbole_invariant.data.planted.sequence_files import write_sequences
from recbole_invariant.data.planted.sequence_law import generate_sequences
from recbole_invariant.data.planted.sequence_options import preset
from recbole_invariant.evaluation.frontier import margin_over_front, pareto_front
from recbole_invariant.evaluation.measurement import measure_tests
from recbole_invariant.evaluation.snapshots import measure_snapshots
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from recbole_invariant.training import build, fit

NAME = "planted-sequences"
WORLD = {"users": 800, "items": 60, "groups": 5, "popularity_spread": 0.3}
SEEDS = (0, 1)
QUICK: dict[str, Any] = {
    "embedding_size": 16,
    "hidden_size": 24,
    "dropout_prob": 0.2,
    "learning_rate": 0.01,
    "epochs": 8,
    "stopping_step": 3,
    "metrics": ["NDCG"],
    "topk": [10],
    "use_gpu": False,
    "show_progress": False,
}

LINES: dict[str, tuple[str, dict[str, Any]]] = {
    "shift": ("IDEA", {"variant": "attribute_shift", "pretrain_epochs": 1}),
    "adjusted": ("IDEA", {"variant": "cue_adjusted", "pretrain_epochs": 1}),
    "disentangled": ("Irl4Rec", {"variant": "attribute", "encoder": "GRU4Rec", "loss_type": "CE"}),
    "balanced": ("GRU4Rec", {"balanced_attribute": "attribute"}),
}
"""What is told which attribute misleads."""


def measured(folder: Path, seed: int, model: str, **options: Any) -> tuple[dict[str, Any], Any]:
    """NDCG@10 of a model by test set, and that of every epoch as points (iid, ood_flip)."""
    entry = resolve(model)
    values = {**QUICK, "data_path": str(folder / str(seed)), "seed": seed, **options}
    config = build_config(model, NAME, values)
    config["checkpoint_dir"] = str(folder / "saved")
    data = prepare(config, entry)
    _, trainer = build(config, entry, data)
    fit(config, trainer, data)
    found = {name: m["ndcg@10"] for name, m in measure_tests(trainer, data).metrics.items()}
    path = (
        measure_snapshots(trainer, data, ["iid", "ood_flip"], "valid").values()
        if options.get("frontier")
        else []
    )
    return found, [(p["iid"]["ndcg@10"], p["ood_flip"]["ndcg@10"]) for p in path]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, np.ndarray]]:
    folder = tmp_path_factory.mktemp("claim")
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in SEEDS:
        write_sequences(generate_sequences(preset("S", **WORLD), seed), folder / str(seed) / NAME)
        plain, path = measured(folder, seed, "GRU4Rec", frontier=True)
        front = pareto_front(path)
        rows.setdefault("plain", []).append(plain)
        for name, (model, options) in LINES.items():
            found, _ = measured(folder, seed, model, **options)
            margin = margin_over_front(front, found["iid"], found["ood_flip"])
            rows.setdefault(name, []).append({**found, "margin": float(margin)})
    return {
        name: {key: np.array([one[key] for one in found]) for key in found[0]}
        for name, found in rows.items()
    }


@pytest.mark.parametrize("name", list(LINES))
def test_what_changes_the_odds_of_the_cue_is_above_every_plain_epoch(
    results: dict[str, dict[str, np.ndarray]], name: str
) -> None:
    assert (results[name]["margin"] > 0.01).all()
    assert (results[name]["ood_flip"] > results["plain"]["ood_flip"] + 0.03).all()
    # in distribution the cue is worth something, which is what not using it costs
    assert (results[name]["iid"] > results["plain"]["ood_remove"]).all()
