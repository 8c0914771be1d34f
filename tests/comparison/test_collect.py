"""What counts as a run in a folder, and by which name."""

import json

from recbole_invariant.comparison.collect import find_runs

RECORD = {
    "model": "BPR",
    "dataset": "toy",
    "seed": 1,
    "metrics": {"iid": {"ndcg@10": 0.2}},
    "selection": {"metric": "ndcg@10"},
}


def write(folder, **changed):
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({**RECORD, **changed}))
    return folder


def test_trials_are_left_out_and_the_best_run_has_a_name_of_its_own(tmp_path):
    search = tmp_path / "search"
    plain, best = write(tmp_path / "plain"), write(search / "best")
    write(search / "trials" / "000", trial=0, metrics={"valid": {"ndcg@10": 0.1}})
    (search / "tune.json").write_text("{}")
    found = {run.folder: run.label for run in find_runs(tmp_path)}
    assert found == {plain: "BPR", best: "BPR (tuned)"}


def test_only_the_best_run_of_a_search_is_tuned_and_compares_label_goes_first(tmp_path):
    write(tmp_path / "best")
    labelled = write(tmp_path / "s" / "best")
    (tmp_path / "s" / "tune.json").write_text("{}")
    (labelled / "compare.json").write_text('{"label": "BPR[x=1]"}')
    assert sorted(run.label for run in find_runs(tmp_path)) == ["BPR", "BPR[x=1]"]


def search_at(folder, **changed):
    best = write(folder / "best", **changed)
    (folder / "tune.json").write_text("{}")
    return best


def test_two_searches_of_one_model_are_two_lines(tmp_path):
    one, other = search_at(tmp_path / "first"), search_at(tmp_path / "second")
    alone = search_at(tmp_path / "third", model="EASE")
    found = {run.folder: run for run in find_runs(tmp_path)}
    assert {folder: run.label for folder, run in found.items()} == {
        one: "BPR (tuned, first)",
        other: "BPR (tuned, second)",
        alone: "EASE (tuned)",
    }
    assert all(run.is_tuned for run in found.values())
    search_at(tmp_path / "again" / "first")
    labels = {run.label for run in find_runs(tmp_path)}
    assert {"BPR (tuned, first)", "BPR (tuned, again/first)"} < labels


def test_a_control_has_the_name_of_its_search(tmp_path):
    for name in ("first", "second"):
        write(search_at(tmp_path / name) / "control")
    labels = sorted(run.label for run in find_runs(tmp_path))
    assert labels == [
        "BPR (tuned, first)",
        "BPR (tuned, first) (random control)",
        "BPR (tuned, second)",
        "BPR (tuned, second) (random control)",
    ]
