"""Shipped schedules are option files that resolve, and name the epochs of every stage."""

from pathlib import Path

import pytest

from recbole_invariant.config import build_config
from recbole_invariant.configuration.folders import properties_folder

SCHEDULES = sorted(Path(str(properties_folder())).glob("schedule/*.yaml"))


@pytest.mark.parametrize("path", SCHEDULES, ids=lambda path: path.stem)
def test_a_schedule_overrides_the_short_one_of_ml_100k(path: Path) -> None:
    config = build_config("PaInvRL", "ml-100k", config_files=[str(path)])
    for key in ("pretrain_epochs", "epochs", "him_epochs", "mask_epochs", "outer_iterations"):
        assert config.layers[key] == f"config file {path}"


def test_the_papers_schedule_is_the_papers() -> None:
    path = next(path for path in SCHEDULES if path.stem == "paper")
    config = build_config("PaInvRL", "ml-100k", config_files=[str(path)])
    stages = (config["him_epochs"], config["mask_epochs"], config["epochs"])
    assert (stages, config["n_environments"]) == ((20, 40, 500), 10)
