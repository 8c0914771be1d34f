import numpy as np
import pytest

from recbole_invariant.data.modality_sources.base import (
    SourceContext,
    SpecKey,
    TokenFeatures,
    first_duplicate,
    parse_options,
)
from recbole_invariant.errors import InputError


@pytest.mark.parametrize(
    ("tokens", "values", "message"),
    [
        (["a"], np.zeros(1), "two dimensions"),
        (["a"], np.zeros((1, 2, 3)), "two dimensions"),
        (["a", "b"], np.zeros((3, 2)), "3 feature rows but 2 item tokens"),
        ([], np.zeros((0, 2)), "empty"),
        (["a"], np.zeros((1, 0)), "empty"),
        (["a"], np.zeros((1, 2), dtype=complex), "real numbers"),
        (["a"], np.array([["x"]]), "real numbers"),
        (["a", "b", "a"], np.zeros((3, 2)), "item 'a' has two rows, 0 and 2"),
    ],
)
def test_malformed_features_name_their_origin(
    tokens: list[str], values: np.ndarray, message: str
) -> None:
    with pytest.raises(InputError, match=r"^image\.npy: ") as caught:
        TokenFeatures(tokens, values, "image.npy")
    assert message in str(caught.value)


def test_first_duplicate_is_the_one_that_repeats_first() -> None:
    assert first_duplicate(["a", "b", "c", "b", "a"]) == "b"
    assert first_duplicate(["7", "007"]) is None


def test_options_take_defaults_and_given_values() -> None:
    keys = {"a": SpecKey((int,), default=3), "b": SpecKey((str,))}
    assert parse_options("m", {"source": "s", "b": "x"}, keys) == {"a": 3, "b": "x"}
    assert parse_options("m", {"a": None}, keys) == {"a": 3, "b": None}


def test_options_report_every_problem() -> None:
    keys = {"a": SpecKey((int,), required=True), "b": SpecKey((str,), choices=("x", "y"))}
    with pytest.raises(InputError) as caught:
        parse_options("m", {"b": "z", "c": 1}, keys)
    problems = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 3
    for part in ("unknown key 'c'", "key 'a' is needed", "'b' must be one of x, y"):
        assert part in problems


def test_relative_paths_start_at_the_dataset(context: SourceContext) -> None:
    assert context.resolve("x.npy") == context.folder / "x.npy"
    assert str(context.resolve("/data/x.npy")) == "/data/x.npy"


def test_a_missing_file_names_the_nearest_one(context: SourceContext) -> None:
    with pytest.raises(InputError, match=r"modality 'visual' of dataset 'toy'.*'toy\.item'"):
        context.existing_file(context.folder / "toy.items", "hint")
