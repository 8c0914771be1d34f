"""Missing features under pandas 3: the failures that RecBole does not notice."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from recbole.data.dataset import Dataset
from recbole.data.dataset import dataset as host

from .conftest import MakeConfig


@pytest.fixture
def items(make_config: MakeConfig) -> Dataset:
    """Return the toy data set with its features as the models get them."""
    dataset = Dataset(make_config())
    dataset._change_feat_format()
    return dataset


def row(dataset: Dataset, token: str) -> int:
    return int(dataset.token2id("item_id", token))


def test_a_missing_token_is_the_padding(items: Dataset) -> None:
    brand = items.item_feat["brand"].tolist()
    absent = [0, row(items, "b"), row(items, "d")]
    assert [brand[i] for i in absent] == [0, 0, 0]
    assert {brand[row(items, "a")], brand[row(items, "c")]} == {1, 2}


def test_a_missing_float_is_the_mean_of_its_column(items: Dataset) -> None:
    price = items.item_feat["price"].tolist()
    absent = [0, row(items, "b"), row(items, "d")]
    assert [price[i] for i in absent] == [2.5, 2.5, 2.5]
    assert (price[row(items, "a")], price[row(items, "c")]) == (1.0, 4.0)


def test_a_missing_token_sequence_is_all_padding(items: Dataset) -> None:
    tags = items.item_feat["tags"]
    names = items.field2id_token["tags"]
    expected = {"a": ["red", "blue"], "b": ["[PAD]", "[PAD]"], "c": ["blue", "[PAD]"]}
    assert {t: list(names[tags[row(items, t)]]) for t in expected} == expected
    assert tags[0].tolist() == [0, 0]
    assert items.field2seqlen["tags"] == 2


def test_a_missing_float_sequence_is_all_zero(items: Dataset) -> None:
    embedding = items.item_feat["emb"]
    expected = {"a": [1, 2], "b": [0, 0], "c": [3, 5], "d": [0, 0]}
    assert {t: embedding[row(items, t)].tolist() for t in expected} == expected


def test_a_float_sequence_is_normalised_over_all_its_values(make_config: MakeConfig) -> None:
    items = Dataset(make_config(normalize_field=["emb"]))
    values = items.item_feat["emb"]
    assert values[row(items, "a")] == pytest.approx([0.0, 0.25])
    assert values[row(items, "c")] == pytest.approx([0.5, 1.0])
    assert len(values[row(items, "b")]) == 0


def test_a_numerical_float_sequence_keeps_its_lengths(make_config: MakeConfig) -> None:
    items = Dataset(make_config(numerical_features=["emb"]))
    base, index = items.item_feat["emb"][row(items, "c")]
    assert (base.tolist(), index.tolist()) == ([3, 5], [1, 1])
    assert [len(part) for part in items.item_feat["emb"][row(items, "b")]] == [0, 0]


def test_a_discretised_float_sequence_keeps_its_lengths(make_config: MakeConfig) -> None:
    buckets = {"emb": {"method": "ED", "bucket": 2}}
    items = Dataset(make_config(numerical_features=["emb"], discretization=buckets))
    # Equal widths over [1, 5]: values below 3 fall in bucket 1, the rest in bucket 2.
    assert items.item_feat["emb"][row(items, "a")][1].tolist() == [1, 1]
    assert items.item_feat["emb"][row(items, "c")][1].tolist() == [1, 2]
    assert len(items.item_feat["emb"][row(items, "b")][1]) == 0


def test_only_the_host_reads_missing_sequences_as_text(tmp_path: Path) -> None:
    file = f"{tmp_path}/x.item"
    pd.DataFrame({"i:token": ["a"], "t:token_seq": [None], "f:float": [None]}).to_csv(file)
    dtype = {"t:token_seq": str}
    seen, plain = host.pd.read_csv(file, dtype=dtype), pd.read_csv(file, dtype=dtype)
    assert seen["t:token_seq"].tolist() == [""]
    assert np.isnan(seen["f:float"]).all()
    assert plain["t:token_seq"].isna().all()
    assert host.pd.DataFrame is pd.DataFrame
