"""What is ranked is said as the options have it, and chance is that of full rankings."""

import pytest

from recbole_invariant.comparison.candidates import expected_recall, ranking_mode, ranking_words
from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.comparison.summary import summarise
from tests.comparison.folders import FULL, write_run


def sampled(mode):
    return {"eval_args": {"value": {"mode": mode}, "layer": "command line"}}


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("full", "full ranking of all items"),
        ("uni100", "ranked among 100 items drawn uniformly"),
        ("pop50", "ranked among 50 items drawn by popularity"),
        ("labeled", "no items are ranked"),
        (None, "does not say"),
    ],
)
def test_each_mode_has_its_words(mode, says):
    assert says in ranking_words(mode)


def test_sampled_rankings_are_neither_full_nor_near_chance(tmp_path):
    metrics = {"iid": {"recall@10": 0.12}}
    options = sampled({"valid": "full", "test": "uni100"})
    write_run(tmp_path / "a", "BPR", 1, metrics=metrics, options=options)

    notes = "\n".join(summarise(find_runs(tmp_path)).notes)

    assert "each positive is ranked among 100 items" in notes
    assert "values are higher than those of full ranking" in notes
    assert "nearer chance" not in notes


def test_models_that_rank_other_items_are_named(tmp_path):
    write_run(tmp_path / "a", "BPR", 1, metrics={"iid": {"recall@10": 0.12}})
    write_run(tmp_path / "b", "FM", 1, options=sampled("labeled"))

    runs = find_runs(tmp_path)
    notes = summarise(runs).notes

    assert [ranking_mode(run) for run in runs] == ["full", "labeled"]
    assert any(note.startswith("BPR: full ranking") for note in notes)
    assert any(note.startswith("FM: scores are held against the labels") for note in notes)
    assert any("iid is nearer chance" in note and "(BPR)" in note for note in notes)


def test_with_seen_items_ranked_nothing_is_left_out(tmp_path):
    seen_too = {"eval_args": FULL, "rank_seen": {"value": True, "layer": "toy.yaml"}}
    write_run(tmp_path / "a", "BPR", 1, options=seen_too)
    (run,) = find_runs(tmp_path)
    (note,) = [note for note in summarise([run]).notes if "full ranking" in note]
    assert note.startswith("full ranking of all items, those that the user had before among them")
    assert expected_recall(run, 11) == pytest.approx(0.1)  # of 110 items
    write_run(tmp_path / "b", "BPR", 1)
    (usual,) = find_runs(tmp_path / "b")
    assert expected_recall(usual, 11) == pytest.approx(0.11)  # of 110 less 10 of the user's
