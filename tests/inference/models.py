"""Whether each of RecBole's models ranks without its data as with it: docs/inference.md's table."""

from pathlib import Path
from typing import Any

import numpy as np
from recbole.utils import ModelType

import recbole_invariant as ri
from recbole_invariant.errors import InputError
from recbole_invariant.inference.stored import INFERENCE_FILE
from recbole_invariant.registry import model_names, resolve
from tests.inference.runs import GENERAL, LEFT_ONE_OUT, SEQUENTIAL, WITH_FEATURES, finished

EQUAL, DRAWS, REFUSED, UNTRIED = "equal", "draws", "refused", "untried"
"""Ranks as with its data; draws when it scores, also with its data; `load` refuses it; not trained
here."""

COLUMNS: dict[str, Any] = {
    "inter": ["user_id", "item_id", "timestamp"],
    "user": ["user_id", "group"],
    "item": ["item_id", "kind", "tags"],
}
NEGATIVES = {"distribution": "uniform", "sample_num": 1, "alpha": 1.0, "dynamic": False}
CONTEXT: dict[str, Any] = {
    **GENERAL,
    "load_col": COLUMNS,
    "eval_args": {"mode": "full"},
    "train_neg_sample_args": {**NEGATIVES, "candidate_num": 0},
}
GRAPH: dict[str, Any] = {
    **GENERAL,
    "load_col": {
        "inter": COLUMNS["inter"],
        "kg": ["head_id", "relation_id", "tail_id"],
        "link": ["item_id", "entity_id"],
    },
}
STAGES: dict[str, Any] = {
    **WITH_FEATURES,
    **dict.fromkeys(("pretrain_epochs", "him_epochs", "him_rounds", "mask_epochs"), 1),
    "outer_iterations": 1,
    "n_environments": 2,
}
OWN: dict[str, dict[str, Any]] = {
    "UltraGCNF": WITH_FEATURES,
    "InvRL": STAGES,
    "PaInvRL": {**STAGES, "variant": "paper"},
    "DMF": {**GENERAL, "user_hidden_size_list": [8], "item_hidden_size_list": [8]},
    "SASRecF": {**SEQUENTIAL, "load_col": COLUMNS, "selected_features": ["kind"]},
    "GRU4RecF": {**SEQUENTIAL, "load_col": COLUMNS, "selected_features": ["kind"]},
    "FDSA": {**SEQUENTIAL, "load_col": COLUMNS, "selected_features": ["kind"]},
    "S3Rec": {**SEQUENTIAL, "load_col": COLUMNS, "item_attribute": "kind", "pretrain_epochs": 1},
    "DIN": {**SEQUENTIAL, "load_col": COLUMNS, "eval_args": {"mode": "full"}},
    "DIEN": {
        **LEFT_ONE_OUT,
        "load_col": COLUMNS,
    },
    "ConvNCF": {**GENERAL, "embedding_size": 64},
    "GRU4RecCPR": {**SEQUENTIAL, "reranker_CAN_NUM": "10"},
    "SASRecCPR": {**SEQUENTIAL, "reranker_CAN_NUM": "10"},
}


def options_of(model: str) -> dict[str, Any]:
    """Return the options by which a model is tried."""
    kinds = {
        ModelType.SEQUENTIAL: SEQUENTIAL,
        ModelType.CONTEXT: CONTEXT,
        ModelType.KNOWLEDGE: GRAPH,
    }
    return OWN.get(model) or kinds.get(resolve(model).model_class.type, GENERAL)


def outcome(folder: Path, model: str) -> tuple[str, str]:
    """Train a model for an epoch, load it without its data and compare all rankings.

    Returns:
        `EQUAL`, `DRAWS`, `REFUSED` or `UNTRIED`, and why.
    """
    try:
        made = finished(folder, model, **{**options_of(model), "epochs": 1})
    except Exception as error:
        return UNTRIED, f"{type(error).__name__}: {error}"
    if not (made.run_dir / INFERENCE_FILE).is_file():
        return REFUSED, "no file"
    try:
        served = ri.load(made.run_dir)
    except InputError as error:
        return REFUSED, str(error)
    expected = made.expected("iid", 7)
    users = expected["user_id"].unique().tolist()
    found, again = (served.recommend(users, 7, made.excludes_seen) for _ in range(2))
    if not found.equals(again):
        return DRAWS, ""
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-5, atol=1e-6)
    return EQUAL, ""


def names() -> list[str]:
    """Return our models and RecBole's."""
    return model_names()
