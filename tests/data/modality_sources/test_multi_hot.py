from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.data.modality import build_modality
from recbole_invariant.data.modality_sources import SOURCES, multi_hot
from recbole_invariant.data.modality_sources.base import (
    SourceContext,
    TokenFeatures,
    parse_options,
)
from recbole_invariant.errors import InputError

# the fixture's items in file order: "9" has tags 1 2, "7" tag 1, "a b" none, "007" tags 2 3
TAGS = [[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 1, 1]]


def read(context: SourceContext, **spec: Any) -> TokenFeatures:
    return multi_hot.read(parse_options("attributes", spec, multi_hot.KEYS), context)


def test_one_column_a_value(context: SourceContext) -> None:
    features = read(context, fields="tags")
    assert list(features.tokens) == ["9", "7", "a b", "007"]
    assert features.values.tolist() == TAGS  # "8" and the second "9" are of an unseen item
    assert features.values.dtype == np.float32


def test_columns_stand_side_by_side_in_alphabetical_order(context: SourceContext) -> None:
    features = read(context, fields=["tags", "kind"])
    kinds = [[1, 0], [0, 1], [1, 0], [0, 1]]  # film, series
    expected = [[*kind, *tags] for kind, tags in zip(kinds, TAGS, strict=True)]
    assert features.values.tolist() == expected


def test_rare_values_are_left_out(context: SourceContext) -> None:
    assert read(context, fields="tags", min_df=2).values.tolist() == [row[:2] for row in TAGS]
    with pytest.raises(InputError, match=r"toy\.item \(tags\): no value stands in 3 items"):
        read(context, fields="tags", min_df=3)


def test_a_modality_of_it_has_equal_weights_and_keeps_empty_rows(context: SourceContext) -> None:
    assert SOURCES["multi_hot"] is multi_hot
    modality = build_modality("tags", read(context, fields="tags"), context.token2id, 5)
    assert modality.n_covered == 3
    by_token = {token: modality.values[k].tolist() for token, k in context.token2id.items()}
    half = pytest.approx(0.5**0.5)
    assert by_token["9"] == [half, half, 0]
    assert by_token["a b"] == [0, 0, 0]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["x", "y", "zz", "x=y"]), max_size=5), min_size=1, max_size=6)
)
def test_inner_products_count_shared_values(
    tmp_path_factory: pytest.TempPathFactory, items: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("toy")
    rows = "".join(f"{k}\t{' '.join(values)}\n" for k, values in enumerate(items))
    (folder / "toy.item").write_text("item_id:token\ttags:token_seq\n" + rows)
    token2id = {"[PAD]": 0, **{str(k): k + 1 for k in range(len(items))}}
    context = SourceContext("tags", "toy", folder, token2id, "item_id")
    if not any(items):
        with pytest.raises(InputError, match="no value"):
            read(context, fields="tags")
        return
    values = read(context, fields="tags").values
    shared = [[len(set(one) & set(other)) for other in items] for one in items]
    assert (values @ values.T).tolist() == shared
    assert values.shape[1] == len(set().union(*items))


def test_wrong_columns_and_keys_are_named(context: SourceContext) -> None:
    with pytest.raises(InputError, match=r"no column 'tag'\. Did you mean 'tags'"):
        read(context, fields="tag")
    with pytest.raises(InputError, match="unknown key 'analyzer'"):
        read(context, fields="tags", analyzer="token")
