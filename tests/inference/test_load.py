"""A run folder without its data ranks as the model with its data does."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recbole_invariant as ri
from tests.inference.runs import GENERAL, SEQUENTIAL, WITH_FEATURES, finished, write_data

STAGES: dict[str, Any] = {**WITH_FEATURES, "pretrain_epochs": 1, "final_epochs": 1}
CASES: dict[str, dict[str, Any]] = {
    "BPR": GENERAL,
    "LightGCN": GENERAL,
    "Pop": GENERAL,
    "ItemKNN": GENERAL,
    "NeuMF": GENERAL,
    "MultiVAE": GENERAL,
    "EASE": GENERAL,
    "UltraGCN": GENERAL,
    "UltraGCNF": WITH_FEATURES,
    "SASRec": SEQUENTIAL,
    "GRU4Rec": SEQUENTIAL,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inference")
    write_data(path)
    return path


@pytest.mark.parametrize("model", CASES)
def test_a_ranking_without_data_is_the_hosts_own(folder: Path, model: str) -> None:
    made = finished(folder, model, **CASES[model])
    expected = made.expected("iid", 7)
    users = expected["user_id"].unique().tolist()

    served = ri.load(made.run_dir)
    found = served.recommend(users, k=7)

    assert len(expected) >= 7 * 20
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-6, atol=1e-6)
    same = pd.Series(found["score"]).groupby(found["user_id"]).transform("nunique") == 7
    assert same.mean() > 0.5 or model in ("Pop", "ItemKNN")
    for column in ("user_id", "rank"):
        assert found[column].tolist() == expected[column].tolist()
    assert found["item_id"][same].tolist() == expected["item_id"][same].tolist()
