"""A run that is measured again: its table, and the options that it takes."""

import pytest

from recbole_invariant.configuration.known_keys import schema_of
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.reopen import _columns, _require_evaluation_only
from recbole_invariant.host_models import host_model_class
from recbole_invariant.registry import resolve

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


@pytest.mark.parametrize("key", ["n_extractors", "hidden_size", "num_layers", "epochs"])
def test_options_of_a_wrapped_model_are_refused_too(key: str) -> None:
    models = [resolve("IDEA").model_class, host_model_class("GRU4Rec")]
    schema = schema_of(*models)
    assert key in schema.options
    with pytest.raises(InputError, match=rf"^{key}: of IDEA or its training, which is done"):
        _require_evaluation_only(models, schema, {key: 3, "topk": [3]})
    _require_evaluation_only(models, schema, {"topk": [3], "eval_users_per_batch": 8})
