from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.report.charts.intervals import Estimate
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.charts.scatter import (
    Point,
    far_behind,
    pareto_front,
    scatter,
)

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=9)


@given(POINTS)
def test_the_front_is_what_no_point_beats(points):
    beaten = {
        k
        for k, (x, y) in enumerate(points)
        if any(a >= x and b >= y and (a > x or b > y) for a, b in points)
    }
    front = pareto_front(points)
    assert set(front) == set(range(len(points))) - beaten
    assert [points[k][0] for k in front] == sorted((points[k][0] for k in front), reverse=True)


def test_a_point_far_below_and_left_of_all_others_is_left_out():
    close = [(0.20, 0.09), (0.21, 0.10), (0.19, 0.12)]
    assert far_behind([(0.1, 0.03), *close]) == [0]
    assert far_behind([(0.1, 0.095), *close]) == []  # not below all others
    assert far_behind([(0.1, 0.03), (0.2, 0.1)]) == []  # too few to leave any out


def test_a_control_is_drawn_but_not_on_the_front():
    style = Style("c0", "circle")
    model = Point("Model", style, Estimate(0.2), Estimate(0.1, 0.09, 0.11))
    control = Point("Oracle", style, Estimate(0.3), Estimate(0.3), racing=False)
    drawn = scatter([model, control], ("IID", "OOD"), "what it shows")
    alone = scatter([model], ("IID", "OOD"), "what it shows")
    assert "Oracle" in drawn
    assert drawn.count('class="front"') == alone.count('class="front"') == 1
    assert 'aria-label="what it shows"' in drawn
    # the staircase of one point: up to it, and to the left; the control would add a second step
    assert drawn.split('class="front"')[0].rsplit('d="', 1)[1].count("L") == 2


def test_names_that_are_away_from_their_points_have_a_line_to_them():
    style = Style("c3", "circle")
    crowd = [
        Point(f"PaInvRL[n_environments={k}]", style, Estimate(0.2 + k / 1e5), Estimate(0.1))
        for k in range(6)
    ]
    ends = [Point(name, style, Estimate(v), Estimate(v)) for name, v in (("Low", 0), ("Top", 1))]
    assert 'class="leader c3"' in scatter([*ends, *crowd], ("IID", "OOD"), "a crowd")
    assert "leader" not in scatter(ends, ("IID", "OOD"), "two points")


def test_long_names_stay_apart_and_inside_and_are_whole_under_the_mouse():
    style, common = Style("c0", "circle"), "encoder=GRU4Rec,loss_type=CE,independence=club,x="
    labels = [f"Irl4Rec[{common}{k}]" for k in (1, 2)]
    points = [Point(label, style, Estimate(k), Estimate(k)) for k, label in enumerate(labels)]
    drawn = scatter(points, ("IID", "OOD"), "two points")
    for k, label in zip((1, 2), labels, strict=True):
        assert f">Irl4Rec[…,x={k}]<title>{label}</title>" in drawn


def test_a_point_without_a_name_still_tells_it_under_the_mouse():
    style = Style("c0", "circle")
    points = [
        Point("first", style, Estimate(0.1), Estimate(0.3), named=False),
        Point("second", style, Estimate(0.2), Estimate(0.2)),
    ]
    drawn = scatter(points, ("x", "y"), "two points")
    assert "<title>first: x 0.1000, y 0.3000</title>" in drawn
    assert drawn.count('class="point-name"') == 1
    nameless = [Point("only", style, Estimate(0.1), Estimate(0.3), named=False)]
    assert "point-name" not in scatter(nameless, ("x", "y"), "a point")


def corners(drawn):
    path = drawn.split('class="front"')[0].rsplit('d="M', 1)[1].split('"')[0]
    return [tuple(map(float, pair.split())) for pair in path.split("L")]


def test_the_staircase_turns_where_lower_is_better():
    style = Style("c0", "circle")
    values = [(0.1, 0.1), (0.2, 0.3), (0.3, 0.2), (0.1, 0.4)]

    def front(signs):
        points = [
            Point(f"{k}", style, Estimate(a * x), Estimate(b * y))
            for (k, (x, y)), (a, b) in zip(enumerate(values), [signs] * 4, strict=True)
        ]
        bigger = (signs[0] > 0, signs[1] > 0)
        return corners(scatter(points, ("x", "y"), "points", bigger=bigger))

    plain, turned = front((1, 1)), front((1, -1))
    # the drawing of lower is better is that of higher is better, upside down
    assert [x for x, _ in turned] == [x for x, _ in plain]
    assert len({round(y + other, 1) for (_, y), (_, other) in zip(plain, turned, strict=True)}) == 1
    assert len(plain) == 7
