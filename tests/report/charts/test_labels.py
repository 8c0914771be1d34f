from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.report.charts.labels import place_labels

WIDTH, HEIGHT = 520, 360
NAME = "PaInvRL[n_environments=10]"


def area(one, other):
    """Measure what two boxes share, pixel by pixel, in whole pixels."""
    columns = set(range(round(one[0]), round(one[2]))) & set(
        range(round(other[0]), round(other[2]))
    )
    rows = set(range(round(one[1]), round(one[3]))) & set(range(round(other[1]), round(other[3])))
    return len(columns) * len(rows)


@given(st.lists(st.tuples(st.floats(20, 480), st.floats(20, 340)), min_size=1, max_size=8))
def test_names_stay_inside_the_drawing(centres):
    names = [f"Model {k}" for k in range(len(centres))]
    for place, name in zip(place_labels(centres, names, WIDTH, HEIGHT), names, strict=True):
        left, top, right, bottom = place.box(name)
        assert left >= -1e-6
        assert top >= -1e-6
        assert right <= WIDTH + 1e-6
        assert bottom <= HEIGHT + 1e-6


@settings(max_examples=40)
@given(
    st.tuples(st.integers(60, 420), st.integers(60, 300)),
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=12),
)
def test_long_names_of_a_crowd_of_points_do_not_overlap(middle, offsets):
    centres = [(middle[0] + dx, middle[1] + dy) for dx, dy in offsets]
    boxes = [
        place.box(NAME) for place in place_labels(centres, [NAME] * len(centres), WIDTH, HEIGHT)
    ]
    assert all(area(one, other) == 0 for one, other in combinations(boxes, 2))


def test_a_name_with_room_stands_right_of_its_point_without_a_line():
    centres = [(100.0, 100.0), (104.0, 112.0), (300.0, 100.0)]
    places = place_labels(centres, ["A", "B", "C"], WIDTH, HEIGHT)
    assert len({(round(place.x), round(place.y)) for place in places}) == 3
    last = places[2]
    assert (last.x, last.y, last.anchor, last.leader) == (311, 104, "start", None)


def test_a_point_at_the_edge_of_a_crowd_keeps_its_name_beside_it():
    crowd = [(300.0, 200.0), (305.0, 204.0), (298.0, 207.0), (303.0, 198.0), (301.0, 203.0)]
    centres = [*crowd, (301.0, 176.0)]
    places = place_labels(centres, [NAME] * len(centres), WIDTH, HEIGHT)
    assert places[-1].leader is None
    assert any(place.leader for place in places)
