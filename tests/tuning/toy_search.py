"""Searches over a toy data set, for tests."""

from pathlib import Path
from typing import Any

from recbole_invariant.tuning.asked import Asked
from recbole_invariant.tuning.journal import Report
from recbole_invariant.tuning.plan import SearchPlan
from recbole_invariant.tuning.planning import make_plan
from recbole_invariant.tuning.space import Space

SPACE = {"learning_rate": {"loguniform": [1.0e-3, 1.0e-1]}, "embedding_size": [4, 8]}
OPTIONS: dict[str, Any] = {
    "epochs": 6,
    "eval_step": 1,
    "stopping_step": 6,
    "topk": [5, 10],
    "valid_metric": "NDCG@10",
    "ood": "popularity",
    "positive_threshold": 2,
    "train_batch_size": 128,
    "show_progress": False,
    "use_gpu": False,
    "state": "ERROR",
}


class RayTrial:
    """What a scheduler knows of one of Ray's trials."""

    def __init__(self, trial_id: str, number: int) -> None:
        self.trial_id = trial_id
        self.config = {"member": {"number": number}}


def asked(folder: Path, model: str = "BPR", **changes: Any) -> Asked:
    """Ask for a search of few trials; options of the runs go by `config`."""
    space = changes.pop("space", SPACE)
    left_out = {"valid_metric"} if "objectives" in changes else set()
    own = {k: v for k, v in OPTIONS.items() if k not in left_out and k not in space}
    config = {**own, "data_path": str(folder), **changes.pop("config", {})}
    if isinstance(space, dict):
        space = Space.from_yaml(space, "test")
    return Asked(model, "toy", changes.pop("trials", 4), config=config, space=space, **changes)


def plan_of(folder: Path, model: str = "BPR", **changes: Any) -> SearchPlan:
    """Plan such a search."""
    return make_plan(asked(folder, model, **changes))


def told(number: int, values: list[float]) -> list[Report]:
    """Make the reports of a trial with one stage."""
    return [
        Report(number, "train", k, k + 1, {"valid:ndcg@10": value}, float(k + 1))
        for k, value in enumerate(values)
    ]
