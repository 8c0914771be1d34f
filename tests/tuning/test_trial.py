import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.errors import TrainingError
from recbole_invariant.evaluation import protocol
from recbole_invariant.tuning.journal import Report
from recbole_invariant.tuning.plan import SearchPlan
from recbole_invariant.tuning.preflight import fly
from recbole_invariant.tuning.trial import run_trial
from tests.host import write_toy
from tests.tuning.toy_search import plan_of


class Killed(BaseException):
    """Ends a trial as a kill would: nothing catches it."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trial")
    write_toy(path, n_users=60, ratings=True)
    return path


def run(plan: SearchPlan, folder: Path, options=None, until: int | None = None) -> list[Report]:
    """Run a trial; `until` kills it after so many reports."""
    reports: list[Report] = []

    def send(report: Report) -> None:
        reports.append(report)
        if len(reports) == until:
            raise Killed

    folder.mkdir(exist_ok=True)
    with suppress(Killed):
        run_trial(plan, 3, options or {}, folder, send)
    return reports


def content(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run.json").read_text())


def test_every_validation_is_reported_and_the_folder_is_a_run_without_tests(data, tmp_path):
    plan = plan_of(data)
    reports = run(plan, tmp_path / "a", {"learning_rate": 0.05, "embedding_size": 4})
    assert [report.validations for report in reports] == [1, 2, 3, 4, 5, 6]
    assert {report.stage for report in reports} == {"train"}
    record = content(tmp_path / "a")
    assert record["trial"]["number"] == 3
    assert record["options"]["embedding_size"]["value"] == 4
    best = max(report.values["valid:ndcg@10"] for report in reports)
    assert record["metrics"]["valid"]["ndcg@10"] == pytest.approx(best)
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert {"config.yaml", "history.jsonl", "model.safetensors", "seen.parquet"} <= names
    assert "per_user.parquet" not in names
    assert not {"slices", "curves", "evaluation_seconds"} & record.keys()
    assert all(test not in record["metrics"] for test in ("iid", "ood_popularity"))
    assert "iid" not in (tmp_path / "a" / "history.jsonl").read_text()


def test_no_trial_opens_a_test(data, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a trial opened a test")

    monkeypatch.setattr(protocol.SealedTests, "open", refuse)
    monkeypatch.setattr(protocol.SealedTests, "peek", refuse)
    plan = plan_of(data, objectives=["valid:ndcg@10", "ood_valid:recall@10"])
    assert run(plan, tmp_path / "a")


@pytest.mark.parametrize("kill_after", [1, 4])
def test_a_killed_trial_goes_on_and_ends_as_an_uninterrupted_one(data, tmp_path, kill_after):
    plan = plan_of(data)
    whole = run(plan, tmp_path / "whole")
    first = run(plan, tmp_path / "killed", until=kill_after)
    assert not (tmp_path / "killed" / "run.json").exists()
    rest = run(plan, tmp_path / "killed")
    told = {(one.stage, one.epoch): one.values for one in [*first, *rest]}
    assert told == {(one.stage, one.epoch): one.values for one in whole}
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]
    assert content(tmp_path / "killed")["metrics"] == content(tmp_path / "whole")["metrics"]


def test_a_trial_killed_before_its_record_reports_all_again_without_training(data, tmp_path):
    plan = plan_of(data)
    whole = run(plan, tmp_path / "a")
    (tmp_path / "a" / "run.json").unlink()
    history = (tmp_path / "a" / "history.jsonl").read_text()
    again = run(plan, tmp_path / "a")
    assert [one.values for one in again] == [one.values for one in whole]
    assert (tmp_path / "a" / "history.jsonl").read_text() == history


def test_two_objectives_are_measured_at_every_validation_and_the_first_selects(data, tmp_path):
    names = ["ood_valid:ndcg@10", "valid:recall@5"]
    reports = run(plan_of(data, objectives=names), tmp_path / "a")
    assert all(set(names) <= report.values.keys() for report in reports)
    record = content(tmp_path / "a")
    best = max(reports, key=lambda report: report.values[names[0]])
    assert record["selection"]["best_epoch"] == best.epoch
    assert record["metrics"]["ood_valid"]["ndcg@10"] == pytest.approx(best.values[names[0]])
    assert record["metrics"]["valid"]["recall@5"] == pytest.approx(best.values[names[1]])


def test_validations_before_the_final_stage_do_not_count(data, tmp_path):
    config: dict[str, Any] = {
        "modalities": None, "pretrain_epochs": 2, "epochs": 3, "outer_iterations": 1,
        "him_epochs": 1, "him_rounds": 1, "mask_epochs": 1, "n_environments": 2,
        "n_negatives": 5,
    }  # fmt: skip
    config["modalities"] = {"tag": {"source": "text", "fields": "tag", "dim": 4}}
    lines = ["item_id:token\ttag:token_seq"]
    lines += [f"i{k}\tword{k % 5} other{k % 3}" for k in range(30)]
    (data / "toy" / "toy.item").write_text("\n".join(lines) + "\n")
    plan = plan_of(data, "PaInvRL", config=config, space={"mask_learning_rate": [0.01, 0.1]})
    reports = run(plan, tmp_path / "a")
    (data / "toy" / "toy.item").unlink()
    stages = [(one.stage, one.validations) for one in reports]
    assert stages[:2] == [("pretrain", 0), ("pretrain", 0)]
    assert stages[2:] == [("final", 1), ("final", 2), ("final", 3)]


def test_models_of_one_pass_and_of_recboles_own_loops_report_too(data, tmp_path):
    space = {"k": [5, 10]}
    one_pass = run(plan_of(data, "ItemKNN", space=space), tmp_path / "one")
    assert [report.validations for report in one_pass] == [1]
    own_loop = plan_of(data, "RecVAE", space={"dropout_prob": [0.3, 0.5]}, config={"epochs": 2})
    reports = run(own_loop, tmp_path / "loop")
    assert [report.validations for report in reports] == [1, 2]
    best = max(report.values["valid:ndcg@10"] for report in reports)
    assert content(tmp_path / "loop")["metrics"]["valid"]["ndcg@10"] == pytest.approx(
        best, abs=1e-3
    )


def test_a_loss_that_is_not_finite_raises_with_its_place(data, tmp_path):
    plan = plan_of(data)
    with pytest.raises(TrainingError, match="stage 'train', epoch"):
        run(plan, tmp_path / "a", {"learning_rate": 1e30})


def test_the_preflight_runs_one_epoch_and_knows_how_many_validations_there_are(data):
    flown = fly(plan_of(data, config={"epochs": 12, "eval_step": 3}))
    assert flown.max_validations == 4
    assert flown.trial_seconds is not None
    assert flown.trial_seconds > 0
    longer = plan_of(data, config={"eval_step": 2}, space={"epochs": [2, 20]})
    assert fly(longer).max_validations == 10
