"""The section of a search: what it says, draws and leaves out."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from recbole_invariant.report.page import write_report
from recbole_invariant.report.panels import (
    search_headline,
    search_history,
    search_options,
    search_pareto,
    search_table,
)
from recbole_invariant.report.searches import BASE, BEST, VALUELESS, Search, find_searches
from recbole_invariant.report.wording import DASH
from recbole_invariant.tuning.journal import Status
from recbole_invariant.tuning.summary import summarise
from tests.report.fixtures import CLEAR, write_runs
from tests.report.test_page import EVIL, outline
from tests.tuning.searches import NDCG, SHIFTED, search, trial

TRACE = 'Traceback (most recent call last):\n  File "trial.py", line 3\nValueError: too <small>'
XCOV = {"learning_rate": 0.002, "n_layers": 3, "independence": "xcov", "independence_weight": 2.0}


def some_trials():
    curves = [[0.1, 0.2, 0.25], [0.1, 0.2, 0.3], [0.05], [0.1, 0.2, 0.24], []]
    status: list[Status] = ["done", "done", "stopped", "done", "failed"]
    found = []
    for number, (curve, state) in enumerate(zip(curves, status, strict=True)):
        options = {"learning_rate": 0.001, "n_layers": 2, "independence": "none"}
        shifted = [0.3 - value for value in curve]
        found.append(trial(number, curve, state, XCOV if number == 1 else options, shifted))
    found[4].problem = TRACE
    return found


def made(objectives=(NDCG,), trials=None, record=None, **changed):
    summary = summarise(search(objectives, **changed), trials or some_trials(), 90.0)
    return Search(Path("searches/first"), summary, record)


def measured(**tests):
    return {"seed": 3, "metrics": {"valid": {"ndcg@10": 0.9}, **tests}}


def test_the_headline_tells_gain_counts_options_and_the_sealed_tests():
    record = measured(iid={"ndcg@10": 0.21}, ood_popularity={"ndcg@10": 0.11, "recall@10": 0.2})
    content = search_headline.make(made(record=record)).content
    assert content["headline"] == (
        "Trial 1 is the best: valid NDCG@10 0.3000, 20.0% better than the defaults (0.2500)."
    )
    (counts,) = content["details"]
    assert counts == (
        "5 trials (random, ASHA) in 1 min 30 s: 3 done, 1 stopped early and 1 failed."
    )
    assert "--independence_weight=2" in content["options"]
    assert content["sealed"]["rows"] == [
        ("OOD: popularity", ["0.1100", "0.2000"]),
        ("IID", ["0.2100", DASH]),
    ]
    assert content["named"]
    assert not any("tests" in said and "not been" in said for said in content["caveats"])


def test_the_headline_says_what_stands_against_it():
    stopped = [trial(0, [0.1], "stopped"), trial(1, [0.2]), trial(2, [0.1], "waiting")]
    caveats = " ".join(search_headline.make(made(trials=stopped)).content["caveats"])
    assert "the defaults were stopped after 1 validations" in caveats
    assert "1 trial has not ended" in caveats
    assert "no best/run.json" in caveats
    alone = search_headline.make(made(trials=[trial(0, [0.2]), trial(1, [0.1])])).content
    assert alone["headline"].startswith("No trial is better than the defaults on validation")
    assert not alone["named"]
    nothing = search_headline.make(made(trials=[trial(0, [], "failed", problem="why")])).content
    assert "nothing is chosen" in nothing["headline"]
    assert nothing["options"] == []
    several = search_headline.make(made([NDCG, SHIFTED])).content["headline"]
    assert re.match(r"Trial \d.* is the compromise of the 4 on the Pareto set: valid", several)


def test_a_search_of_a_comparison_says_where_its_options_are_measured(tmp_path):
    out = tmp_path / "compared"
    for name in ("BPR-seed1-a", "BPR-seed1-old"):
        (out / "tune" / name).mkdir(parents=True)
        summary = summarise(search(), some_trials(), 90.0)
        (out / "tune" / name / "summary.json").write_text(json.dumps(summary))
    lines = {"BPR": {"folder": "tune/BPR-seed1-a"}}
    (out / "comparison.json").write_text(json.dumps({"searches": lines}))
    one, old = find_searches(out / "tune")
    content = search_headline.make(one).content
    assert content["details"][1] == (
        "The comparison compared has measured its best options on the tests."
    )
    assert "not been measured" not in " ".join(content["caveats"])
    content = search_headline.make(old).content
    assert len(content["details"]) == 1
    assert "not been measured" in " ".join(content["caveats"])


def test_looks_go_from_pale_to_deep_and_best_and_defaults_stand_out():
    trials = [trial(k, [0.1 + 0.01 * k]) for k in range(12)] + [trial(12, [], "failed")]
    looks = made(trials=trials).looks
    assert (looks[11], looks[0], looks[12]) == (BEST, BASE, VALUELESS)
    shades = [int(looks[k].colour[1:]) for k in range(1, 11)]
    assert shades == sorted(shades)
    assert (shades[0], shades[-1]) == (0, 8)
    assert [t["number"] for t in made(trials=trials).upwards][-2:] == [0, 11]


def test_the_table_has_all_trials_and_folds_what_is_far_behind():
    trials = [trial(k, [0.1 + 0.01 * k]) for k in range(25)]
    tables = search_table.make(made(trials=trials)).content["tables"]
    assert [len(rows) for rows in tables] == [20, 5]
    assert tables[0][0]["best"]
    assert tables[1][-1]["remark"] == "defaults"
    content = search_table.make(made()).content
    assert content["failed"] == (4, TRACE)
    first = content["tables"][0][0]
    assert first["options"] == ["0.002", "3", "xcov", "2"]
    assert content["tables"][0][1]["options"] == ["0.001", "2", "none", DASH]


def test_axes_follow_the_space_and_hold_defaults_outside_of_it():
    axis = search_options.option_axis("x", {"loguniform": [1e-4, 1e-2]}, [1e-3, 0.5])
    assert (axis.low, axis.high, axis.log, axis.whole) == (1e-4, 0.5, True, False)
    axis = search_options.option_axis("x", {"int": [1, 4]}, [2, 3])
    assert (axis.low, axis.high, axis.log, axis.whole) == (1, 4, False, True)
    axis = search_options.option_axis("x", [32, 64], [64, 48])
    assert axis.categories == ("32", "64", "48")
    axis = search_options.option_axis("x", {"choice": [[64], [64, 32]], "when": {"a": [1]}}, [])
    assert axis.categories == ("[64]", "[64,32]")
    axis = search_options.option_axis("x", {"uniform": [0, 1]}, [None, 0.5])
    assert axis.categories == ("0", "1", "null", "0.5")
    axis = search_options.option_axis("x", {"loguniform": [1e-4, 1]}, [0.0])
    assert not axis.log
    assert search_options.option_axis("x", None, [3, 7]).high == 7


def test_a_line_a_trial_through_options_and_objectives():
    svg = search_options.make(made([NDCG, SHIFTED])).content["figure"]
    assert svg.count("line case") == 5
    assert svg.count("line case c1 strong") == svg.count("line case ink dashed strong") == 1
    assert re.search(r"trial 1,[ a-zA-Z,]* Pareto: valid NDCG@10 0\.3000", svg) is not None
    for name in ("learning_rate", "independence_weight", "OOD valid NDCG@10", "not set"):
        assert f">{name}<" in svg
    bare = [replace(trial(0, [0.1]), options={})]
    assert search_options.make(made(trials=bare, defaults={})).missing == "no trial has options"
    assert not search_options.make(made(trials=bare)).missing  # the defaults have names


def test_stopped_trials_far_behind_do_not_squeeze_the_others():
    one = made()
    (objective,) = one.objectives
    assert one.drawn_range(objective) == (0.24, 0.3)
    assert [t["number"] for t in one.trials if one.is_drawn(t, objective)] == [0, 1, 3]
    caption = search_history.make(one).content["figures"][1].caption
    assert caption == "1 stopped trial behind all others not drawn."
    few = made(trials=[trial(0, [0.2]), trial(1, [0.1], "stopped")])
    assert few.drawn_range(objective) == (0.1, 0.2)
    lower = made([{**NDCG, "bigger": False}])
    # where lower is better, nothing is behind but what is above
    assert lower.drawn_range(lower.objectives[0])[0] == 0.05


@pytest.mark.parametrize("bigger", [True, False])
def test_the_best_so_far_only_ever_improves_and_ends_at_the_best(bigger):
    values = [0.3, 0.2, 0.35, 0.1, 0.4, 0.4, 0.15]
    trials = [trial(k, [value]) for k, value in enumerate(values)]
    steps = search_history.best_so_far(made([{**NDCG, "bigger": bigger}], trials))
    for number, value in enumerate(values):
        until = values[: number + 1]
        reached = [y for x, y in steps if x == number][-1]
        assert reached == (max if bigger else min)(until), (number, value)


def test_history_draws_curves_crosses_and_steps():
    content = search_history.make(made()).content
    curves, progress = content["figures"]
    assert content["without"] == 1
    assert content["stopped"]
    assert "<title>trial 2, stopped: best 0.0500 of 1 validation</title>" in curves.svg
    assert ">trial 1, best<" in curves.svg
    assert ">best so far<" in progress.svg
    failed = made(trials=[trial(0, [], "failed", problem="why")])
    assert "no trial came to a validation" in search_history.make(failed).missing
    assert search_history.whole_ticks(1, 3) == [(1.0, "1"), (2.0, "2"), (3.0, "3")]
    assert [text for _, text in search_history.whole_ticks(0, 19)] == ["0", "5", "10", "15"]


def test_the_mouse_tells_the_best_value_once_in_both_drawings():
    peaked = [trial(0, [0.1]), trial(1, [0.1, 0.3, 0.2], "stopped")]
    for figure in search_history.make(made(trials=peaked)).content["figures"]:
        tips = [tip for tip in re.findall("<title>(.*?)</title>", figure.svg) if "trial 1" in tip]
        assert set(tips) == {"trial 1, best, stopped: best 0.3000 of 3 validations"}


def test_the_pareto_set_is_drawn_for_two_objectives_only():
    panel = search_pareto.make(made([NDCG, SHIFTED]))
    (figure,) = panel.content["figures"]
    assert figure.caption.startswith("On the Pareto set: trials 0, 1, 2 and 3.")
    assert panel.content["side"] == "up and to the right"
    single = search_pareto.make(made())
    assert single.missing
    assert single.asked_for
    third = {"split": "valid", "metric": "recall@10", "bigger": True}
    assert "two objectives only" in search_pareto.make(made([NDCG, SHIFTED, third])).missing


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Plain runs, and a search with its trials and its best run."""
    runs = tmp_path_factory.mktemp("searches")
    write_runs(runs / "plain", CLEAR[1:3], (0,), n_users=20)
    write_runs(runs / "made", CLEAR[2:3], (0, 1), n_users=20)
    place = runs / "search"
    one = place / "trials" / "000"
    one.parent.mkdir(parents=True)
    (runs / "made" / "0-seed0").rename(place / "best")
    (place / "best" / "compare.json").unlink()
    (runs / "made" / "0-seed1").rename(one)
    record = json.loads((one / "run.json").read_text())
    record |= {"trial": 0, "metrics": {"valid": {"ndcg@10": 0.1}}}
    (one / "run.json").write_text(json.dumps(record))
    (place / "tune.json").write_text("{}")
    summary = summarise(search([NDCG, SHIFTED], model="UltraGCN"), some_trials(), 90.0)
    (place / "summary.json").write_text(json.dumps(summary))
    return runs


