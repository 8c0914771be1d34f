import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.tuning.journal import Report
from recbole_invariant.tuning.summary import find_summaries, ranked, summarise, trial_of
from recbole_invariant.tuning.trial_table import trial_table
from tests.tuning.searches import NDCG, SHIFTED, search, trial

STATUS = st.sampled_from(["waiting", "running", "done", "stopped", "failed"])
TRIALS = st.lists(
    st.tuples(st.lists(st.integers(0, 6), max_size=4), STATUS, st.integers(0, 6)),
    max_size=7,
)


def made(drawn):
    return [
        trial(number, [v / 10 for v in curve], status, shifted=[shift / 10] * len(curve))
        for number, (curve, status, shift) in enumerate(drawn)
    ]


@given(TRIALS, st.booleans(), st.randoms())
def test_with_one_objective_the_best_is_the_best_value_of_the_lowest_number(drawn, bigger, rng):
    trials = made(drawn)
    rng.shuffle(trials)
    summary = summarise(search([{**NDCG, "bigger": bigger}]), trials, 12.0)
    pick = max if bigger else min
    values = {
        number: pick(curve)
        for number, (curve, status, _) in enumerate(drawn)
        if curve and status != "failed"
    }
    wanted = next((n for n, v in values.items() if v == pick(values.values())), None)
    assert summary["best"] == wanted
    assert summary["pareto"] == ([] if wanted is None else [wanted])
    assert [row["number"] for row in summary["trials"]] == list(range(len(drawn)))
    assert sum(summary["counts"].values()) == len(drawn)
    numbers = [row["number"] for row in ranked(summary) if row["number"] in values]
    assert numbers == sorted(values, key=lambda n: (-values[n] if bigger else values[n], n))


@given(TRIALS)
def test_with_several_objectives_the_best_is_one_of_the_pareto_set(drawn):
    summary = summarise(search([NDCG, SHIFTED]), made(drawn), 1.0)
    points = {
        n: (max(curve), shift)
        for n, (curve, status, shift) in enumerate(drawn)
        if curve and status != "failed"
    }
    unbeaten = {
        p
        for p in points.values()
        if not any(q != p and q[0] >= p[0] and q[1] >= p[1] for q in points.values())
    }
    assert {points[n] for n in summary["pareto"]} == unbeaten
    assert (summary["best"] in summary["pareto"]) == bool(points)


def test_only_the_final_stage_counts_and_all_values_are_of_one_epoch():
    one = trial(0, [0.2, 0.4, 0.3], shifted=[0.9, 0.1, 0.5])
    (row,) = summarise(search([NDCG, SHIFTED]), [one], 1.0)["trials"]
    assert row["values"] == {"valid:ndcg@10": 0.4, "ood_valid:ndcg@10": 0.1}
    assert (row["best_epoch"], row["validations"]) == (3, 3)
    assert row["curve"] == [[1, 0.2], [2, 0.4], [3, 0.3]]


def test_a_report_that_is_made_again_after_a_kill_counts_once():
    one = trial(0, [0.2, 0.4])
    one.reports.append(Report(0, "final", 3, 2, {"valid:ndcg@10": 0.4}, 9.0))
    one.reports.append(Report(0, "final", 5, 3, {"valid:ndcg@10": math.nan}, 9.0))
    (row,) = summarise(search(), [one], 1.0)["trials"]
    assert row["curve"] == [[1, 0.2], [2, 0.4]]
    assert row["validations"] == 3


def test_the_gain_is_over_trial_0_and_positive_where_the_best_is_better():
    trials = [trial(0, [0.2]), trial(1, [0.25]), trial(2, [0.15])]
    gain = summarise(search(), trials, 1.0)["gain"]["valid:ndcg@10"]
    assert gain == {"default": 0.2, "best": 0.25, "relative": pytest.approx(0.25)}
    lower = summarise(search([{**NDCG, "bigger": False}]), trials, 1.0)
    assert lower["best"] == 2
    assert lower["gain"]["valid:ndcg@10"]["relative"] == pytest.approx(0.25)


def test_without_a_value_of_the_defaults_there_is_no_gain():
    for first in (trial(0, [], "failed"), trial(0, [0.0])):
        gain = summarise(search(), [first, trial(1, [0.2])], 1.0)["gain"]["valid:ndcg@10"]
        assert gain["best"] == 0.2
        assert gain["relative"] is None
    nothing = summarise(search(), [trial(0, [], "waiting")], 1.0)
    assert nothing["best"] is None
    assert trial_of(nothing, nothing["best"]) is None


def test_a_member_of_a_population_that_took_other_options_is_no_longer_the_defaults():
    kept, changed = {"learning_rate": 0.001, "n_layers": 1}, {"learning_rate": 0.002}
    plan = {"defaults": {"learning_rate": 0.001, "n_layers": None}, "scheduler": "pbt"}
    for options, number in ((kept, 0), (changed, None)):
        trials = [trial(0, [0.1], options=options), trial(1, [0.2])]
        summary = summarise(search(**plan), trials, 1.0)
        assert summary["defaults"] == number
        assert (summary["gain"]["valid:ndcg@10"]["relative"] is None) == (number is None)
        assert ("defaults" in trial_table(summary)) == (number is not None)
        assert summarise(search(), trials, 1.0)["defaults"] == 0


def test_a_failed_trial_is_never_chosen_but_its_figures_stand():
    summary = summarise(search(), [trial(0, [0.1]), trial(1, [0.9], "failed")], 1.0)
    assert summary["best"] == 0
    assert summary["trials"][1]["values"] == {"valid:ndcg@10": 0.9}


def test_searches_are_found_at_any_depth_and_other_files_of_that_name_passed_over(tmp_path):
    rng = random.Random(0)
    for name in ("b", "a/deep"):
        trials = [trial(k, [rng.random()]) for k in range(3)]
        summary = summarise(search(), trials, 1.0)
        records.write_json(tmp_path / name / "summary.json", summary)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "summary.json").write_text('{"trials": 3}')
    (tmp_path / "summary.json").write_text("[1]")
    found = find_summaries(tmp_path)
    assert [folder for folder, _ in found] == [tmp_path / "a" / "deep", tmp_path / "b"]
    assert found[0][1] == summary


def test_a_broken_summary_is_the_users_to_know(tmp_path):
    whole = summarise(search(), [trial(0, [0.1])], 1.0)
    del whole["gain"]
    (tmp_path / "summary.json").write_text(json.dumps(whole))
    with pytest.raises(InputError, match=r"summary\.json: lacks gain"):
        find_summaries(tmp_path)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(InputError, match="not readable"):
        find_summaries(tmp_path)
