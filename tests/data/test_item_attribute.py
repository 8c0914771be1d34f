"""Attributes of items: columns of one token, of several, and what is none."""

from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.config import build_config
from recbole_invariant.data.item_attribute import item_attribute, item_tokens
from recbole_invariant.errors import InputError
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from tests.sequences import options, write_sequences


def loaded(folder: Path) -> Any:
    """Items i0 ... i29; i1 has no value, and the last line of the file is of no known item."""
    write_sequences(folder)
    lines = ["item_id:token\tbrand:token\ttags:token_seq\tprice:float"]
    for item in range(30):
        brand, tags = f"b{item % 3}", " ".join(f"t{tag}" for tag in range(item % 4))
        lines.append(f"i{item}\t{'' if item == 1 else brand}\t{tags}\t{item}")
    (folder / "toy" / "toy.item").write_text("\n".join([*lines, "x\tb9\tt9\t1", ""]))
    columns = {"inter": ["user_id", "item_id", "timestamp"]}
    columns["item"] = ["item_id", "brand", "tags", "price"]
    config = build_config("GRU4Rec", "toy", options(folder, load_col=columns))
    return prepare(config, resolve("GRU4Rec")).dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return loaded(tmp_path_factory.mktemp("attributes"))


def names(dataset: Any, field: str, ids: list[int]) -> list[str]:
    return [str(dataset.id2token(field, value)) for value in ids if value]


def test_single_tokens(dataset: Any) -> None:
    values = item_tokens(dataset, "brand")

    assert values.shape == (dataset.item_num, 1)
    assert (values[:, 0] == item_attribute(dataset, "brand")).all()
    assert values[0] == 0
    for item in (0, 2, 29):
        row = values[dataset.token2id("item_id", f"i{item}")]
        assert names(dataset, "brand", row.tolist()) == [f"b{item % 3}"]
    assert names(dataset, "brand", values[dataset.token2id("item_id", "i1")].tolist()) == []


def test_several_tokens(dataset: Any) -> None:
    values = item_tokens(dataset, "tags")

    assert values.shape == (dataset.item_num, 3)
    for item in range(30):
        row = values[dataset.token2id("item_id", f"i{item}")]
        assert names(dataset, "tags", row.tolist()) == [f"t{tag}" for tag in range(item % 4)]


def test_what_is_no_attribute(dataset: Any) -> None:
    with pytest.raises(InputError, match=r"Did you mean 'tags'.*load_col"):
        item_tokens(dataset, "tag")
    with pytest.raises(InputError, match=r"'price'.*float; an attribute is one or several tokens"):
        item_tokens(dataset, "price")
    with pytest.raises(InputError, match=r"'tags'.*token_seq; an attribute is one token an item"):
        item_attribute(dataset, "tags")
