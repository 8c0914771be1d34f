from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.tuning.journal import JOURNAL_FILE, Journal, Report
from recbole_invariant.tuning.storage import Storage


def report(trial: int, validations: int, value: float, stage: str = "final") -> Report:
    values = {"valid:ndcg@10": value}
    return Report(trial, stage, validations - 1, validations, values, 2.0 * validations)


def written(folder: Path) -> Journal:
    journal = Journal(Storage.open(folder))
    journal.begin_session()
    journal.propose(0, {})
    journal.propose(1, {"learning_rate": 0.1})
    assert journal.report(report(0, 1, 0.2))
    assert journal.report(report(1, 1, 0.4))
    journal.end(0, "stopped", 3.0)
    return journal


def state(journal: Journal) -> dict[int, tuple[Any, ...]]:
    return {
        number: (one.options, one.status, one.reports, one.seconds, one.problem)
        for number, one in journal.trials.items()
    }


def test_a_journal_read_again_gives_the_same_trials(tmp_path):
    before = written(tmp_path)
    after = Journal(Storage.open(tmp_path))
    assert state(after) == state(before)
    assert [trial.number for trial in after.unfinished()] == [1]
    assert after.events == before.events


def test_a_line_that_a_killed_driver_left_half_is_dropped_and_written_over(tmp_path):
    before = written(tmp_path)
    path = tmp_path / JOURNAL_FILE
    with path.open("a", encoding="utf-8") as file:
        file.write('{"event": "ended", "trial": 1, "sta')
    again = Journal(Storage.open(tmp_path))
    assert state(again) == state(before)
    again.end(1, "done", 5.0)
    assert state(Journal(Storage.open(tmp_path)))[1][1] == "done"


def test_a_report_counts_once_however_often_a_trial_sends_it(tmp_path):
    journal = written(tmp_path)
    assert not journal.report(report(1, 1, 0.9))
    assert journal.report(report(1, 1, 0.9, stage="pretrain"))
    assert [one.values["valid:ndcg@10"] for one in journal.trials[1].reports] == [0.4, 0.9]


def test_a_member_that_goes_on_from_another_has_the_reports_of_that_one(tmp_path):
    journal = written(tmp_path)
    journal.change(1, {"learning_rate": 0.3}, source=0)
    assert journal.trials[1].options == {"learning_rate": 0.3}
    assert journal.trials[1].reports == []
    assert journal.report(report(1, 1, 0.2))
    assert state(Journal(Storage.open(tmp_path))) == state(journal)


def test_the_best_report_is_of_the_final_stage_and_the_first_of_equal_ones(tmp_path):
    journal = written(tmp_path)
    journal.report(report(1, 0, 0.99, stage="pretrain"))
    for validations, value in ((2, 0.6), (3, 0.6), (4, 0.1)):
        journal.report(report(1, validations, value))
    best = journal.trials[1].best_report("valid:ndcg@10", bigger=True)
    worst = journal.trials[1].best_report("valid:ndcg@10", bigger=False)
    assert best is not None
    assert worst is not None
    assert (best.validations, worst.validations) == (2, 4)
    assert journal.trials[1].best_report("valid:recall@10", bigger=True) is None


def test_the_time_of_a_search_is_that_of_all_its_drivers(tmp_path, monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(
        "recbole_invariant.tuning.journal.time.monotonic", lambda: float(next(clock))
    )
    first = Journal(Storage.open(tmp_path))
    first.begin_session()
    first.propose(0, {})
    second = Journal(Storage.open(tmp_path))
    second.begin_session()
    second.end(0, "done", 1.0)
    per_session = [event["at"] for event in second.events]
    assert second.seconds == pytest.approx(per_session[1] + per_session[3])
    assert second.seconds > max(per_session)


def test_a_remote_journal_is_the_same_one(tmp_path):
    url = f"file://{tmp_path}/search"
    journal = Journal(Storage.open(url))
    journal.begin_session()
    journal.propose(0, {"a": [1, 2]})
    journal.report(report(0, 1, 0.2))
    journal.end(0, "done", 3.0)
    assert state(Journal(Storage.open(url))) == state(journal)
