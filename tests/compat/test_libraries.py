"""numpy aliases, dok_matrix._update and Series.agg(len)."""

from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recbole.config import Config
from recbole.data.dataset import Dataset
from recbole.utils import get_model
from scipy.sparse import dok_matrix

from recbole_invariant.compat.libraries import set_missing_numpy_aliases

from .conftest import INTERACTIONS, MakeConfig

INDEX = st.integers(0, 4)


@pytest.mark.parametrize(
    ("alias", "scalar"),
    [
        ("int", np.int_),
        ("float", np.float64),
        ("complex", np.complex128),
        ("object", np.object_),
        ("str", np.str_),
        ("unicode", np.str_),
    ],
)
def test_a_config_sets_the_aliases_that_numpy_lacks(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, alias: str, scalar: type
) -> None:
    monkeypatch.delitem(vars(np), alias, raising=False)
    make_config()
    assert vars(np)[alias] is scalar


def test_names_that_numpy_has_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "long", "numpy's own")
    set_missing_numpy_aliases()
    assert vars(np)["long"] == "numpy's own"
    assert Config.compatibility_settings is set_missing_numpy_aliases


@given(st.dictionaries(st.tuples(INDEX, INDEX), st.floats(-9, 9).filter(bool)))
def test_dok_update_sets_exactly_the_given_entries(entries: dict[tuple[int, int], float]) -> None:
    matrix = dok_matrix((5, 5))
    matrix[0, 0] = 7.0
    matrix._update(entries)
    expected = np.zeros((5, 5))
    expected[0, 0] = 7.0
    for place, value in entries.items():
        expected[place] = value
    assert (matrix.toarray() == expected).all()


@pytest.mark.parametrize("model", ["LightGCN", "NGCF"])
def test_graph_models_get_the_normalised_adjacency(make_config: MakeConfig, model: str) -> None:
    config = make_config(model)
    dataset = Dataset(config)
    dataset._change_feat_format()
    found = get_model(model)(config, dataset).norm_adj_matrix.to_dense().numpy()

    users, items = dataset.user_num, dataset.item_num
    adjacency = np.zeros((users + items, users + items))
    for user, item in INTERACTIONS:
        row = dataset.token2id("user_id", user)
        column = users + dataset.token2id("item_id", item)
        adjacency[row, column] = adjacency[column, row] = 1
    degree = np.maximum(adjacency.sum(1), 1)
    expected = adjacency / np.sqrt(np.outer(degree, degree))
    assert found == pytest.approx(expected, abs=1e-6)


def host_module(source: str) -> ModuleType:
    """Return a module whose code runs as if it were RecBole's."""
    module = ModuleType("recbole.pretended")
    exec(source, vars(module))
    return module


@given(st.lists(st.lists(st.integers()), min_size=1))
def test_lengths_are_one_a_row_in_recbole_and_pandas_own_elsewhere(rows: list[list[int]]) -> None:
    series = pd.Series(rows, index=range(5, 5 + len(rows)))
    lengths = host_module("def lengths(series): return series.agg(len)").lengths
    assert lengths(series).to_dict() == {5 + n: len(row) for n, row in enumerate(rows)}
    assert series.agg(len) == len(rows)


def test_other_aggregations_of_recbole_stay_pandas_own() -> None:
    total = host_module("def total(series, f): return series.agg(f)").total
    assert total(pd.Series([1, 2, 4]), "sum") == 7
    assert total(pd.Series([[1], [2, 3]]), np.concatenate).tolist() == [1, 2, 3]
