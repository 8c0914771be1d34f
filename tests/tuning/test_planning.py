"""A search resolved: where its data lies, what it keeps of what was asked, all mistakes at once."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from recbole_invariant.errors import InputError
from recbole_invariant.tuning.asked import DEFAULT_TRIALS, Asked
from recbole_invariant.tuning.plan import SearchPlan, checked
from recbole_invariant.tuning.planning import grid_note, make_plan
from tests.host import write_toy
from tests.tuning.toy_search import asked, plan_of


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_toy(tmp_path, ratings=True)
    return tmp_path


def test_a_worker_finds_data_that_was_named_from_here(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "here").mkdir()
    monkeypatch.chdir(data / "here")
    plan = plan_of(Path(".."))
    assert plan.options["data_path"] == ".."
    assert plan.data_path is not None
    assert Path(plan.data_path).is_absolute()
    assert Path(plan.data_path).samefile(data)
    for options in (plan.run_options(), plan.trial_options({"learning_rate": 0.1})):
        assert options["data_path"] == plan.data_path


def test_data_that_recbole_ships_lies_where_a_workers_own_recbole_does() -> None:
    plan = make_plan(Asked("BPR", "ml-100k", 3))
    assert plan.data_path is None
    assert "data_path" not in plan.run_options()


def test_what_the_user_fixes_is_not_searched(data: Path) -> None:
    plan = plan_of(data, config={"embedding_size": 16})
    assert plan.space.names == ("learning_rate",)
    assert plan.fixed_by_user == ["embedding_size"]
    assert plan.fixed["embedding_size"] == 16
    assert set(plan.defaults) == {"learning_rate"}
    assert "learning_rate" not in plan.fixed


def test_a_grid_ends_by_itself(data: Path) -> None:
    space = {"embedding_size": [4, 8]}
    assert plan_of(data, space=space, searcher="grid", trials=9).trials == 3
    assert plan_of(data, space=space, searcher="grid", trials=2).trials == 2
    assert plan_of(data, space=space, trials=9).trials == 9


def test_a_grid_is_tried_whole_unless_the_user_says_how_many(data: Path) -> None:
    space = {"embedding_size": [4, 8], "learning_rate": [0.01, 0.1]}
    whole = plan_of(data, space=space, searcher="grid", trials=None)
    assert whole.trials == 5
    assert grid_note(whole) is None
    assert plan_of(data, space=space, trials=None).trials == DEFAULT_TRIALS
    part = plan_of(data, space=space, searcher="grid", trials=3)
    said = "the grid has 4 combinations; 3 trials (the defaults among them) try 2 of them"
    assert said in str(grid_note(part))
    assert "--trials 5" in str(grid_note(part))
    assert grid_note(plan_of(data, space=space, searcher="grid", trials=5)) is None
    assert grid_note(plan_of(data, space=space, trials=3)) is None


def test_a_mapping_is_a_space_and_nothing_else_is(data: Path) -> None:
    mapping = {"learning_rate": [0.01, 0.02]}
    plan = make_plan(replace(asked(data), space=mapping))
    assert plan.space.as_yaml() == {"learning_rate": {"choice": [0.01, 0.02]}}
    for wrong in (5, ["learning_rate"]):
        given = replace(asked(data), space=cast(Any, wrong))
        with pytest.raises(InputError, match="space: expected a file, a Space or a mapping"):
            make_plan(given)


def test_a_text_is_one_objective_and_commas_part_several(data: Path) -> None:
    one = plan_of(data, objectives="valid:ndcg@10")
    assert [objective.name for objective in one.objectives] == ["valid:ndcg@10"]
    two = plan_of(data, objectives="ndcg@10, ood_valid:recall@5")
    assert [objective.name for objective in two.objectives] == [
        "valid:ndcg@10",
        "ood_valid:recall@5",
    ]
    with pytest.raises(InputError, match="objectives: expected texts"):
        plan_of(data, objectives=5)


def test_data_that_is_not_there_is_said_before_anything_runs(data: Path) -> None:
    with pytest.raises(InputError, match="dataset 'toy': looked for"):
        plan_of(data / "nowhere")
    shipped = Asked("BPR", "ml-100k", 3, config={"data_path": str(data / "nowhere")})
    with pytest.raises(InputError, match="data_path: there is no folder"):
        make_plan(shipped)


def test_a_plan_is_read_back_as_it_was_written(data: Path) -> None:
    plan = plan_of(data, objectives=["valid:ndcg@10", "ood_valid:recall@5"])
    assert plan.scheduler == "none"
    content = json.loads(json.dumps(plan.record()))
    assert SearchPlan.from_record(content, "tune.json") == plan


def test_all_mistakes_are_told_at_once(data: Path) -> None:
    wrong = asked(data, searcher="gird", trials=0, cpus_per_trial=0, config={"baselines": ["Pop"]},
                  space={"learning_rat": [1, 2]})  # fmt: skip
    with pytest.raises(InputError) as caught:
        make_plan(wrong)
    said = [problem.split(":")[0] for problem in caught.value.problems]
    assert said[:4] == ["searcher", "trials", "cpus_per_trial", "baselines"]
    assert "learning_rat" in caught.value.problems[4]


def test_a_plan_that_was_changed_is_checked_again(data: Path) -> None:
    plan = plan_of(data)
    assert checked(plan) is plan
    with pytest.raises(InputError, match="trials: expected an integer >= 1"):
        checked(replace(plan, trials=0))
