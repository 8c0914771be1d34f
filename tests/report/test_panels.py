"""What each panel takes from the runs."""

import json

import pytest

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.selection import SelectionRule
from recbole_invariant.report.group import make_groups
from recbole_invariant.report.judgement import judge, ties
from recbole_invariant.report.panels import environments, masks, protocol, slices, training
from recbole_invariant.report.panels.curves import mean_curve
from recbole_invariant.report.protocol_words import explain
from tests.report.fixtures import CLEAR, ORACLE, SWEEP, Made, write_runs

TWIN = Made("LightGCN", 0.211, 0.118)


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panels")
    write_runs(folder, (*CLEAR, *SWEEP, ORACLE, TWIN), seeds=(0, 1, 2), n_users=40)
    (made,) = make_groups(find_runs(folder))
    return made


def test_the_models_are_judged_by_what_selected_them_and_the_truth_is_known(group):
    assert group.metric == "ndcg@10"
    assert group.truth_knowing == {ORACLE.label}
    assert group.tests == ["ood_popularity", "iid"]
    assert group.estimate("BPR", "ood_nothing") is None


def test_a_tie_with_the_winner_is_said(group):
    verdict = judge(group)
    assert verdict.winner in ("PaInvRL", "LightGCN")
    other = {"PaInvRL": "LightGCN", "LightGCN": "PaInvRL"}[verdict.winner]
    (said,) = ties(group, verdict)
    assert said.startswith(f"{verdict.winner} leads by its mean only")
    assert other in said
    assert ORACLE.label not in said


def test_sweeps_hold_runs_that_differ_in_the_number_of_environments_only(group):
    assert environments.sweeps(group) == {
        "PaInvRL": {
            2: "PaInvRL[n_environments=2]",
            3: "PaInvRL",
            6: "PaInvRL[n_environments=6]",
            10: "PaInvRL[n_environments=10]",
        }
    }


def test_masks_are_cut_by_the_modalities_in_their_order():
    record = {
        "diagnostics": {"invariant_mask": [0.1, 0.2, 0.9]},
        "modalities": {"text": {"dim": 2}, "image": {"dim": 1}},
    }
    assert masks.mask_by_modality(record) == {"text": [0.1, 0.2], "image": [0.9]}
    record["modalities"] = {"text": {"dim": 5}}
    assert masks.mask_by_modality(record) == {"features": [0.1, 0.2, 0.9]}
    assert masks.mask_by_modality({"diagnostics": {}}) == {}


def test_the_quality_of_masks_is_a_mean_over_seeds():
    records = [{"diagnostics": {"mask_quality": {"noise": value}}} for value in (0.2, 0.4)]
    assert masks.quality(records) == [("mean mask on noise dimensions", "0.300")]


def test_small_slices_are_never_called_the_worst(group):
    table = slices.make(group).content["tables"][0]
    names = [name for name, _ in table.slices]
    assert ("cold", "4 users") in table.slices
    for label, _, cells in table.rows:
        worst = [name for name, cell in zip(names, cells, strict=True) if cell.worst]
        assert worst == ["tail"], label
    by_label = {label: cells for label, _, cells in table.rows}
    assert not any(cell.best for cell in by_label[ORACLE.label])
    head = group.estimate("BPR", "ood_popularity").mean * 1.3
    assert by_label["BPR"][names.index("head")].number == pytest.approx(head)
    every = [cell.shade for cells in by_label.values() for cell in cells]
    assert (min(every), max(every)) == (0, 100)


def test_losses_are_scaled_within_a_stage_and_borders_part_the_stages():
    history = [
        {"stage": "a", "losses": {"loss": 10.0}},
        {"stage": "a", "losses": {"loss": 30.0}, "valid": {"ndcg@10": 0.1}},
        {"stage": "b", "losses": {"loss": None}},
        {"stage": "b", "losses": {}},
        {"stage": "c", "losses": {"loss": 0.0}},
        {"stage": "c", "losses": {"loss": 0.0}},
    ]
    assert training.scaled_losses(history) == [[(1, 0.0), (2, 1.0)]]
    assert training.stage_borders(history) == [2.5, 4.5]
    assert training.validations(history, "ndcg@10") == [(2, 0.1)]


def test_options_are_listed_where_no_default_set_them(group):
    options = dict(protocol.changed_options(group))
    assert options["embedding_size"] == [("64", "all models")]
    assert ("oracle", ORACLE.label) in options["mask_source"]
    assert "learning_rate" not in options


def test_curves_of_seeds_are_averaged():
    assert mean_curve([[0.1, 0.2, 0.3], [0.3, 0.4]]) == pytest.approx([0.2, 0.3])


def test_the_rule_of_a_refit_is_a_sentence_too():
    epochs = SelectionRule("refit", "ndcg@10", True, {"train": 4}).describe(None)
    assert protocol.selection_words(epochs) == (
        "No weights of a refit were selected: it was trained on training and validation rows "
        "together for given epochs (train 4), the last weights kept, tests opened afterwards"
    )
    rule = "highest valid:ndcg@10, validation rows only"
    assert protocol.selection_words(rule) == f"Weights were selected by the {rule}"


@pytest.mark.parametrize(
    ("name", "notes", "expected"),
    [
        ("popularity", {"gamma": [1, 3], "n_max": 12}, "1 has gamma 1 and 2 has gamma 3"),
        ("temporal", {"boundary_in_words": "1998-01-02"}, "all users, 1998-01-02."),
        ("temporal", {"gap": 60, "gap_rows": 7}, "(7 rows)"),
        ("environment", {}, "larger trains"),
        ("cluster", {"by": "users", "held_out": [1], "clusters": [5, 5]}, "1 of 2 clusters"),
        ("exposure", {"random_precision": 0.0123}, "0.0123"),
        ("cold", {"kind": "users", "cold_users": 3, "all_users": 30}, "(3 of 30)"),
        ("column", {"field": "city", "held_out": {"ood_column": ["Rome"]}}, "ood_column: Rome."),
        ("random", {}, "No shift"),
        (None, {"files": {"flip": "ood_flip"}}, "flip is ood_flip"),
        (None, {}, "RecBole's own"),
        ("popularity", {"dropped": {"iid": 3, "valid": 0, "repeats": 2}}, "for them: 3 of iid."),
    ],
)
def test_a_protocol_is_explained_with_what_is_known_of_it(name, notes, expected):
    assert expected in " ".join(explain(name, notes))
    assert all(sentence.endswith(".") for sentence in explain(name, {}))


def test_an_unknown_baseline_is_refused_with_the_nearest_name(tmp_path):
    write_runs(tmp_path, CLEAR[:2], seeds=(0,), n_users=5)
    with pytest.raises(InputError, match="BPR"):
        make_groups(find_runs(tmp_path), "BPRR")


def test_runs_without_test_metrics_are_refused(tmp_path):
    write_runs(tmp_path, CLEAR[:1], seeds=(0,), n_users=5)
    (path,) = tmp_path.rglob("run.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"metrics": {"valid": {"ndcg@10": 0.1}}}))
    with pytest.raises(InputError, match="no metrics of a test set"):
        make_groups(find_runs(tmp_path))


def test_the_page_says_what_was_ranked(group):
    (said,) = protocol.make(group).content["ranking"]
    assert said.startswith("Full ranking of all items")
