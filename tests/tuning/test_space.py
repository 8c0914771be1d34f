"""Spaces: conditions, grids, files and models."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.errors import InputError
from recbole_invariant.host_models import host_model_class
from recbole_invariant.registry import resolve
from recbole_invariant.tuning.dimension import Dimension, same
from recbole_invariant.tuning.space import Space, read_space, space_of

CHAIN = Space.from_yaml(
    {
        "third": {"int": [1, 2], "when": {"second": True}},
        "first": ["a", "b"],
        "second": {"choice": [True, False], "when": {"first": "a", "outside": [1, 2]}},
    },
    "chain.yaml",
)


def test_conditions_hold_in_chains_and_of_fixed_options() -> None:
    drawn = {"third": 1, "first": "a", "second": True, "other": 9}
    assert CHAIN.active(drawn, {"outside": 2}) == {"third": 1, "first": "a", "second": True}
    assert list(CHAIN.active(drawn, {"outside": 2})) == ["third", "first", "second"]
    assert CHAIN.active(drawn, {"outside": 3}) == {"first": "a"}
    assert CHAIN.active(drawn) == {"first": "a"}
    off = drawn | {"second": False}
    assert CHAIN.active(off, {"outside": 1}) == {"first": "a", "second": False}
    # An option of the space that is not active fulfils nothing, whatever its fixed value is.
    assert CHAIN.active(drawn | {"first": "b"}, {"outside": 1, "second": True}) == {"first": "b"}


def test_an_option_that_the_user_fixes_leaves_the_space_and_still_decides() -> None:
    fewer = CHAIN.without(["first"])
    assert fewer.names == ("third", "second")
    assert fewer.active({"second": True, "third": 2}, {"first": "a", "outside": 1}) == {
        "second": True,
        "third": 2,
    }
    assert fewer.active({"second": True, "third": 2}, {"first": "b", "outside": 1}) == {}
    assert fewer.readable({"first": "b", "outside": 1}).dimensions == ()
    assert fewer.readable({"first": "a", "outside": 1}) == fewer
    assert CHAIN.readable({"outside": 5}).names == ("first",)


def test_conditions_in_a_circle_are_an_error() -> None:
    circle = Space.from_yaml(
        {"a": {"int": [1, 2], "when": {"b": 1}}, "b": {"int": [1, 2], "when": {"a": 1}}}, "s.yaml"
    )
    with pytest.raises(InputError, match=r"s\.yaml: the conditions \(when\) of a, b go round"):
        circle.active({"a": 1})


def brute_force(space: Space, fixed: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the different active options of all combinations."""
    values = [[one.nth(n) for n in range(one.size or 0)] for one in space.dimensions]
    found: list[dict[str, Any]] = []
    for combination in itertools.product(*values):
        active = space.active(dict(zip(space.names, combination, strict=True)), fixed)
        if not any(same(active, other) for other in found):
            found.append(active)
    return found


@st.composite
def finite_spaces(draw: st.DrawFn) -> Space:
    """Return a space of up to four options, each with conditions on those before it only."""
    dimensions: list[Dimension] = []
    for n in range(draw(st.integers(1, 4))):
        before = [f"x{m}" for m in range(n)] + ["fixed"]
        named = draw(st.lists(st.sampled_from(before), max_size=2, unique=True))
        when = {
            other: tuple(draw(st.lists(st.integers(0, 2), min_size=1, max_size=2, unique=True)))
            for other in named
        }
        high = draw(st.integers(1, 2))
        dimensions.append(Dimension(f"x{n}", "int", low=0, high=high, when=when))
    return Space(tuple(draw(st.permutations(dimensions))), "hypothesis")


@settings(max_examples=60, deadline=None)
@given(space=finite_spaces(), fixed=st.integers(0, 2))
def test_a_grid_has_every_active_combination_once(space: Space, fixed: int) -> None:
    expected = brute_force(space, {"fixed": fixed})
    found = list(space.grid({"fixed": fixed}))
    assert len(found) == len(expected) == space.grid_size({"fixed": fixed})
    assert all(any(same(one, other) for other in expected) for one in found)
    read = space.readable({"fixed": fixed})
    assert set(read.names) >= {name for one in expected for name in one}
    assert list(read.grid({"fixed": fixed})) == found


def test_the_last_option_of_a_grid_changes_fastest() -> None:
    space = Space.from_yaml({"a": [1, 2], "b": {"uniform": [0, 1], "step": 0.5}}, "s")
    assert [tuple(one.values()) for one in space.grid()] == [
        (1, 0.0), (1, 0.5), (1, 1.0), (2, 0.0), (2, 0.5), (2, 1.0),
    ]  # fmt: skip


def test_a_grid_of_a_continuous_range_names_it() -> None:
    space = Space.from_yaml({"a": [1], "lr": {"loguniform": [1, 2]}, "k": {"logint": [1, 9]}}, "s")
    for ask in (space.grid, space.grid_size):
        with pytest.raises(InputError, match=r"s: a grid needs choices.*: lr, k can take any"):
            ask()


def test_a_space_survives_a_file(tmp_path: Path) -> None:
    given = {
        "lr": {"loguniform": [1e-4, 1e-2], "when": {"a": ["x", "y"]}},
        "d": {"uniform": [0, 0.5], "step": 0.1},
        "n": {"int": [1, 4]},
        "k": {"logint": [1, 10]},
        "a": ["x", "y", [1, 2], None],
    }
    space = Space.from_yaml(given, "s")
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(space.as_yaml(), sort_keys=False))
    again = read_space(path)
    assert again.dimensions == space.dimensions
    assert again.source == str(path)
    assert len(space.describe()) == 5


def test_the_suffix_decides_the_format(tmp_path: Path) -> None:
    path = tmp_path / "hyper.test"
    path.write_text("lr choice [0.1, 0.2]\n")
    assert read_space(path).dimensions == (Dimension("lr", "choice", (0.1, 0.2)),)
    with pytest.raises(InputError, match=r"gone\.test': there is no such file"):
        read_space(tmp_path / "gone.test")
    with pytest.raises(InputError, match=r"gone\.yaml': there is no such file"):
        read_space(tmp_path / "gone.yaml")


def test_a_model_that_wraps_another_has_both_spaces() -> None:
    idea = resolve("IDEA").model_class
    found = space_of("IDEA", idea, host_model_class("SASRec"))
    assert found.source == "properties/tune/IDEA.yaml and properties/tune/SASRec.yaml"
    assert {"penalty_weight", "hidden_dropout_prob"} <= set(found.names)
    assert "num_layers" not in found.names
    assert "num_layers" in space_of("IDEA", idea, host_model_class("GRU4Rec")).names


def test_a_class_of_the_user_has_the_space_of_what_it_derives_from() -> None:
    mine = type("Mine", (resolve("BPR").model_class,), {})
    assert space_of("Mine", mine) == space_of("BPR", resolve("BPR").model_class)


def test_a_model_without_a_space_says_which_have_one() -> None:
    with pytest.raises(InputError, match=r"'Pop' has no search space.*--space FILE.*LightGCN"):
        space_of("Pop", resolve("Pop").model_class)
