"""What finished runs say together, on run folders made by hand."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recbole_invariant.comparison.collect import find_runs, read_run
from recbole_invariant.comparison.summary import summarise
from recbole_invariant.errors import InputError
from recbole_invariant.report.group import judging_metric
from tests.comparison.folders import user_values, write_run

SHIFTS = {"Pop": -0.03, "BPR": 0.0, "UltraGCN": 0.01, "PaInvRL": 0.03}
SEEDS = [1, 2, 3]


@pytest.fixture
def folder(tmp_path):
    for model, shift in SHIFTS.items():
        for seed in SEEDS:
            tuned = model == "BPR"
            write_run(tmp_path / f"{model}-{seed}", model, seed, shift, tuned=tuned)
    return tmp_path


def cell(table, **wanted):
    for key, value in wanted.items():
        table = table[table[key] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_means_gaps_and_times(folder):
    found = summarise(find_runs(folder))

    row = cell(found.cells, model="PaInvRL", test="iid", metric="recall@10")
    values = [user_values("PaInvRL", seed, 0.03).mean() for seed in SEEDS]
    assert (row["n_seeds"], row["mean"]) == (3, pytest.approx(np.mean(values)))
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert (row["low"], row["high"]) == pytest.approx((low, high))
    gap = cell(found.gaps, model="PaInvRL", test="ood_popularity", metric="recall@10")
    assert gap["mean"] == pytest.approx(0.05)
    assert found.test_sets == ["iid", "ood_popularity"]
    assert set(found.validation["test"]) == {"valid"}
    assert cell(found.times, model="BPR")["training_seconds"] == 2.0
    assert found.seeds == SEEDS
    assert found.metrics == ["recall@10", "ndcg@10"]


def test_a_comparison_is_shown_in_a_line_and_printed_as_tables(folder):
    found = summarise(find_runs(folder))

    assert repr(found) == (
        "<Comparison of BPR, PaInvRL, Pop, UltraGCN on toy, protocol popularity, seeds [1, 2, 3]; "
        "print() shows the tables>"
    )
    assert "ood_popularity" in str(found)


def test_the_baseline_is_the_best_plain_one_on_validation_not_on_the_test(folder):
    # the best on the test, but worst on validation
    for seed in SEEDS:
        metrics = read_run(folder / f"BPR-{seed}").record["metrics"] | {"valid": {"ndcg@10": 0.0}}
        write_run(folder / f"BPR-{seed}", "BPR", seed, 0.5, metrics=metrics)

    found = summarise(find_runs(folder))

    assert found.baseline == "UltraGCN"
    assert found.baseline_rule == "UltraGCN, the strongest of the plain baselines on validation"
    assert summarise(find_runs(folder), baseline="Pop").baseline == "Pop"
    with pytest.raises(InputError, match=r"'PaInvR' is not among .* Did you mean 'PaInvRL'"):
        summarise(find_runs(folder), baseline="PaInvR")


def test_scores_on_other_validation_rows_are_not_compared(folder):
    shifted = {"metric": "ndcg@10", "rule": "highest ood_valid:ndcg@10", "name": "ood_valid"}
    for seed in SEEDS:
        metrics = read_run(folder / f"BPR-{seed}").record["metrics"]
        metrics |= {"ood_valid": {"ndcg@10": 0.99}}
        run = folder / f"LightGCN-{seed}"
        write_run(run, "LightGCN", seed, metrics=metrics, selection=shifted)

    assert summarise(find_runs(folder)).baseline == "UltraGCN"


def test_the_only_plain_baseline_stays_one_under_another_selection(tmp_path):
    shifted = {"metric": "ndcg@10", "rule": "highest ood_valid:ndcg@10", "name": "ood_valid"}
    write_run(tmp_path / "a", "BPR", 1)
    for model in ("PaInvRL", "InvRL"):
        write_run(tmp_path / model, model, 1, selection=shifted)

    assert summarise(find_runs(tmp_path)).baseline == "BPR"


def test_a_model_measured_by_labels_is_no_baseline_of_rankings(folder):
    metrics = {"valid": {"auc": 0.99}, "iid": {"auc": 0.99}}
    selection = {"metric": "auc", "rule": "highest valid:auc", "name": "valid"}
    write_run(folder / "FM", "FM", 1, metrics=metrics, selection=selection)

    found = summarise(find_runs(folder))

    assert found.baseline == "UltraGCN"
    assert "FM: measured by auc; not comparable" in found.notes
    assert found.selection_rules == [
        "highest valid:ndcg@10, validation rows only",
        "highest valid:auc",
    ]


def test_models_are_tested_against_the_baseline_in_pairs(folder):
    found = summarise(find_runs(folder))

    assert found.baseline == "UltraGCN"
    assert set(found.tests["model"]) == {"Pop", "BPR", "PaInvRL"}
    wanted = {"model": "PaInvRL", "test": "iid", "metric": "recall@10"}
    ours = np.array([user_values("PaInvRL", seed, 0.03) for seed in SEEDS])
    theirs = np.array([user_values("UltraGCN", seed, 0.01) for seed in SEEDS])
    seeds = cell(found.tests, **wanted, over="seeds")
    assert seeds["p"] == pytest.approx(stats.ttest_rel(ours.mean(1), theirs.mean(1)).pvalue)
    assert seeds["n"] == 3
    users = cell(found.tests, **wanted, over="users")
    difference = (ours - theirs).mean(axis=0)
    assert users["difference"] == pytest.approx(difference.mean())
    assert users["effect_size"] == pytest.approx(difference.mean() / difference.std(ddof=1))
    assert users["n"] == 40
    assert users["p"] < 0.001
    # three models are held against the baseline; the smallest p counts three times
    family = found.tests.query("test == 'iid' and metric == 'recall@10' and over == 'seeds'")
    smallest = family.sort_values("p").iloc[0]
    assert smallest["p_holm"] == pytest.approx(3 * smallest["p"])
    assert (family["p_holm"] >= family["p"]).all()


def test_one_seed_has_no_test_over_seeds(tmp_path):
    for model in ("BPR", "PaInvRL"):
        write_run(tmp_path / model, model, 1, SHIFTS[model])

    found = summarise(find_runs(tmp_path))

    assert math.isnan(cell(found.tests, test="iid", metric="ndcg@10", over="seeds")["p"])
    assert cell(found.tests, test="iid", metric="ndcg@10", over="users")["p"] < 0.01
    assert any(note.startswith("one seed: no test over seeds") for note in found.notes)


def test_missing_baselines_are_named(tmp_path):
    write_run(tmp_path / "a", "PaInvRL", 1, tuned=True)

    found = summarise(find_runs(tmp_path))

    assert found.baseline is None
    assert found.tests.empty
    notes = "\n".join(found.notes)
    assert "the most popular items (Pop) are missing" in notes
    assert "a tuned plain baseline is missing" in notes


def test_nothing_is_missing_with_pop_and_a_tuned_baseline(folder):
    notes = "\n".join(summarise(find_runs(folder)).notes)

    assert "missing" not in notes
    assert "options set for this dataset (a section models.<name>): BPR" in notes
    assert "untuned: PaInvRL, UltraGCN" in notes
    assert "selection: highest valid:ndcg@10" in notes
    assert "seeds [1, 2, 3]; rows: train 400" in notes


def test_options_that_differ_between_seeds_are_named(tmp_path):
    for seed, epochs in ((1, 5), (2, 50), (3, 50)):
        values = {"epochs": epochs, "seed": seed, "gpu_id": seed, "topk": [10]}
        options = {key: {"value": value, "layer": "a.yaml"} for key, value in values.items()}
        write_run(tmp_path / f"a{seed}", "BPR", seed, options=options)
        write_run(tmp_path / f"b{seed}", "Pop", seed)

    notes = summarise(find_runs(tmp_path)).notes

    assert [note for note in notes if "differs between" in note] == [
        "BPR: differs between seeds: epochs 5/50"
    ]


def test_another_split_is_no_pair(folder):
    write_run(folder / "PaInvRL-2", "PaInvRL", 2, 0.03, split_checksum="a")
    write_run(folder / "UltraGCN-2", "UltraGCN", 2, 0.01, split_checksum="b")

    found = summarise(find_runs(folder))

    assert set(found.tests["model"]) == {"Pop", "BPR"}
    assert any(note.startswith("PaInvRL: its split differs") for note in found.notes)


def test_other_users_are_no_pair(folder):
    path = folder / "PaInvRL-1" / "per_user.parquet"
    table = pd.read_parquet(path)
    table[(table["split"] != "iid") | (table["user_id"] != "u3")].to_parquet(path)

    found = summarise(find_runs(folder))

    part = found.tests[(found.tests["model"] == "PaInvRL") & (found.tests["over"] == "users")]
    assert set(part["test"]) == {"ood_popularity"}
    assert any("its users in iid are not those of UltraGCN" in note for note in found.notes)


def test_a_missing_seed_is_said_and_left_out_of_the_pairs(folder):
    (folder / "PaInvRL-2" / "run.json").unlink()

    found = summarise(find_runs(folder), failures=["missing: PaInvRL, seed 2: it broke"])

    assert cell(found.cells, model="PaInvRL", test="iid", metric="ndcg@10")["n_seeds"] == 2
    assert set(found.tests.query("model == 'PaInvRL' and over == 'seeds'")["n"]) == {2}
    assert "PaInvRL: seeds [2] are missing, its means are over the others" in found.notes
    assert found.failures == ["missing: PaInvRL, seed 2: it broke"]
    assert found.notes[-1] == found.failures[0]


def test_the_last_of_several_runs_of_a_seed_counts(tmp_path):
    write_run(tmp_path / "a", "BPR", 1, 0.1, finished="2026-01-02")
    write_run(tmp_path / "b", "BPR", 1, 0.4, finished="2026-01-01")

    found = summarise(find_runs(tmp_path))

    expected = user_values("BPR", 1, 0.1).mean()
    assert cell(found.cells, test="iid", metric="recall@10")["mean"] == pytest.approx(expected)
    assert "BPR, seed 1: several runs; the last one counts" in found.notes


def test_runs_of_two_datasets_are_not_compared(folder):
    write_run(folder / "other", "BPR", 1, dataset="other")

    with pytest.raises(InputError, match="other, protocol popularity; toy, protocol popularity"):
        summarise(find_runs(folder))
    with pytest.raises(InputError, match="no finished run"):
        summarise([])


def test_a_test_near_chance_says_so(tmp_path):
    # 110 items, 10 of them in the history: a random ranking has a recall@10 of 0.1
    metrics = {"iid": {"recall@10": 0.35}, "ood_popularity": {"recall@10": 0.25}}
    write_run(tmp_path / "a", "BPR", 1, metrics=metrics)

    notes = summarise(find_runs(tmp_path)).notes

    assert any(n.startswith("ood_popularity is nearer chance") and "0.1000" in n for n in notes)
    assert not any(note.startswith("iid is nearer chance") for note in notes)


def test_slices_are_averaged_first_and_the_worst_mean_is_named(tmp_path):
    def content(n_users: int, value: float) -> dict[str, Any]:
        return {"n_users": n_users, "n_positives": 99, "metrics": {"recall@10": value}}

    # with seed 2 the cold items are the worst, but over both seeds too few users have any
    for seed, tail, cold, n_cold in ((1, 0.1, 0.9, 20), (2, 0.3, 0.0, 32)):
        worst = {"group": "items", "slice": "tail", "metric": "recall@10", "value": tail}
        if seed == 2:
            worst |= {"group": "warmth", "slice": "cold", "value": cold}
        slices = {
            "items": {"head": content(900, 0.5), "tail": content(500 + seed, tail)},
            "warmth": {"cold": content(n_cold, cold)},
            "worst": {**worst, "n_users": n_cold, "min_users": 30},
        }
        write_run(tmp_path / str(seed), "BPR", seed, slices={"iid": slices})

    found = summarise(find_runs(tmp_path))

    row = cell(found.slices, group="items", slice="tail")
    assert (row["mean"], row["n_users"], row["n_seeds"]) == (pytest.approx(0.2), 501.5, 2)
    worst_row = cell(found.worst, test="iid")
    pd.testing.assert_series_equal(worst_row, row[worst_row.index], check_names=False)
    assert worst_row["slice"] == "tail"


def test_the_random_control_stands_beside_its_run(tmp_path):
    shift = {"metric": "recall@10", "gap": 0.2, "control_gap": 0.01, "is_shift": True}
    tests = ("iid", "ood_environment")
    for seed in (1, 2):
        run = tmp_path / f"P{seed}"
        write_run(
            run,
            "PaInvRL",
            seed,
            0.1,
            tests,
            label="PaInvRL[x=1]",
            protocol="environment",
            shift=shift,
            control="control",
        )
        random = ("iid", "ood_random")
        write_run(run / "control", "PaInvRL", seed, 0.1, random, protocol="random")

    runs = find_runs(tmp_path)
    found = summarise(runs)

    assert found.models == ["PaInvRL[x=1]", "PaInvRL[x=1] (random control)"]
    assert found.baseline is None
    assert [run.is_control for run in runs] == [False, False, True, True]
    assert "by the random control this split is a shift" in found.notes
    assert any("PaInvRL[x=1] +0.2000 and +0.0100 (a shift in 2 of 2)" in n for n in found.notes)


def test_a_control_that_agrees_is_no_shift(tmp_path):
    shift = {"metric": "recall@10", "gap": 0.01, "control_gap": 0.01, "is_shift": False}
    write_run(tmp_path / "a", "BPR", 1, protocol="environment", shift=shift)

    assert any("this is no shift" in note for note in summarise(find_runs(tmp_path)).notes)


def test_there_must_be_a_folder_and_whole_records(tmp_path):
    with pytest.raises(InputError, match="no such folder of runs"):
        find_runs(tmp_path / "none")
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(InputError, match="lacks model, dataset, seed, metrics"):
        find_runs(tmp_path)


def test_a_model_measured_by_auc_does_not_decide_what_is_shown(tmp_path):
    auc: dict[str, Any] = {
        "metrics": {"valid": {"auc": 0.5}, "iid": {"auc": 0.5}, "ood_popularity": {"auc": 0.4}}
    }
    auc["selection"] = {"metric": "auc", "rule": "highest valid:auc", "name": "valid"}
    write_run(tmp_path / "a", "AFM", 1, **auc)
    write_run(tmp_path / "b", "BPR", 1)
    write_run(tmp_path / "c", "LightGCN", 1)

    found = summarise(find_runs(tmp_path))

    assert found.models[0] == "AFM"
    assert found.metrics == ["recall@10", "ndcg@10"]
    assert judging_metric(found) == "ndcg@10"
    assert [note for note in found.notes if "not comparable" in note] == [
        "AFM: measured by auc; not comparable"
    ]


def test_a_record_without_its_selection_is_named(tmp_path):
    folder = write_run(tmp_path / "a", "BPR", 1)
    record = json.loads((folder / "run.json").read_text())
    del record["selection"]
    (folder / "run.json").write_text(json.dumps(record))

    with pytest.raises(InputError, match="lacks selection"):
        find_runs(tmp_path)


def test_two_searches_are_two_lines_and_their_options_were_searched(tmp_path):
    for name in ("first", "second"):
        write_run(tmp_path / name / "best", "BPR", 1, tuned=True)
        (tmp_path / name / "tune.json").write_text("{}")
    write_run(tmp_path / "plain", "BPR", 1)
    comparison = summarise(find_runs(tmp_path))
    assert comparison.models == ["BPR", "BPR (tuned, first)", "BPR (tuned, second)"]
    said = "\n".join(comparison.notes)
    assert "options of BPR (tuned, first), BPR (tuned, second) are the best of a search" in said
    assert "a section models.<name>):" not in said
    assert "several runs" not in said
    assert "a tuned plain baseline is missing" not in said
