import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.report.charts.lines import Line, line_chart, spread
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.svg import text_width

STYLE = Style("c1", "circle")


@given(st.lists(st.floats(0, 300), min_size=1, max_size=8), st.integers(0, 10_000))
def test_names_are_moved_apart_by_no_more_than_needed(places, seed):
    places = sorted(places)
    moved = np.array(spread(places, 14))
    assert (np.diff(moved) >= 14 - 1e-6).all()
    cost = np.sum((moved - places) ** 2)
    # no other places that are far enough apart are nearer to where the names belong
    steps = np.random.default_rng(seed).exponential(3, (50, len(places)))
    others = moved + np.cumsum(steps, axis=1) - steps[:, :1] * len(places)
    assert (np.sum((others - places) ** 2, axis=1) >= cost - 1e-6).all()


def test_names_stay_within_bounds_while_there_is_room():
    assert spread([5, 5, 5], 14, (10, 300)) == [10, 24, 38]
    assert spread([295, 296], 14, (10, 300)) == [286, 300]


def test_a_missing_value_breaks_the_line():
    line = Line("Model <1>", STYLE, [1, 2, 3, 4, 5], [0.1, 0.2, None, 0.3, 0.4])
    svg = line_chart([line], ("k", "recall"), "drawn")
    assert svg.count('class="line c1"') == 2
    assert "Model &lt;1&gt;" in svg
    assert "Model <1>" not in svg


def test_error_bars_and_borders_are_drawn_where_they_are():
    line = Line("M", STYLE, [1, 2], [0.1, 0.2], [0.05, None], [0.15, None], marked=True)
    svg = line_chart([line], ("n", "ndcg"), "drawn", borders=[1.5])
    assert svg.count("interval thin") == 1
    assert svg.count('class="border"') == 1
    assert "M at 2: 0.2000" in svg


def test_a_name_without_room_is_shortened_and_kept_whole_under_the_mouse():
    name = "Model[" + "x" * 90 + "]"
    svg = line_chart([Line(name, STYLE, [1, 2], [0.1, 0.2])], ("k", "recall"), "drawn", (520, 300))
    written = svg.partition('class="line-name">')[2]
    shown, _, rest = written.partition("<title>")
    start, _, end = shown.partition("…")
    assert name.startswith(start)
    assert name.endswith(end)
    assert rest.startswith(name)
    (x,) = re.findall(r'<text x="([\d.]+)"[^>]*line-name', svg)
    assert float(x) + text_width(shown) <= 520


def test_a_line_without_a_written_name_keeps_it_under_the_mouse():
    svg = line_chart([Line("M", STYLE, [1], [0.1], marked=True, named=False)], ("", ""), "drawn")
    assert "line-name" not in svg
    assert "<title>M at 1: 0.1000</title>" in svg
