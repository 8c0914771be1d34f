"""Models and seeds as the user writes them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recbole.model.general_recommender import BPR

from recbole_invariant.comparison.specs import FIRST_SEED, ModelSpec, parse_models, parse_seeds
from recbole_invariant.errors import InputError


def test_options_of_a_line_stand_in_brackets():
    found = parse_models("Pop, my.Model,PaInvRL[n_environments=5,topk=[5,10],x={a: 1, b: 2}]")

    assert found == [
        ModelSpec("Pop", "Pop"),
        ModelSpec("my.Model", "my.Model"),
        ModelSpec(
            "PaInvRL[n_environments=5,topk=[5,10],x={a: 1, b: 2}]",
            "PaInvRL",
            {"n_environments": "5", "topk": "[5,10]", "x": "{a: 1, b: 2}"},
        ),
    ]


names = st.from_regex(r"[A-Z][a-z]{0,5}", fullmatch=True)
values = st.from_regex(r"[a-z0-9.]{1,5}|\[[0-9](,[0-9]){0,2}\]", fullmatch=True)
specs = st.tuples(names, st.dictionaries(st.from_regex(r"[a-z_]{1,6}", fullmatch=True), values))


@settings(max_examples=30)
@given(st.lists(specs, min_size=1, max_size=4, unique_by=lambda spec: spec[0]))
def test_what_is_written_is_read_again(written):
    labels = [
        name + ("[" + ",".join(f"{k}={v}" for k, v in options.items()) + "]" if options else "")
        for name, options in written
    ]

    found = parse_models(",".join(labels))

    assert found == [
        ModelSpec(label, name, options)
        for label, (name, options) in zip(labels, written, strict=True)
    ]
    assert found == parse_models(labels)


def test_a_class_goes_by_its_import_path():
    assert parse_models([BPR])[0].model == "recbole.model.general_recommender.bpr.BPR"


@pytest.mark.parametrize(
    ("models", "says"),
    [
        ("", "none is named"),
        ("BPR,BPR", "'BPR' is named twice"),
        ("BPR[x=1", "do not match"),
        ("BPR]", "do not match"),
        ("BPR[x]", "'x' in 'BPR[x]' is no option"),
        ("BPR,,Pop", "'' is no model"),
        ("BPR[x=1]y", "is no model"),
        ([type("Local", (BPR,), {"__qualname__": "f.<locals>.Local"})], "imported by name"),
    ],
)
def test_wrong_models(models, says):
    with pytest.raises(InputError, match=says.replace("[", r"\[").replace("]", r"\]")):
        parse_models(models)


@pytest.mark.parametrize(
    ("seeds", "first", "expected"),
    [
        ("3", None, [FIRST_SEED, FIRST_SEED + 1, FIRST_SEED + 2]),
        ("2", "7", [7, 8]),
        (1, 0, [0]),
        ("[1,2,7]", None, [1, 2, 7]),
        ([4, 1], None, [4, 1]),
    ],
)
def test_seeds(seeds, first, expected):
    assert parse_seeds(seeds, first) == expected


@pytest.mark.parametrize(
    ("seeds", "first", "says"),
    [
        ("0", None, "expected how many"),
        ("many", None, "expected how many"),
        ("[1,1]", None, "different integers"),
        ("[]", None, "expected how many"),
        ("[-1]", None, "different integers"),
        ("true", None, "expected how many"),
        ("[1,2]", "3", "goes with a number of seeds"),
        ("2", "x", "first_seed: expected an integer"),
    ],
)
def test_wrong_seeds(seeds, first, says):
    with pytest.raises(InputError, match=says):
        parse_seeds(seeds, first)
