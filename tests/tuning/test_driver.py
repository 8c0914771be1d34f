import json
from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.tuning.driver import Driver, Handed
from recbole_invariant.tuning.plan import write_plan
from recbole_invariant.tuning.storage import Storage
from recbole_invariant.tuning.trial import FAILURE_FILE
from recbole_invariant.tuning.trial_folder import folder_name
from tests.host import write_toy
from tests.tuning.toy_search import plan_of, told


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("driver")
    write_toy(path, ratings=True)
    return path


def storage_of(folder: Path, plan) -> Storage:
    storage = Storage.open(folder)
    write_plan(storage, plan)
    return storage


def hand_out(driver: Driver) -> Handed:
    handed = driver.next_trial()
    assert handed is not None
    return handed


def finish(storage: Storage, number: int) -> None:
    storage.write(f"{folder_name(number)}/run.json", "{}")


def test_trial_0_has_the_defaults_and_the_others_proposals(data, tmp_path):
    plan = plan_of(data, trials=3)
    driver = Driver(plan, storage_of(tmp_path, plan), print)
    handed = [hand_out(driver) for _ in range(3)]
    assert driver.next_trial() is None
    assert handed[0].options == {}
    assert [one.number for one in handed] == [0, 1, 2]
    assert set(handed[1].options) == {"learning_rate", "embedding_size"}
    assert handed[1].options != handed[2].options


@pytest.mark.parametrize("searcher", ["random", "optuna", "hyperopt"])
def test_a_driver_after_a_kill_proposes_what_the_first_would_have(data, tmp_path, searcher):
    """The same events give the same proposals, whether one driver saw them or two."""
    plan = plan_of(data, trials=20, searcher=searcher)
    values = [0.1, 0.5, 0.2, 0.6, 0.3, 0.7, 0.25, 0.65, 0.1, 0.8, 0.4, 0.9, 0.35]

    def run(folder: Path, kill_at: int | None) -> list[dict[str, Any]]:
        storage = storage_of(folder, plan)
        driver = Driver(plan, storage, lambda _: None)
        for number, value in enumerate(values):
            if number == kill_at:
                driver = Driver(plan, storage, lambda _: None)
            handed = hand_out(driver)
            assert handed.number == number
            for report in told(number, [value / 2, value]):
                driver.take_report(report)
            finish(storage, number)
            driver.end_trial(number)
        return [trial.options for _, trial in sorted(driver.journal.trials.items())]

    assert run(tmp_path / "whole", None) == run(tmp_path / "killed", 12)


def test_what_had_not_ended_is_handed_out_first_and_under_its_number(data, tmp_path):
    plan = plan_of(data, trials=4)
    storage = storage_of(tmp_path, plan)
    first = Driver(plan, storage, print)
    before = [hand_out(first) for _ in range(3)]
    for report in told(1, [0.1, 0.2]):
        first.take_report(report)
    finish(storage, 0)
    first.end_trial(0)
    again = Driver(plan, storage, print)
    assert again.n_left == 3
    after = [hand_out(again) for _ in range(3)]
    assert [one.number for one in after] == [1, 2, 3]
    assert again.next_trial() is None
    assert [one.options for one in after[:2]] == [one.options for one in before[1:]]
    assert after[0].spent == 2.0


def test_how_a_trial_ended_is_read_from_its_folder(data, tmp_path):
    plan = plan_of(data, trials=4)
    said: list[str] = []
    storage = storage_of(tmp_path, plan)
    driver = Driver(plan, storage, said.append)
    for _ in range(4):
        driver.next_trial()
    finish(storage, 0)
    failure = {"traceback": "Traceback ...\nTrainingError: loss is nan"}
    storage.write(f"{folder_name(1)}/{FAILURE_FILE}", json.dumps(failure))
    for report in told(2, [0.1]):
        driver.take_report(report)
    driver.end_trial(0)
    driver.end_trial(1)
    driver.end_trial(2)
    driver.crashes[3] = "OSError: no space left"
    driver.end_trial(3, crashed=True)
    trials = driver.journal.trials
    assert [trials[n].status for n in range(4)] == ["done", "failed", "stopped", "failed"]
    assert trials[1].problem == failure["traceback"]
    assert trials[3].problem == "OSError: no space left"
    assert "TrainingError: loss is nan" in said[1]
    assert said[2].startswith("[3/4] trial 2 stopped early after 1 validations; valid:ndcg@10 0.1")


def test_the_objective_so_far_leaves_earlier_stages_out(data, tmp_path):
    plan = plan_of(data, trials=2)
    driver = Driver(plan, storage_of(tmp_path, plan), print)
    driver.next_trial()
    assert driver.objective_so_far(0) is None
    for report in told(0, [0.3, 0.1, 0.4]):
        driver.take_report(report)
    assert [driver.objective_so_far(0, n) for n in (1, 2, 3)] == [0.3, 0.3, 0.4]


def test_a_member_whose_copy_was_not_made_is_handed_out_with_its_source(data, tmp_path):
    """The driver may be killed between the exchange and the worker's copy of the other's state."""
    plan = plan_of(data, trials=3, scheduler="pbt")
    storage = storage_of(tmp_path, plan)
    driver = Driver(plan, storage, print)
    handed = [hand_out(driver) for _ in range(3)]
    assert handed[0].options.keys() == {"learning_rate", "embedding_size"}
    driver.journal.change(1, {"learning_rate": 0.5}, source=2)
    driver = Driver(plan, storage, print)
    assert [hand_out(driver).source for _ in range(3)] == [None, 2, None]
    for report in told(1, [0.3]):
        driver.take_report(report)
    driver = Driver(plan, storage, print)
    assert [hand_out(driver).source for _ in range(3)] == [None, None, None]
