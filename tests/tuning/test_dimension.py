"""One option of a space: its values, by number and by share of the draws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.tuning.dimension import Dimension, same

SHARES = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("dimension", "values"),
    [
        (Dimension("x", "choice", ("a", [1, 2], None)), ["a", [1, 2], None]),
        (Dimension("x", "int", low=1, high=4), [1, 2, 3, 4]),
        (Dimension("x", "int", low=2, high=9, step=3), [2, 5, 8]),
        (Dimension("x", "uniform", low=0, high=0.5, step=0.1), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        (Dimension("x", "uniform", low=0.1, high=0.4, step=0.2), [0.1, 0.3]),
    ],
)
def test_finite_dimensions_have_these_values(dimension: Dimension, values: list[object]) -> None:
    assert dimension.size == len(values)
    assert [dimension.nth(n) for n in range(len(values))] == values
    drawn = [dimension.at(share) for share in np.linspace(0, 1, 60 * len(values), endpoint=False)]
    assert [drawn.count(value) for value in values] == [60] * len(values)
    assert type(dimension.nth(0)) is type(values[0])


@given(low=st.integers(1, 50), more=st.integers(1, 50))
def test_whole_numbers_on_a_log_scale_have_the_share_of_their_interval(low: int, more: int) -> None:
    dimension = Dimension("k", "logint", low=low, high=low + more)
    assert dimension.size is None
    whole = math.log((low + more + 1) / low)
    for n in range(low, low + more + 1):
        middle = math.log((n + 0.5) / low) / whole
        assert dimension.at(middle) == n
        assert isinstance(dimension.at(middle), int)
    assert dimension.at(0.0) == low
    assert dimension.at(math.nextafter(1, 0)) == low + more


@given(share=SHARES, low=st.floats(1e-9, 1e3), factor=st.floats(1.01, 1e6))
def test_log_uniform_floats_are_inside_and_uniform_in_the_logarithm(
    share: float, low: float, factor: float
) -> None:
    drawn = Dimension("x", "loguniform", low=low, high=low * factor).at(share)
    assert low <= drawn <= low * factor
    expected = math.log(low) + share * math.log(factor)
    assert math.log(drawn) == pytest.approx(expected, abs=1e-4)


@given(share=SHARES, low=st.floats(-100, 100), more=st.floats(1e-4, 100))
def test_uniform_floats_are_inside_and_short(share: float, low: float, more: float) -> None:
    drawn = Dimension("x", "uniform", low=low, high=low + more).at(share)
    assert low <= drawn <= low + more
    assert drawn == pytest.approx(low + share * more, abs=more * 1e-5)
    assert drawn in (low, low + more) or len(f"{drawn:g}") <= len(repr(drawn)) <= 14


def test_the_smallest_is_the_lowest_number_or_the_first_choice() -> None:
    assert Dimension("x", "choice", (64, 32, 128)).smallest() == 32
    assert Dimension("x", "choice", ("b", "a")).smallest() == "b"
    assert Dimension("x", "choice", (True, False)).smallest() is True
    assert Dimension("x", "loguniform", low=1e-4, high=1).smallest() == 1e-4
    assert Dimension("x", "int", low=2, high=5).smallest() == 2


def test_true_is_not_one_and_lists_are_compared_by_their_items() -> None:
    assert same(1, 1.0)
    assert not same(True, 1)
    assert same([1, "a"], (1, "a"))
    assert not same([True], [1])
    assert not same([1], [1, 2])
    assert same({"a": [1]}, {"a": (1,)})
    assert not same({"a": 1}, {"b": 1})


def test_a_line_says_what_is_drawn_and_when() -> None:
    when = {"independence": ("xcov", "hsic")}
    found = Dimension("w", "loguniform", low=0.1, high=10, when=when).describe()
    assert found == "w: 0.1 to 10, log scale; when independence is xcov or hsic"
    assert Dimension("e", "choice", (32, [1, 2])).describe() == "e: one of 32, [1, 2]"
    assert Dimension("n", "int", low=1, high=9, step=2).describe() == (
        "n: 1 to 9 in steps of 2, whole"
    )
