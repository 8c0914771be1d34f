import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.tuning.driver import Driver
from recbole_invariant.tuning.plan import write_plan
from recbole_invariant.tuning.ray_trial import REPORT_KEY
from recbole_invariant.tuning.storage import Storage
from tests.host import write_toy
from tests.tuning.toy_search import plan_of, told

pytest.importorskip("ray.tune")


class RayTrial:
    """What a scheduler knows of one of Ray's trials."""

    def __init__(self, trial_id: str, number: int) -> None:
        self.trial_id = trial_id
        self.config = {"member": {"number": number}}


CURVES = [
    [0.20, 0.30, 0.40, 0.50, 0.55, 0.58],
    [0.22, 0.31, 0.39, 0.52, 0.60, 0.65],
    [0.10, 0.11, 0.12, 0.13, 0.14, 0.15],
    [0.21, 0.32, 0.41, 0.53, 0.61, 0.66],
    [0.05, 0.06, 0.05, 0.04, 0.07, 0.08],
    [0.19, 0.33, 0.44, 0.54, 0.62, 0.70],
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schedulers")
    write_toy(path, ratings=True)
    return path


def simulate(data: Path, folder: Path, scheduler: str, kills: dict[int, int]) -> list[int]:
    """Run trials one after the other through a scheduler; return after how many reports each ended.

    `kills`: trial -> reports after which the driver is killed in it.
    """
    from recbole_invariant.tuning.schedulers import make_scheduler

    plan = plan_of(data, trials=len(CURVES), scheduler=scheduler, grace_period=2)
    plan = replace(plan, max_validations=6, reduction_factor=2)
    storage = Storage.open(folder)
    write_plan(storage, plan)

    def begin() -> tuple[Driver, Any]:
        driver = Driver(plan, storage, lambda _: None)
        return driver, make_scheduler(driver)

    driver, ray = begin()
    lengths: dict[int, int] = {}
    while (handed := driver.next_trial()) is not None:
        number = handed.number
        trial = RayTrial(f"ray{len(driver.journal.events)}", number)
        ray.on_trial_add(None, trial)
        lengths[number] = 0
        killed = False
        for k, report in enumerate(told(number, CURVES[number])):
            lengths[number] = k + 1
            decision = ray.on_trial_result(None, trial, {REPORT_KEY: json.dumps(asdict(report))})
            if decision == "STOP":
                break
            if kills.get(number) == k + 1:
                kills = {key: value for key, value in kills.items() if key != number}
                driver, ray = begin()
                killed = True
                break
        else:
            storage.write(f"trials/{number:03d}/run.json", "{}")
        if killed:
            continue
        ray.on_trial_complete(None, trial, {})
        driver.end_trial(number)
    return [lengths[number] for number in range(len(CURVES))]


@pytest.mark.parametrize("scheduler", ["asha", "median", "none"])
def test_a_kill_changes_no_decision(data, tmp_path, scheduler):
    whole = simulate(data, tmp_path / "whole", scheduler, {})
    killed = simulate(data, tmp_path / "killed", scheduler, {1: 3, 3: 1, 5: 5})
    assert killed == whole
    assert whole[0] == 6
    assert (whole[4] < 6) == (scheduler != "none")


def test_asha_stops_a_bad_trial_at_a_rung_and_never_at_its_last_validation(data, tmp_path):
    lengths = simulate(data, tmp_path, "asha", {})
    assert lengths[2] == 2
    assert lengths[5] == 6


def test_reports_before_the_final_stage_decide_nothing(data, tmp_path):
    from recbole_invariant.tuning.schedulers import make_scheduler

    plan = replace(plan_of(data, trials=3, scheduler="asha", grace_period=1), max_validations=6)
    storage = Storage.open(tmp_path)
    write_plan(storage, plan)
    driver = Driver(plan, storage, lambda _: None)
    ray: Any = make_scheduler(driver)
    for number, value in ((0, 0.9), (1, 0.1)):
        driver.next_trial()
        trial = RayTrial(str(number), number)
        ray.on_trial_add(None, trial)
        for epoch in range(5):
            report = replace(told(number, [value])[0], stage="pretrain", epoch=epoch, validations=0)
            text = json.dumps(asdict(report))
            assert ray.on_trial_result(None, trial, {REPORT_KEY: text}) == "CONTINUE"
