"""What the user says about data and measuring holds for the baselines too."""

from recbole_invariant.companions import SHARED_OPTIONS, baseline_configs
from recbole_invariant.config import build_config


def test_baselines_of_a_sequential_model_are_asked_the_same():
    given = {"rank_seen": True, "test_history": "train_and_valid", "target_field": "is_target"}
    config = build_config("IDEA", "ml-100k", {**given, "baselines": ["GRU4Rec"], "epochs": 3})

    baseline, _ = baseline_configs(config, "ml-100k")["GRU4Rec"]

    assert given.keys() <= SHARED_OPTIONS
    assert {key: baseline[key] for key in given} == given
    assert baseline["epochs"] != 3
