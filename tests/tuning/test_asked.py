"""What is wrong with a search's own arguments, before anything is resolved."""

from dataclasses import replace
from typing import Any

import pytest

from recbole_invariant.tuning.asked import (
    REFITS,
    SCHEDULERS,
    Asked,
    argument_problems,
    taken_problems,
)
from recbole_invariant.tuning.proposals import SEARCHERS

RIGHT = Asked("BPR", "toy", 3)


def test_every_known_word_is_fine() -> None:
    assert argument_problems(RIGHT) == []
    words = {"searcher": SEARCHERS, "scheduler": SCHEDULERS, "refit": REFITS}
    given: list[dict[str, Any]] = [{key: word} for key in words for word in words[key]]
    assert [argument_problems(replace(RIGHT, **one)) for one in given] == [[]] * 11


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("searcher", "gird", "searcher: expected one of random | grid | optuna | hyperopt"),
        ("scheduler", "ahsa", "Did you mean 'asha'"),
        ("refit", "train+vaild", "Did you mean 'train+valid'"),
        ("trials", 0, "trials: expected an integer >= 1, not 0"),
        ("trials", True, "trials: expected an integer"),
        ("grace_period", 1.5, "grace_period: expected an integer >= 1, not 1.5"),
        ("max_concurrent", 0, "max_concurrent: expected"),
        ("search_seed", -1, "search_seed: expected an integer >= 0"),
        ("reduction_factor", 1, "reduction_factor: expected a number > 1, not 1"),
        ("reduction_factor", "3", "reduction_factor: expected a number > 1, not '3'"),
        ("reduction_factor", float("nan"), "reduction_factor: expected"),
        ("cpus_per_trial", 0, "cpus_per_trial: 0 must be a number more than 0"),
        ("cpus_per_trial", "two", "cpus_per_trial: 'two' must be"),
        ("gpus_per_trial", 1.5, "gpus_per_trial: 1.5 must be 0, a part of one GPU"),
    ],
)
def test_each_mistake_is_one_problem(key: str, value: Any, said: str) -> None:
    (problem,) = argument_problems(replace(RIGHT, **{key: value}))
    assert said in problem


def test_what_the_search_decides_may_stand_in_a_file_only() -> None:
    given = replace(RIGHT, config={"baselines": ["Pop"]}, command_line={"refit_epochs": "{}"})
    baselines, epochs = taken_problems(given)
    assert baselines.startswith("baselines: a search is of one model")
    assert epochs == "refit_epochs: the search finds it out itself: --refit train+valid."
    assert taken_problems(replace(RIGHT, config_files=["single.yaml"])) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"use_gpu": "true"}, ["use_gpu"]),
        ({"use_gpu": "true", "gpu_id": "1"}, ["use_gpu", "gpu_id"]),
        ({"gpu_id": "0"}, ["gpu_id"]),
        ({"gpu_id": ""}, []),
        ({"use_gpu": "false"}, []),
        ({"use_gpu": "false", "gpu_id": "0"}, []),
    ],
)
def test_a_gpu_is_asked_for_by_trial(given: dict[str, str], said: list[str]) -> None:
    problems = taken_problems(replace(RIGHT, command_line=given))
    assert [problem.partition(":")[0] for problem in problems] == said
    assert all("use --gpus_per_trial" in problem for problem in problems)
    assert taken_problems(replace(RIGHT, command_line=given, gpus_per_trial=1)) == []


def test_a_gpu_is_asked_for_from_python_too() -> None:
    (problem,) = taken_problems(replace(RIGHT, config={"use_gpu": True}))
    assert problem.startswith("use_gpu: ")
    assert taken_problems(replace(RIGHT, config={"use_gpu": False})) == []
