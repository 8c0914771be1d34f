"""The table of a run that is measured again."""

import pytest

from recbole_invariant.evaluation.reopen import _columns

METRICS = {
    "valid": {"ndcg@5": 0.1},
    "iid": {f"{metric}@{k}": 0.1 for metric in ("recall", "ndcg", "hit") for k in (5, 10, 50)},
}


@pytest.mark.parametrize(
    ("given", "columns"),
    [
        ({}, ["recall@5", "ndcg@5"]),
        (
            {"topk": "[5,10,50]"},
            ["recall@5", "recall@10", "recall@50", "ndcg@5", "ndcg@10", "ndcg@50"],
        ),
        ({"topk": "[5,10,50]", "table_metrics": "[recall@5]"}, ["recall@5", "ndcg@5"]),
    ],
)
def test_every_cutoff_that_was_asked_for_is_shown(
    given: dict[str, str], columns: list[str]
) -> None:
    config = {"table_metrics": ["recall@5", "ndcg@5"]}
    assert _columns(config, METRICS, given) == columns
