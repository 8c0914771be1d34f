"""The front against brute force, and what must hold of it whatever the points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.evaluation.frontier import front_at, margin_over_front, pareto_front

# few values, so that ties and equal points are common
coordinates = st.one_of(st.integers(0, 4).map(float), st.floats(-1, 1))
points = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=25)


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one != other


@given(points)
def test_the_front_is_what_nothing_beats(given_points: list[tuple[float, float]]) -> None:
    expected = {p for p in given_points if not any(beats(q, p) for q in given_points)}
    front = pareto_front(given_points)
    assert {tuple(point) for point in front.tolist()} == expected
    assert len(front) == len(expected)
    assert (np.diff(front[:, 0]) > 0).all()
    assert (np.diff(front[:, 1]) < 0).all()


@given(points, st.randoms(use_true_random=False))
def test_order_does_not_matter(given_points: list[tuple[float, float]], random: object) -> None:
    shuffled = list(given_points)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert np.array_equal(pareto_front(shuffled), pareto_front(given_points))


@given(points)
def test_the_front_of_a_front_is_itself(given_points: list[tuple[float, float]]) -> None:
    front = pareto_front(given_points)
    assert np.array_equal(pareto_front(front), front)


def brute_force_at(front: np.ndarray, iid: float) -> float:
    """The best OOD of all mixtures of neighbouring points with at least this IID."""
    if iid >= front[-1, 0]:
        return float(front[-1, 1])
    best = max(ood for at, ood in front.tolist() if at >= iid)
    for (left, high), (right, low) in zip(front.tolist(), front.tolist()[1:], strict=False):
        if left < iid <= right:
            share = (right - iid) / (right - left)
            best = max(best, share * high + (1 - share) * low)
    return best


@given(points, st.floats(-2, 6))
def test_the_level_is_the_best_mixture_of_neighbours(
    given_points: list[tuple[float, float]], iid: float
) -> None:
    front = pareto_front(given_points)
    assert float(front_at(front, iid)) == pytest.approx(brute_force_at(front, iid), abs=1e-9)


@given(points, st.lists(st.floats(-2, 6), min_size=2, max_size=6))
def test_the_level_never_rises_with_iid(
    given_points: list[tuple[float, float]], asked: list[float]
) -> None:
    levels = front_at(pareto_front(given_points), sorted(asked))
    assert (np.diff(levels) <= 1e-12).all()


@given(points, points)
def test_more_points_never_raise_the_margin_of_a_point_of_the_front(
    some: list[tuple[float, float]], more: list[tuple[float, float]]
) -> None:
    """Between its points a front may sag below the line that it had without the new ones."""
    small, large = pareto_front(some), pareto_front(some + more)
    before, after = (margin_over_front(front, *small.T) for front in (small, large))
    assert (after <= before + 1e-12).all()


@given(points)
def test_no_point_is_above_its_own_front_but_by_ties(
    given_points: list[tuple[float, float]],
) -> None:
    front = pareto_front(given_points)
    iid, ood = np.array(given_points).T
    margins = margin_over_front(front, iid, ood)
    on_front = [tuple(p) in {tuple(q) for q in front.tolist()} for p in given_points]
    assert np.abs(margins[on_front]).max(initial=0) <= 1e-12
    assert (margins <= 1e-12).all()


def test_a_hand_made_front() -> None:
    front = pareto_front([(0.1, 0.5), (0.3, 0.1), (0.2, 0.4), (0.2, 0.3), (0.1, 0.5)])
    assert front.tolist() == [[0.1, 0.5], [0.2, 0.4], [0.3, 0.1]]
    # left of it, on a point, between two, right of it
    assert front_at(front, [0.0, 0.2, 0.25, 0.9]) == pytest.approx([0.5, 0.4, 0.25, 0.1])
    assert margin_over_front(front, 0.25, 0.3) == pytest.approx(0.05)


def test_wrong_input_is_refused() -> None:
    assert pareto_front([]).shape == (0, 2)
    with pytest.raises(ValueError, match=r"expected \(n, 2\)"):
        pareto_front([1.0, 2.0])
    with pytest.raises(ValueError, match="not a number"):
        pareto_front([(0.1, float("nan"))])
    with pytest.raises(ValueError, match="no point"):
        front_at(pareto_front([]), 0.1)
