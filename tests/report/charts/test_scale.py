import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recbole_invariant.report.charts.scale import LogScale, Scale, nice_step, spanning

VALUES = st.floats(-1e3, 1e3).filter(lambda value: value == 0 or abs(value) > 1e-6)


@given(st.lists(VALUES, min_size=1, max_size=8), st.booleans())
def test_an_axis_shows_all_its_values_between_its_ends(values, zero):
    scale = spanning(values, 50, 250, zero)
    places = [scale(value) for value in values]
    assert all(50 - 1e-6 <= place <= 250 + 1e-6 for place in places)
    order = sorted(range(len(values)), key=lambda k: values[k])
    assert [places[k] for k in order] == sorted(places)


def test_values_that_cannot_be_drawn_are_passed_over_and_none_at_all_still_make_an_axis():
    assert spanning([None, math.nan, 1.0, 3.0], 0, 1, margin=0).low == 1
    assert spanning([], 0, 1, margin=0) == Scale(0, 1, 0, 1)
    alone = spanning([0.3], 0, 100)
    assert alone(0.3) == pytest.approx(50)


def test_an_axis_from_zero_begins_there_and_may_run_downwards():
    scale = spanning([0.2, 0.4], 300, 100, zero=True)
    assert (scale.low, scale(0)) == (0, 300)
    assert scale(0.4) < scale(0.2) < 300


@example(1.1875, 1.25, 3)  # two multiples of 0.5, so steps of 0.2: seven
@given(st.floats(-500, 500), st.floats(1e-4, 1e3), st.integers(1, 9))
def test_ticks_are_round_and_inside_and_not_far_more_than_wanted(low, width, wanted):
    scale = Scale(low, low + width, 0, 1)
    ticks = scale.ticks(wanted)
    step = nice_step(width / wanted)
    assert (3 if wanted >= 3 else 0) <= len(ticks) <= max(wanted + 1, 8)
    for value, text in ticks:
        assert low - 1e-6 * width <= value <= low + width + 1e-6 * width
        assert float(text) == pytest.approx(value, abs=step * 1e-3 + 1e-12)


@given(st.floats(1e-9, 1e9))
def test_a_step_is_one_two_or_five_and_the_next_above(rough):
    step = nice_step(rough)
    power = 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(step / power - m) for m in (1, 2, 5)) < 1e-6
    assert rough * (1 - 1e-6) <= step <= 2.5 * rough * (1 + 1e-6)


def test_a_tick_at_the_end_of_an_axis_counts_in_spite_of_rounding():
    assert [text for _, text in Scale(2e-311, 120.0, 0, 1).ticks(3)] == ["0", "50", "100"]


ENDS = st.tuples(st.floats(1e-8, 1e5), st.floats(1.2, 1e12)).map(lambda p: (p[0], p[0] * p[1]))


@given(ENDS, st.integers(2, 8))
def test_logarithmic_ticks_are_inside_rising_and_few(ends, wanted):
    scale = LogScale(ends[0], ends[1], 300, 100)
    ticks = scale.ticks(wanted)
    values = [value for value, _ in ticks]
    assert 2 <= len(values) <= wanted
    assert values == sorted(set(values))
    assert all(100 - 1e-6 <= scale(value) <= 300 + 1e-6 for value in values)
    assert all(float(text) == pytest.approx(value, rel=1e-5) for value, text in ticks)


@given(ENDS, st.floats(1, 100))
def test_equal_ratios_are_equally_far_apart(ends, ratio):
    scale = LogScale(ends[0], ends[1], 0, 500)
    assert (scale(ends[0]), scale(ends[1])) == pytest.approx((0, 500), abs=1e-9)
    one, other = ends
    steps = scale(one * ratio) - scale(one), scale(other * ratio) - scale(other)
    assert steps[0] == pytest.approx(steps[1], abs=1e-6)


def test_logarithmic_ticks_are_round():
    def texts(low, high, n):
        return [text for _, text in LogScale(low, high, 0, 1).ticks(n)]

    assert texts(1e-4, 1e-2, 6) == ["0.0001", "0.0003", "0.001", "0.003", "0.01"]
    assert texts(0.1, 10, 7) == ["0.1", "0.2", "0.5", "1", "2", "5", "10"]
    assert texts(1e-8, 1.0, 6) == ["1e-08", "1e-06", "0.0001", "0.01", "1"]
    assert texts(6.0, 9.0, 5) == ["6", "9"]
