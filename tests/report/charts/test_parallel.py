from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.parallel import (
    ABSENT,
    BOTTOM,
    TOP,
    WIDTH,
    Axis,
    Case,
    parallel_coordinates,
)
from recbole_invariant.report.charts.svg import text_width

STYLE = Style("s3", "circle")
SVG = "{http://www.w3.org/2000/svg}"


def drawn(axes, cases):
    svg = parallel_coordinates(axes, cases, "what it shows")
    return ElementTree.fromstring(svg)


def paths(root):
    return [path for path in root.iter("path") if "case" in path.get("class", "")]


def corners(path):
    return [tuple(map(float, pair.split())) for pair in path.get("d")[1:].split("L")]


@given(st.lists(st.floats(0.001, 1000), min_size=2, max_size=8), st.booleans())
def test_higher_values_stand_higher_and_all_are_on_the_axis(values, log):
    axis = Axis("x", low=min(values), high=max(values), log=log)
    places = [axis.place(value) for value in values]
    assert all(TOP - 1e-6 <= place <= BOTTOM + 1e-6 for place in places)
    order = sorted(range(len(values)), key=lambda k: values[k])
    assert [places[k] for k in order] == sorted(places, reverse=True)


def test_categories_are_evenly_spaced_and_others_pass_below():
    axis = Axis("kind", ("a", "b", "c"))
    first, second, third = (axis.place(name) for name in "abc")
    assert BOTTOM > first > second > third > TOP
    assert first - second == pytest.approx(second - third)
    assert axis.place("d") == axis.place(None) == ABSENT > BOTTOM
    assert Axis("x").place(None) == Axis("x").place("text") == ABSENT


def test_whole_numbers_have_whole_ticks():
    texts = [written for _, written in Axis("n", low=1, high=3, whole=True).ticks()]
    assert texts == ["1", "2", "3"]
    assert [written for _, written in Axis("n", low=2, high=2, whole=True).ticks()] == ["2"]


def test_a_line_goes_through_its_values_from_axis_to_axis():
    axes = [Axis("a", low=0, high=1), Axis("b", ("x", "y")), Axis("c", low=1, high=100, log=True)]
    one, other = Case("one", STYLE, (0.0, "y", 10.0)), Case("other", STYLE, (1.0, None, 100.0))
    first, second = map(corners, paths(drawn(axes, [one, other])))
    assert [x for x, _ in first] == [x for x, _ in second]
    assert first[0][1] == pytest.approx(BOTTOM, abs=0.1)
    assert first[2][1] == pytest.approx((TOP + BOTTOM) / 2, abs=0.1)
    assert [y for _, y in second] == pytest.approx([TOP, ABSENT, TOP], abs=0.1)


def test_what_stands_below_an_axis_is_said_only_where_a_line_passes_there():
    axes = [Axis("a", absent="nothing"), Axis("b", absent="none at all")]
    root = drawn(axes, [Case("one", STYLE, (None, 0.5))])
    texts = [element.text for element in root.iter("text")]
    assert "nothing" in texts
    assert "none at all" not in texts


def test_the_look_and_the_words_of_a_line_are_its_own():
    cases = [
        Case("<b>", Style("s0", "cross", dashed=True), (0.1, 0.2)),
        Case("best", Style("c1", "diamond"), (0.3, 0.4), "strong"),
    ]
    below, above = paths(drawn([Axis("a"), Axis("b")], cases))
    assert below.get("class") == "line case s0 dashed"
    assert above.get("class") == "line case c1 strong"
    assert [path.find("title").text for path in (below, above)] == ["<b>", "best"]


def test_long_names_neither_touch_nor_leave_the_drawing():
    axes = [Axis(f"learning_rate_of_the_projection_{k}") for k in range(8)]
    root = drawn(axes, [Case("one", STYLE, [0.5] * 8)])
    names = [text for text in root.iter("text") if text.get("class") == "axis-title"]
    assert [name.find("title").text for name in names] == [axis.name for axis in axes]
    boxes: list[tuple[float, float]] = []
    for name in names:
        half = text_width(name.text) / 2
        x, y = float(name.get("x")), float(name.get("y"))
        assert x - half >= 0
        assert x + half <= WIDTH
        assert all(y != other or x - half > end for other, end in boxes)
        boxes.append((y, x + half))
    assert len({y for y, _ in boxes}) == 2
