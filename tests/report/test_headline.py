"""What the first panel says, and when it must not give a verdict."""

import json
import re
from itertools import pairwise

import pytest

from recbole_invariant.comparison.cells import MIN_SEEDS
from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.report.charts.intervals import (
    Estimate,
    IntervalColumn,
    IntervalRow,
    interval_plot,
)
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.group import make_groups
from recbole_invariant.report.judgement import caveats, judge
from recbole_invariant.report.page import write_report
from recbole_invariant.report.panels import headline, slices, table
from tests.report.fixtures import CLEAR, ORACLE, write_runs

NO_SHIFT = {"shifts": ("ood_random",), "protocol": "random"}


def group_of(folder, models=CLEAR, seeds=(0, 1, 2), baseline=None, change=None, **options):
    write_runs(folder, models, seeds, n_users=20, **options)
    for path in folder.rglob("run.json"):
        record = json.loads(path.read_text())
        if change:
            change(record)
        path.write_text(json.dumps(record))
    (made,) = make_groups(find_runs(folder), baseline)
    return made


def by_test(record):
    """Let a test choose the weights; Pop has but one epoch to choose from."""
    record["selection"]["name"] = "oracle"
    if record["model"] == "Pop":
        record["stages"] = [{"name": "train", "epochs": 1, "seconds": 0.1}]


def test_a_control_bounds_the_others_and_is_no_rival(tmp_path):
    group = group_of(tmp_path, (*CLEAR, ORACLE))
    verdict = judge(group)
    assert verdict.winner == "PaInvRL"
    (bound,) = [said for said in verdict.details if "the control" in said]
    assert bound.startswith("Best of the models that do not see the truth: PaInvRL (0.1")
    assert f"the control {ORACLE.label} reaches 0.1" in bound
    for panel in (table, slices):
        assert panel.make(group).content["racing"] == " among models that do not see the truth"
    html = write_report(tmp_path, tmp_path / "r.html").read_text()
    assert "the best mean of a column among models that do not see the truth is bold" in html


def test_a_control_asked_for_as_the_baseline_decides_nothing(tmp_path):
    content = headline.make(group_of(tmp_path, (*CLEAR, ORACLE), baseline=ORACLE.label)).content
    assert not content["named"]
    assert content["headline"].startswith("Best mean among models that do not see the truth: PaIn")
    assert "its lead over" not in " ".join([content["headline"], *content["details"]])


def test_a_random_test_alone_gives_no_verdict(tmp_path):
    group = group_of(tmp_path, **NO_SHIFT)
    content = headline.make(group).content
    assert content["headline"] == (
        "Control without a shift: says nothing about out of distribution."
    )
    assert not content["named"]
    assert content["details"] == []
    assert "control (random)</text>" in content["figure"]
    assert "OOD" not in content["figure"]
    assert 'remark good"' not in content["figure"]
    html = write_report(tmp_path, tmp_path / "r.html").read_text()
    assert "OOD: random" not in html
    assert "trust PaInvRL" not in html


def test_weights_selected_on_the_test_give_no_verdict(tmp_path):
    group = group_of(tmp_path, change=by_test)
    assert group.truth_knowing == group.test_selected == set(group.labels) - {"Pop"}
    content = headline.make(group).content
    assert content["headline"] == ("Weights were selected on the test: an upper bound, no verdict.")
    assert not content["named"]
    assert content["figure"].count("selected on the test</text>") == len(CLEAR) - 1
    assert "on validation" not in content["rule"]


def test_one_model_selected_on_the_test_leaves_the_verdict_on_the_others(tmp_path):
    group = group_of(
        tmp_path, change=lambda record: record["model"] == "PaInvRL" and by_test(record)
    )
    assert group.test_selected == {"PaInvRL"}
    assert not group.all_test_selected
    assert judge(group).winner == "InvRL"


@pytest.mark.parametrize(
    ("seeds", "said"), [((0,), "One seed only (0)"), ((0, 1), "Two seeds only (0 and 1)")]
)
def test_few_seeds_are_to_be_minded(tmp_path, seeds, said):
    found = caveats(group_of(tmp_path, CLEAR[1:3], seeds))
    assert found[0].startswith(said)
    assert len(found) == 1


def test_the_words_at_the_right_say_which_tests_they_are_about(tmp_path):
    figure = headline.make(group_of(tmp_path)).content["figure"]
    assert 'text-anchor="end">out of distribution</text>' in figure


@pytest.mark.parametrize(("dropped", "minded"), [(1800, False), (1900, True), (29000, True)])
def test_a_test_that_lost_many_rows_is_to_be_minded(tmp_path, dropped, minded):
    def change(record):
        record["split"]["dropped"] = {"valid": 90000, "ood_popularity": dropped, "repeats": 90000}
        record["n_users"]["ood_popularity"] = 14 + record["seed"]

    group = group_of(tmp_path, CLEAR[1:3], change=change)  # 4352 rows are left
    said = caveats(group)
    assert len(said) == minded
    if dropped == 29000:
        assert said[0].startswith("87% of the rows of OOD: popularity were left out")
        assert "14\N{EN DASH}16 users remain" in said[0]


def test_the_numbers_below_a_narrow_column_keep_apart():
    rows = [IntervalRow("A", Style("c0", "circle"), {"iid": Estimate(0.04), "x": Estimate(0.5)})]
    rows.append(IntervalRow("B", Style("c1", "circle"), {"iid": Estimate(0.47), "x": Estimate(0)}))
    columns = [IntervalColumn("x", "X", weight=9.0), IntervalColumn("iid", "IID")]
    drawn = interval_plot(rows, columns, "two models", "out of distribution")
    at = re.findall(r'<text x="([\d.]+)" y="138" text-anchor="middle">', drawn)
    places = sorted(map(float, at))
    assert len(places) >= 3
    assert min(b - a for a, b in pairwise(places)) >= 38


@pytest.mark.parametrize("n_seeds", [2, 3])
def test_no_interval_of_fewer_seeds_than_the_tables_show(tmp_path, n_seeds):
    group = group_of(tmp_path, seeds=tuple(range(n_seeds)))
    shown = n_seeds >= MIN_SEEDS
    assert group.has_intervals is shown
    assert (group.estimate("BPR", "iid").low is not None) is shown
    assert any(cell.half for row in table.make(group).content["rows"] for cell in row["cells"]) is (
        shown
    )
    assert ("bars their" in headline.make(group).content["caption"]) is shown
    page = write_report(tmp_path, tmp_path / "report.html").read_text()
    assert ('class="half">±' in page) is shown
    assert ("bars are intervals" in page) is shown
    assert ('class="interval' in page) is shown
