import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.errors import InputError
from recbole_invariant.tuning.objectives import (
    Objective,
    compromise,
    pareto_set,
    parse_objectives,
)

MEASURED = ["recall@10", "recall@20", "ndcg@10", "ndcg@20"]


def clouds(least=1):
    """Points of one to three objectives, with ties, and whether higher is better in each."""
    return st.integers(1, 3).flatmap(
        lambda n: st.tuples(
            st.lists(st.tuples(*[st.integers(0, 5)] * n), min_size=least, max_size=9),
            st.tuples(*[st.booleans()] * n),
        )
    )


def better(one, other, bigger):
    """Say, value by value, whether one is better than the other."""
    return [a > b if more else a < b for a, b, more in zip(one, other, bigger, strict=True)]


def beats(one, other, bigger):
    return any(better(one, other, bigger)) and not any(better(other, one, bigger))


@given(clouds(least=0))
def test_the_pareto_set_is_what_nobody_beats_each_point_once(cloud):
    points, bigger = cloud
    found = pareto_set(points, bigger)
    unbeaten = {p for p in points if not any(beats(q, p, bigger) for q in points)}
    assert {points[k] for k in found} == unbeaten
    assert len(found) == len(unbeaten)
    assert found == sorted(points.index(points[k]) for k in found)


@given(clouds())
def test_the_compromise_is_the_unbeaten_point_nearest_to_the_ideal_one(cloud):
    points, bigger = cloud
    chosen = compromise(points, bigger)
    front = [p for p in points if not any(beats(q, p, bigger) for q in points)]

    def distance(point):
        total = 0.0
        for axis, more in enumerate(bigger):
            values = [p[axis] for p in front]
            span = max(values) - min(values)
            ideal = max(values) if more else min(values)
            total += ((point[axis] - ideal) / span) ** 2 if span else 0.0
        return math.sqrt(total)

    assert points[chosen] in front
    assert distance(points[chosen]) == pytest.approx(min(map(distance, front)))


def test_a_balanced_point_is_preferred_to_the_ends_whatever_the_units():
    points = [(0.30, 100.0), (0.28, 30.0), (0.10, 10.0), (0.09, 99.0)]
    assert pareto_set(points, [True, False]) == [0, 1, 2]
    assert compromise(points, [True, False]) == 1
    scaled = [(1000 * a, b / 1000) for a, b in points]
    assert compromise(scaled, [True, False]) == 1


def test_one_objective_leaves_its_best_and_of_ties_the_first():
    points = [(0.1,), (0.3,), (0.3,), (0.2,)]
    assert pareto_set(points, [True]) == [compromise(points, [True])] == [1]
    assert pareto_set(points, [False]) == [0]


def test_values_that_are_not_finite_are_no_points():
    with pytest.raises(ValueError, match="finite"):
        pareto_set([(0.1,), (math.nan,)], [True])


def test_a_metric_alone_is_measured_on_validation_rows_and_case_does_not_matter():
    found = parse_objectives(["NDCG@10", " ood_valid:Recall@20 "], MEASURED, protocol="temporal")
    assert found == (
        Objective("valid", "ndcg@10", True),
        Objective("ood_valid", "recall@20", True),
    )
    assert [one.name for one in found] == ["valid:ndcg@10", "ood_valid:recall@20"]


def test_recboles_classes_say_which_direction_is_better():
    (found,) = parse_objectives(["valid:rmse"], ["rmse", "mae"])
    assert not found.bigger
    (found,) = parse_objectives(["valid:rmse"], ["rmse", "mae"], bigger=lambda metric: True)
    assert found.bigger


@pytest.mark.parametrize("split", ["iid", "ood_popularity", "ood_popularity_2", "test", "oracle"])
def test_a_test_set_selects_nothing(split):
    with pytest.raises(InputError, match=r"a test set selects nothing.*ood_valid:ndcg@10"):
        parse_objectives([f"{split}:ndcg@10"], MEASURED, protocol="popularity")
    with pytest.raises(InputError, match="a test set selects nothing"):
        parse_objectives([split], MEASURED, protocol="popularity")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vaild:ndcg@10", "'vaild' is not what a search can select by.*Did you mean 'valid'"),
        ("train:ndcg@10", "'train' is not what"),
        ("valid:ndgc@10", "reports 'ndgc@10', only recall@10.*--metrics.*Did you mean 'ndcg@10'"),
        ("valid:ndcg@50", "add 50 to --topk"),
        ("valid:ndcg@ten", "a whole number behind the @"),
        ("ndcg", "name the length of the list"),
        ("valid:", "names no metric"),
        ("valid:auc", "--metrics"),
        ("ood_valid:ndcg@10", "without a protocol.*--ood.*valid:ndcg@10"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(text, words):
    with pytest.raises(InputError, match=words):
        parse_objectives([text], MEASURED)


def test_no_objective_and_one_twice_are_wrong():
    with pytest.raises(InputError, match="none is named"):
        parse_objectives([], MEASURED)
    with pytest.raises(InputError, match="valid:ndcg@10 is there twice"):
        parse_objectives(["ndcg@10", "valid:NDCG@10"], MEASURED)


def test_all_problems_are_told_at_once():
    with pytest.raises(InputError) as caught:
        parse_objectives(["iid:ndcg@10", "valid:hits@5", "ood_valid:nothing"], MEASURED)
    assert len(caught.value.problems) == 4
