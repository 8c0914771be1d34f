"""Searches made up for tests: what tune.json says, and trials with a known order."""

from typing import Any

from recbole_invariant.tuning.journal import Report, Status, Trial

SPACE = {
    "learning_rate": {"loguniform": [1.0e-4, 1.0e-2]},
    "n_layers": {"int": [1, 4]},
    "independence": {"choice": ["none", "xcov", "hsic"]},
    "independence_weight": {"loguniform": [0.1, 10], "when": {"independence": ["xcov", "hsic"]}},
}
NDCG = {"split": "valid", "metric": "ndcg@10", "bigger": True}
SHIFTED = {"split": "ood_valid", "metric": "ndcg@10", "bigger": True}


def search(objectives: Any = (NDCG,), **changed: Any) -> dict[str, Any]:
    """Give the content of a tune.json."""
    return {
        "model": "LightGCN",
        "dataset": "toy",
        "protocol": "popularity",
        "trials": 20,
        "searcher": "random",
        "scheduler": "asha",
        "objectives": list(objectives),
        "space": SPACE,
        "options": {"epochs": 30},
        "defaults": {"learning_rate": 0.001, "n_layers": 2, "independence": "none"},
        "seed": 2026,
        "search_seed": 0,
        "cpus_per_trial": 1,
        "gpus_per_trial": 0,
        "max_concurrent": 2,
        "refit": False,
        **changed,
    }


def trial(
    number: int,
    curve: Any,
    status: Status = "done",
    options: dict[str, Any] | None = None,
    shifted: Any = (),
    problem: str | None = None,
) -> Trial:
    """Make a trial that validated so in its final stage, after one validation before it."""
    values: list[dict[str, float]] = [{"valid:ndcg@10": value} for value in curve]
    for own, value in zip(values, shifted, strict=False):
        own["ood_valid:ndcg@10"] = value
    reports = [Report(number, "pretrain", 0, 0, {"valid:ndcg@10": 0.99}, 0.5)]
    reports += [
        Report(number, "final", 2 * k - 1, k, own, float(k)) for k, own in enumerate(values, 1)
    ]
    chosen = options or {"learning_rate": 0.001 * (number + 1), "n_layers": 1 + number % 4}
    return Trial(number, chosen, status, reports if values else [], 3.0 + number, problem)
