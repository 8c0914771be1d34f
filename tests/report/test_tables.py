import pytest

from recbole_invariant.report.tables import (
    Row,
    choose_metrics,
    comparison_table,
    run_notes,
    slice_notes,
)

ROWS = [
    Row(
        "PaInvRL",
        {
            "valid": {"recall@10": 0.9},
            "iid": {"recall@10": 0.25, "ndcg@10": 0.125},
            "ood_popularity": {"recall@10": 0.0625, "ndcg@10": 0.03125},
        },
        12.34,
        7,
    ),
    Row("Pop", {"iid": {"recall@10": 0.1}}, 0.2),
]


def test_every_value_stands_under_its_test_set_and_metric() -> None:
    text = comparison_table(ROWS, ["recall@10", "ndcg@10"], "github")
    lines = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines()]
    assert lines[0] == [
        "model",
        "iid recall@10",
        "iid ndcg@10",
        "ood_popularity recall@10",
        "ood_popularity ndcg@10",
        "best epoch",
        "seconds",
    ]
    assert lines[2] == ["PaInvRL", "0.2500", "0.1250", "0.0625", "0.0312", "7", "12.3"]
    assert lines[3] == ["Pop", "0.1000", "", "", "", "", "0.2"]


def test_headers_take_two_lines_in_the_terminal() -> None:
    lines = comparison_table(ROWS, ["recall@10"]).splitlines()
    assert lines[0].split() == ["model", "iid", "ood_popularity", "best", "seconds"]
    assert lines[1].split() == ["recall@10", "recall@10", "epoch"]


@pytest.mark.parametrize(
    ("measured", "wanted", "expected"),
    [
        (
            ["recall@10", "recall@20", "mrr@10", "ndcg@20", "ndcg@10"],
            None,
            ["recall@10", "ndcg@10"],
        ),
        (["auc", "logloss", "mae"], None, ["auc", "logloss"]),
        (["recall@10", "mrr@10"], ["MRR@10", "hit@10"], ["mrr@10"]),
    ],
)
def test_columns(measured: list[str], wanted: list[str] | None, expected: list[str]) -> None:
    assert choose_metrics(measured, wanted) == expected


def test_the_notes_name_protocol_seed_selection_and_schedule() -> None:
    record = {
        "model": "BPR",
        "dataset": "toy",
        "protocol": "popularity",
        "seed": 7,
        "split": {"dropped": {"iid": 2, "ood_popularity": 3, "protocol": 9}},
        "n_interactions": {"train": 80, "valid": 10},
        "selection": {"rule": "highest valid:ndcg@10"},
        "stages": [{"name": "train", "epochs": 4, "seconds": 1.25}],
    }
    notes = "\n".join(run_notes(record))
    for part in (
        "protocol popularity, seed 7",
        "train 80",
        "no training row: 2 of iid, 3 of ood_popularity",
        "9 rows left out by the protocol",
        "highest valid:ndcg@10",
        "train 4 epochs (1.2 s)",
    ):
        assert part in notes
    assert "RecBole's own split" in run_notes({**record, "protocol": None})[0]
    several = {**record, "split": {"gamma": [1.0, 4.0], "dropped": {"repeats": 6}}}
    lines = run_notes(several)
    assert "6 test rows left out that repeat training" in lines[0]
    assert "ood_popularity_1: gamma 1 (strongest shift), _2: gamma 4" in lines
    backwards = {**record, "split": {"gamma": [4.0, 1.0]}}
    assert "ood_popularity_1: gamma 4, _2: gamma 1 (strongest shift)" in run_notes(backwards)


def test_slices_stand_with_their_users_and_the_worst_is_named() -> None:
    part = {"n_users": 40, "n_positives": 90, "metrics": {"ndcg@10": 0.25}}
    tail = {"n_users": 33, "n_positives": 50, "metrics": {"ndcg@10": 0.0125}}
    worst = {"group": "items", "slice": "tail", "metric": "ndcg@10", "value": 0.0125}
    groups = {"items": {"head": part, "tail": tail}, "worst": worst, "worst_environment": worst}
    assert slice_notes({"slices": {"iid": groups, "ood_x": {"items": {}}}}) == [
        "iid ndcg@10 (users): head 0.2500 (40), tail 0.0125 (33); worst: items tail"
    ]
    assert slice_notes({}) == []
    hidden = {"environment": {"0": part, "1": tail}, "worst": {**worst, "group": "environment"}}
    (line,) = slice_notes({"slices": {"iid": hidden}})
    assert "environment 0 0.2500 (40), environment 1 0.0125 (33); worst" in line
