from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.data.splits import Interactions
from recbole_invariant.data.splits.column import find_domains, number_name, split
from recbole_invariant.errors import InputError
from tests.data.splits.strategies import (
    OPTIONS,
    dressed,
    full_interactions,
    long_tailed,
    pool,
    same,
)


def options(field: str | None = "place", **changes: Any) -> dict[str, Any]:
    columns = {f"column_{key}": value for key, value in changes.items()}
    return {**OPTIONS, "column_field": field, **columns}


@given(full_interactions(), st.sampled_from(["place", "price"]), st.integers(0, 99))
def test_no_row_of_a_held_out_value_is_trained_on(
    data: Interactions, field: str, seed: int
) -> None:
    asked = options(field, bins=3)
    if len(set(data.columns[field].tolist()) - {""}) < 2:
        with pytest.raises(InputError, match="a shift needs two"):
            split(data, asked, seed)
        return
    found = split(data, asked, seed)
    found.check(len(data))
    assert same(found, split(data, asked, seed))
    shifted = data.columns[field][found.parts["ood_column"]]
    trained = data.columns[field][pool(found)]
    assert not set(shifted.tolist()) & set(trained.tolist())
    assert len(shifted)
    if field == "place":
        assert "" not in shifted
        assert set(shifted.tolist()) == set(found.notes["held_out"]["ood_column"])
        assert found.notes["rows_without_value"] == (data.columns[field] == "").sum()
    elif found.notes["quantiles"]:
        assert shifted.min() > trained.max()  # the highest quantiles


def test_each_value_named_is_a_test_of_its_own() -> None:
    data = dressed(long_tailed(50))
    found = split(data, options(held_out=["south", "here"]), 0)
    assert found.notes["held_out"] == {"ood_column_1": ["south"], "ood_column_2": ["here"]}
    place = data.columns["place"]
    for name, (value,) in found.notes["held_out"].items():
        assert np.array_equal(found.parts[name], np.flatnonzero(place == value))
    assert set(place[pool(found)]) == {"north", "there"}
    alone = split(data, options(held_out="north"), 0)
    assert alone.tests == ["iid", "ood_column"]


def test_the_highest_quantiles_make_up_the_asked_share() -> None:
    data = dressed(long_tailed(200))
    found = split(data, options("price"), 0)
    assert found.notes["held_out"] == {"ood_column": ["q9", "q10"]}
    assert len(found.parts["ood_column"]) / len(data) == pytest.approx(0.2, abs=0.001)


def test_the_rarest_values_make_up_the_asked_share() -> None:
    data = dressed(long_tailed(200))
    found = split(data, options(), 0)  # shares .05 and .15 of the rows
    assert sorted(found.notes["held_out"]["ood_column"]) == ["north", "south"]
    assert len(found.parts["ood_column"]) / len(data) == pytest.approx(0.2, abs=0.02)


@given(
    st.lists(st.one_of(st.floats(-9, 9, width=16), st.just(float("nan"))), min_size=1),
    st.integers(2, 6),
)
def test_numbers_with_many_values_become_quantiles_in_their_order(
    values: list[float], bins: int
) -> None:
    column = np.array(values)
    domains = find_domains(column, bins)
    there = np.isfinite(column)
    assert ((domains.codes == -1) == ~there).all()
    assert sorted(set(domains.codes[there].tolist())) == list(range(len(domains.names)))
    distinct = len(np.unique(column[there]))
    assert len(domains.names) <= max(bins, 1)
    assert bool(domains.ranges) == (distinct > bins)
    for a in np.flatnonzero(there):
        for b in np.flatnonzero(there):
            if column[a] < column[b]:
                assert domains.codes[a] <= domains.codes[b]
            elif column[a] == column[b]:
                assert domains.codes[a] == domains.codes[b]


def test_quantiles_of_distinct_numbers_are_equally_large() -> None:
    domains = find_domains(np.random.default_rng(0).permutation(1000) / 7, 10)
    assert domains.sizes.tolist() == [100] * 10
    assert domains.names == [f"q{k}" for k in range(1, 11)]
    assert domains.ranges["q1"] == [0.0, 99 / 7]


def test_a_number_is_named_as_one_writes_it() -> None:
    assert [number_name(v) for v in (4.0, 4, 0.1, np.float64(2.5), np.int64(-3))] == [
        "4", "4", "0.1", "2.5", "-3"
    ]  # fmt: skip
    data = replace(long_tailed(20), columns={})
    data = replace(data, columns={"rating": np.resize([4.0, 5.0, 5.0], len(data))})
    for value in (4, 4.0, "4"):
        found = split(data, options("rating", held_out=[value]), 0)
        assert found.notes["held_out"] == {"ood_column": ["4"]}


@pytest.mark.parametrize(
    ("field", "changes", "message"),
    [
        (None, {}, "name the column"),
        ("plase", {}, "Did you mean 'place'"),
        ("place", {"held_out": ["norht"]}, "Did you mean 'north'"),
        ("place", {"held_out": ["here", "there", "north", "south"]}, "left for training"),
        ("place", {"held_out": []}, "left for training"),
        ("place", {"held_out": ["here", "here"]}, "each once"),
        ("place", {"share": 2}, "column_share"),
        ("price", {"bins": 1}, "column_bins"),
    ],
)
def test_wrong_options_are_named(field: str | None, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        split(dressed(long_tailed(20)), options(field, **changes), 0)
