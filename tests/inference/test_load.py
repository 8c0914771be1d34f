"""A run folder without its data ranks as the model with its data does."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recbole_invariant as ri
from tests.inference.runs import (
    GENERAL,
    LEFT_ONE_OUT,
    N_ITEMS,
    SEQUENTIAL,
    WITH_FEATURES,
    Finished,
    finished,
    write_data,
)

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
    agree(finished(folder, model, **CASES[model]), model)


@pytest.mark.parametrize("length", [4, 50])
def test_histories_of_the_hosts_own_split(folder: Path, length: int) -> None:
    made = finished(folder, "SASRec", **{**LEFT_ONE_OUT, "MAX_ITEM_LIST_LENGTH": length})
    agree(made, "SASRec")
    # RecBole makes no row of a user's first item, which is seen all the same
    rows = pd.read_csv(folder / "toy" / "toy.inter", sep="\t")
    rows.columns = ["user", "item", "time"]
    served = ri.load(made.run_dir)
    for user in served.users[:3]:
        items = rows[rows["user"] == user].sort_values("time")["item"].tolist()
        left = set(served.recommend([user], k=N_ITEMS)["item_id"])
        known = items[:-1][-length:]
        assert left.isdisjoint(known)
        assert items[-1] in left


def agree(made: Finished, model: str) -> None:
    """Compare the rankings of all test users with the evaluation's own."""
    expected = made.expected("iid", 7)
    users = expected["user_id"].unique().tolist()

    served = ri.load(made.run_dir)
    found = served.recommend(users, 7, made.excludes_seen)

    assert len(expected) >= 7 * 20
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-6, atol=1e-6)
    same = pd.Series(found["score"]).groupby(found["user_id"]).transform("nunique") == 7
    assert same.mean() > 0.5 or model in ("Pop", "ItemKNN")
    for column in ("user_id", "rank"):
        assert found[column].tolist() == expected[column].tolist()
    assert found["item_id"][same].tolist() == expected["item_id"][same].tolist()
