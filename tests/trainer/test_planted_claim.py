"""The claim that all of this rests on, where the truth is known: stable features hold."""

from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.config import build_config
from recbole_invariant.data.planted.files import write
from recbole_invariant.data.planted.law import generate
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.evaluation.measurement import measure_tests
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from recbole_invariant.training import build, fit

WORLD = PlantedOptions(users=400, items=300, modalities=("visual",))
SEEDS = (0, 1, 2)
# Ids decay so strongly that the features carry the ranking; 12 epochs are enough here.
QUICK: dict[str, Any] = {
    "modalities": {"visual": {"source": "npy"}},
    "learning_rate": 0.01,
    "n_negatives": 5,
    "embedding_decay": 0.05,
    "item_decay_ratio": 5.0,
    "projection_decay": 0.01,
    "embedding_size": 8,
    "content_embedding_size": 8,
    "neighbour_weight": 0.0,
    "train_batch_size": 256,
    "epochs": 12,
    "eval_step": 2,
    "use_gpu": False,
    "show_progress": False,
}


def ndcg(folder: Path, seed: int, model: str, **options: Any) -> dict[str, float]:
    """NDCG@10 of a model on each test set."""
    entry = resolve(model)
    values = {**QUICK, "data_path": str(folder), "seed": seed, **options}
    config = build_config(model, "planted", values)
    data = prepare(config, entry)
    _, trainer = build(config, entry, data)
    fit(config, trainer, data)
    measured = measure_tests(trainer, data).metrics
    return {name: metrics["ndcg@10"] for name, metrics in measured.items()}


@pytest.fixture(scope="module")
def measured(
    tmp_path_factory: pytest.TempPathFactory,
) -> list[tuple[dict[str, float], dict[str, float]]]:
    """UltraGCNF and the same model on the true mask, in three worlds."""
    pairs = []
    for seed in SEEDS:
        folder = tmp_path_factory.mktemp("claim")
        write(generate(WORLD, seed), folder / "planted")
        plain = ndcg(folder, seed, "UltraGCNF")
        pairs.append((plain, ndcg(folder, seed, "PaInvRL", mask_source="oracle")))
    return pairs


@pytest.mark.parametrize("test", ["ood_flip", "ood_remove"])
def test_stable_features_win_where_style_turns_or_goes(
    measured: list[tuple[dict[str, float], dict[str, float]]], test: str
) -> None:
    gains = [oracle[test] - plain[test] for plain, oracle in measured]
    assert min(gains) > 0.005
    assert sum(gains) / len(gains) > 0.015


def test_style_is_worth_something_only_where_it_acts_as_in_training(
    measured: list[tuple[dict[str, float], dict[str, float]]],
) -> None:
    for plain, oracle in measured:
        assert plain["iid"] > 1.5 * max(plain["ood_remove"], plain["ood_flip"])
        assert plain["iid"] - plain["ood_flip"] > oracle["iid"] - oracle["ood_flip"]