def test_the_page_has_runs_and_searches_each_in_its_section(folder, tmp_path):
    html = write_report(folder, tmp_path / "r.html").read_text()
    found = outline(html)
    links = [a["href"] for tag, a in found.seen if tag == "a"]
    assert links == ["#part-1", "#search-1"]
    assert "1 comparison and 1 search" in html
    assert "What was found" in html
    assert "UltraGCN (tuned)" in html
    for words in ("Search: UltraGCN on toy", "Options and what they reach", "Pareto set"):
        assert words in html
    assert "too &lt;small&gt;" in html
    assert html.count("Not shown") == 1  # what the comparison lacks; the search lacks nothing
    drawings = [a for tag, a in found.seen if tag == "svg" and a.get("aria-hidden") != "true"]
    assert all(a["role"] == "img" and len(a["aria-label"]) > 10 for a in drawings)
    assert all("scope" in a for tag, a in found.seen if tag == "th")


def test_a_search_alone_makes_a_page_and_names_cannot_inject_anything(tmp_path):
    trials = [trial(k, [0.1 * (k + 1)], options={EVIL: EVIL, "x": [EVIL]}) for k in range(3)]
    trials[2].status, trials[2].problem = "failed", EVIL
    summary = summarise(
        search(model=EVIL, dataset=EVIL, searcher=EVIL, scheduler=EVIL, space={EVIL: [EVIL]}),
        trials,
        1.0,
    )
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "summary.json").write_text(json.dumps(summary))
    html = write_report(tmp_path, tmp_path / "r.html").read_text()
    assert "<script" not in html
    assert not any(tag == "script" for tag, _ in outline(html).seen)
    assert find_searches(tmp_path)[0].record is None
