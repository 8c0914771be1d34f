"""The YAML form of a space: what reads, and what is said of what does not."""

from typing import Any

import pytest

from recbole_invariant.errors import InputError
from recbole_invariant.tuning.dimension import Dimension
from recbole_invariant.tuning.space_yaml import parse_dimensions


def test_every_kind_reads() -> None:
    found = parse_dimensions(
        {
            "a": [1, [2, 3]],
            "b": {"choice": ["x"], "when": {"a": 1, "c": [True, None]}},
            "c": {"uniform": [0, 1], "step": 0.5},
            "d": {"int": [1, 3], "step": 2},
        },
        "s",
    )
    assert found == (
        Dimension("a", "choice", (1, [2, 3])),
        Dimension("b", "choice", ("x",), when={"a": (1,), "c": (True, None)}),
        Dimension("c", "uniform", low=0, high=1, step=0.5),
        Dimension("d", "int", low=1, high=3, step=2),
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (0.1, r"s: x: expected a list of choices.*it is 0\.1"),
        ({}, "it says of no kind"),
        ({"step": 1}, "it says of no kind"),
        ({"loguniforn": [1, 2]}, "there is no 'loguniforn' in a space. Did you mean 'loguniform'"),
        ({"uniform": [1, 2], "int": [1, 2]}, "it has uniform and int"),
        ({"choice": []}, "a choice needs a list"),
        ({"choice": 3}, "a choice needs a list"),
        ([], "a choice needs a list"),
        ({"uniform": [1, 2, 3]}, "uniform needs its two ends, numbers"),
        ({"uniform": ["1e", 2]}, "uniform needs its two ends"),
        ({"uniform": [True, 2]}, "uniform needs its two ends"),
        ({"uniform": [0, float("inf")]}, "uniform needs its two ends"),
        ({"uniform": [0, float("nan")]}, "uniform needs its two ends"),
        ({"int": [1, 2.5]}, "int needs its two ends, whole numbers"),
        ({"loguniform": [1, 2], "step": 1}, "loguniform takes no step"),
        ({"choice": [1, 2], "step": 1}, "choice takes no step"),
        ({"uniform": [1, 2], "step": 0}, "step must be a number > 0"),
        ({"int": [1, 2], "step": 0.5}, "step must be a whole number > 0"),
        ({"int": [1, 2], "when": "a"}, r"when needs \{option: value"),
        ({"int": [1, 2], "when": {}}, r"when needs \{option: value"),
        ({"int": [1, 2], "when": {"a": []}}, r"when needs \{option: value"),
    ],
)
def test_what_does_not_read_is_said(given: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_dimensions({"x": given}, "s")


def test_all_of_it_is_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_dimensions({"a": 1, "b": {"int": [1], "step": -1, "when": 2}, "c": [1]}, "s")
    assert [problem.split(":")[1].strip() for problem in caught.value.problems] == [*"abbb"]
