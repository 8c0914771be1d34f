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
from tests.tuning.toy_search import RayTrial, plan_of, told

pytest.importorskip("ray.tune")


Ended = tuple[str, int]


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


def simulate(
    data: Path,
    folder: Path,
    scheduler: str,
    kills: dict[int, int],
    curves: list[list[float]] = CURVES,
    max_validations: int = 6,
) -> list[Ended]:
    """Run trials one after the other through a scheduler; return how each ended and its reports.

    `kills`: trial -> reports after which the driver is killed, before it acts on the last one.
    """
    from recbole_invariant.tuning.schedulers import make_scheduler

    plan = plan_of(data, trials=len(curves), scheduler=scheduler, grace_period=2)
    plan = replace(plan, max_validations=max_validations, reduction_factor=2)
    storage = Storage.open(folder)
    write_plan(storage, plan)

    def begin() -> tuple[Driver, Any]:
        driver = Driver(plan, storage, lambda _: None)
        return driver, make_scheduler(driver)

    driver, ray = begin()
    begun: dict[int, int] = {}
    while (handed := driver.next_trial()) is not None:
        number = handed.number
        trial = RayTrial(f"ray{len(driver.journal.events)}", number)
        ray.on_trial_add(None, trial)
        killed = False
        for report in told(number, curves[number][:max_validations])[begun.get(number, 0) :]:
            decision = ray.on_trial_result(None, trial, {REPORT_KEY: json.dumps(asdict(report))})
            if kills.get(number) == report.validations:
                killed = True
                break
            if decision == "STOP":
                break
        else:
            storage.write(f"trials/{number:03d}/run.json", "{}")
        if killed:
            begun[number] = kills.pop(number)
            driver, ray = begin()
            continue
        ray.on_trial_complete(None, trial, {})
        driver.end_trial(number)
    trials = [driver.journal.trials[number] for number in range(len(curves))]
    return [(trial.status, len(trial.reports)) for trial in trials]


@pytest.mark.parametrize("scheduler", ["asha", "median"])
def test_the_defaults_go_on_however_bad_they_are(data, tmp_path, scheduler):
    """They run beside the others, so that there is something to be worse than."""
    curves = [*CURVES[:4], CURVES[4]]
    plan = replace(plan_of(data, trials=5, scheduler=scheduler, grace_period=2), max_validations=6)
    storage = Storage.open(tmp_path)
    write_plan(storage, plan)
    from recbole_invariant.tuning.schedulers import make_scheduler

    for _ in range(2):  # the second driver replays what the first saw
        driver = Driver(plan, storage, lambda _: None)
        ray: Any = make_scheduler(driver)
        trials = []
        while (handed := driver.next_trial()) is not None:
            trials.append(RayTrial(f"ray{handed.number}", handed.number))
            ray.on_trial_add(None, trials[-1])
        for k in range(6):
            for trial in reversed(trials):
                number = trial.config["member"]["number"]
                report = told(number, curves[-1 - number])[k]
                text = json.dumps(asdict(report))
                decision = ray.on_trial_result(None, trial, {REPORT_KEY: text})
                assert number or decision == "CONTINUE"
        ray.on_trial_add(None, trials[0])  # as Ray does when its process died


@pytest.mark.parametrize("scheduler", ["asha", "median", "none"])
def test_a_kill_changes_no_decision(data, tmp_path, scheduler):
    whole = simulate(data, tmp_path / "whole", scheduler, {})
    moments = {0: 6, 1: 3, 2: 2, 3: 1, 4: 2, 5: 5}
    killed = simulate(data, tmp_path / "killed", scheduler, moments)
    assert killed == whole
    assert whole[0] == ("done", 6)
    assert (whole[4][0] == "stopped") == (scheduler != "none")


def test_asha_stops_a_bad_trial_at_a_rung_and_never_at_its_last_validation(data, tmp_path):
    ended = simulate(data, tmp_path / "six", "asha", {})
    assert ended[2] == ("stopped", 2)
    assert ended[5] == ("done", 6)
    rung_at_the_end = simulate(data, tmp_path / "four", "asha", {}, max_validations=4)
    assert rung_at_the_end == [
        *[("done", 4)] * 2,
        ("stopped", 2),
        ("done", 4),
        ("stopped", 2),
        ("done", 4),
    ]


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
