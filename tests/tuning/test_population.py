"""What a member of a population may change its options to: values of the space, no others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.tuning.dimension import Dimension
from recbole_invariant.tuning.population import inside, mutation, nearest
from recbole_invariant.tuning.space import Space

CHOICE = Dimension("x", "choice", ([64, 32], [16], "none", None))


@st.composite
def ranges(draw: st.DrawFn) -> Dimension:
    """Make a range of any kind, with or without a step that need not divide it."""
    kind = draw(st.sampled_from(["uniform", "loguniform", "int", "logint"]))
    step: float | None = None
    if kind in ("int", "logint"):
        low: float = draw(st.integers(1, 20))
        high: float = low + draw(st.integers(1, 40))
        if kind == "int":
            step = draw(st.none() | st.integers(1, int(high - low)))
    else:
        # thousandths, as people write them
        thousandths = draw(st.integers(1, 5000)), draw(st.integers(2, 5000))
        low, high = thousandths[0] / 1000, sum(thousandths) / 1000
        if kind == "uniform":
            step = draw(st.none() | st.integers(1, thousandths[1]).map(lambda n: n / 1000))
    return Dimension("x", kind, low=low, high=high, step=step)


def is_value(dimension: Dimension, value: Any) -> bool:
    """Say whether a range has this value, by its ends, its kind and its steps alone."""
    low, high = dimension.ends
    whole = dimension.kind in ("int", "logint")
    if type(value) is not (int if whole else float) or not low <= value <= high:
        return False
    if dimension.step is None:
        return True
    steps = (value - low) / dimension.step
    return steps == pytest.approx(round(steps), abs=1e-6)


@given(ranges(), st.floats(-200, 400))
def test_any_number_becomes_a_value_of_the_range(dimension: Dimension, number: float) -> None:
    found = nearest(dimension, number)
    assert is_value(dimension, found)
    if dimension.size is not None:
        every = [dimension.nth(index) for index in range(dimension.size)]
        least = min(abs(value - number) for value in every)
        assert abs(found - number) == pytest.approx(least, rel=1e-6, abs=1e-9)


@given(ranges(), st.floats(0, 1, exclude_max=True))
def test_a_value_stays_what_it_is(dimension: Dimension, share: float) -> None:
    value = dimension.at(share)
    assert nearest(dimension, value) == pytest.approx(value, rel=1e-9)
    assert type(nearest(dimension, value)) is type(value)


@pytest.mark.parametrize(
    ("dimension", "number", "value"),
    [
        (Dimension("x", "uniform", low=0, high=0.55, step=0.2), 0.55, 0.4),
        (Dimension("x", "uniform", low=0, high=0.5, step=0.1), 0.6, 0.5),
        (Dimension("x", "int", low=2, high=9, step=3), 9, 8),
        (Dimension("x", "int", low=1, high=4), 4.8, 4),
        (Dimension("x", "int", low=1, high=4), 2.4, 2),
        (Dimension("x", "logint", low=10, high=500), 8.0, 10),
        (Dimension("x", "logint", low=10, high=500), 12.0, 12),
        (Dimension("x", "loguniform", low=0.001, high=0.1), 0.0012, 0.0012),
    ],
)
def test_the_nearest_one_is_taken(dimension: Dimension, number: float, value: float) -> None:
    found = nearest(dimension, number)
    assert found == value
    assert type(found) is type(value)


@given(ranges())
def test_a_range_is_drawn_from_anew(dimension: Dimension) -> None:
    draw = mutation(dimension)
    assert callable(draw)
    assert all(is_value(dimension, draw()) for _ in range(5))


def test_each_range_draws_from_its_own() -> None:
    """Functions that are made in a loop must not all see its last dimension."""
    low, high = (Dimension("x", "int", low=end, high=end + 1) for end in (1, 100))
    draws = [mutation(low), mutation(high)]
    for draw, dimension in zip(draws, (low, high), strict=True):
        assert callable(draw)
        assert draw() in dimension.ends


def test_a_choice_is_a_list_to_move_along() -> None:
    assert mutation(CHOICE) == [[64, 32], [16], "none", None]


def test_what_was_multiplied_comes_back_into_the_space() -> None:
    space = Space(
        (
            Dimension("mlp", "choice", ([64, 32], [16])),
            Dimension("layers", "int", low=1, high=4),
            Dimension("dropout", "uniform", low=0, high=0.55, step=0.2),
            Dimension("rate", "loguniform", low=1e-4, high=1e-2),
            Dimension("unread", "uniform", low=0, high=1),
        ),
        "test",
    )
    options = {"mlp": [16], "layers": 4.8, "dropout": 0.66, "rate": 0.012}
    config = {"member": {"number": 3, "options": options}}
    assert inside(config, space) == {
        "member": {
            "number": 3,
            "options": {"mlp": [16], "layers": 4, "dropout": 0.4, "rate": 0.01},
        }
    }
    assert type(config["member"]["options"]["layers"]) is int  # type: ignore[index]
