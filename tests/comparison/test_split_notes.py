"""Notes about the rows of the tests."""

import pytest

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.comparison.summary import summarise
from tests.comparison.folders import write_run


def notes(folder, *seeds, tests=("iid", "ood_popularity"), **record):
    for seed in seeds or (1,):
        write_run(folder / f"B{seed}", "BPR", seed, 0.1, tests, **record)
    return summarise(find_runs(folder)).notes


def test_the_length_of_the_tests_is_said_and_what_it_forbids(tmp_path):
    rows = {"train": 400, "iid": 100, "ood_popularity": 480}
    users = {"train": 40, "iid": 40, "ood_popularity": 40}

    found = notes(tmp_path, n_interactions=rows, n_users=users)

    said = next(note for note in found if note.startswith("test items a user"))
    assert said.startswith("test items a user (mean): iid 2.5, ood_popularity 12.0; ")
    assert "compare models within a test, never a model's iid value with its ood" in said


def test_one_test_has_only_its_length(tmp_path):
    found = notes(tmp_path, tests=("iid",), n_users={"train": 40, "iid": 20})

    assert "test items a user (mean): iid 2.0" in found


@pytest.mark.parametrize(("dropped", "said"), [(9618, True), (100, False)])
def test_a_test_of_which_most_was_dropped_says_so(tmp_path, dropped, said):
    found = notes(
        tmp_path,
        1,
        2,
        split={"dropped": {"valid": 25, "iid": 24, "ood_popularity": dropped}},
        n_interactions={"train": 9000, "iid": 4420, "ood_popularity": 1457},
        n_users={"train": 753, "iid": 746, "ood_popularity": 90},
    )

    assert [note for note in found if "left out: user or item" in note] == (
        ["87% of ood_popularity left out: user or item without training row; 90 users remain"]
        if said
        else []
    )


def test_strengths_of_the_popularity_shift_are_named(tmp_path):
    tests = ("iid", "ood_popularity_1", "ood_popularity_2")

    found = notes(tmp_path, 1, 2, tests=tests, split={"gamma": [1.0, 4.0]})

    assert "ood_popularity_1: gamma 1 (strongest shift), _2: gamma 4" in found
    assert not any("gamma" in note for note in notes(tmp_path, 1, 2, split={"gamma": [1.0]}))


def test_held_out_values_are_listed_seed_by_seed_where_they_differ(tmp_path):
    names = [f"city{number}" for number in range(14)]
    tests = ("iid", "ood_column")
    write_run(tmp_path / "a", "BPR", 1, 0, tests, split={"held_out": {"ood_column": ["x", "y"]}})
    write_run(tmp_path / "b", "Pop", 1, 0, tests, split={"held_out": {"ood_column": ["x", "y"]}})
    values = "ood_column: the values held out of training: "
    assert f"{values}x, y" in summarise(find_runs(tmp_path)).notes

    write_run(tmp_path / "c", "BPR", 2, 0, tests, split={"held_out": {"ood_column": names}})

    said = next(n for n in summarise(find_runs(tmp_path)).notes if n.startswith("ood_column"))
    assert said.startswith(f"{values}seeds [1]: x, y; seeds [2]: city0, ")
    assert said.endswith("city11 and 2 more")


def test_clusters_have_numbers_only_and_are_not_listed(tmp_path):
    assert not any("held out" in note for note in notes(tmp_path, split={"held_out": [1, 4]}))
