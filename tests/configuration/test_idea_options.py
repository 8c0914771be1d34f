"""IDEA's options: each that its code reads is declared, and the defaults are the paper's."""

from pathlib import Path

import pytest

import recbole_invariant
from recbole_invariant.configuration.folders import model_yaml
from recbole_invariant.configuration.known_keys import keys_read_in, schema_of
from recbole_invariant.configuration.layers import default_layers, merged
from recbole_invariant.model.sequence_encoder import SUPPORTED
from recbole_invariant.options import read_options, value_problem
from recbole_invariant.registry import resolve

PACKAGE = Path(recbole_invariant.__file__).parent
SOURCES = [
    PACKAGE / "model" / "attribute_cue.py",
    PACKAGE / "model" / "simulation.py",
    PACKAGE / "model" / "sequential_recommender" / "idea.py",
    PACKAGE / "trainer" / "idea.py",
    PACKAGE / "trainer" / "alternating_stage.py",
    *sorted((PACKAGE / "model" / "sequence_encoder").glob("*.py")),
]
DECLARED = read_options(model_yaml("IDEA"))


@pytest.mark.parametrize("backbone", SUPPORTED)
def test_what_the_code_reads_is_known_for_every_backbone(backbone):
    wrapped = resolve(backbone).model_class
    known = schema_of(resolve("IDEA").model_class, wrapped).options
    read = {key for path in SOURCES for key in keys_read_in(path.read_text(encoding="utf-8"))}

    assert "n_extractors" in read
    assert read <= known.keys()
    assert read_options_of(backbone) <= known.keys()


def read_options_of(backbone):
    return set(schema_of(resolve(backbone).model_class).options)


def test_what_is_declared_is_read():
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    host = {"epochs", "stopping_step", "train_neg_sample_args", "MAX_ITEM_LIST_LENGTH", "loss_type"}
    structure = {"wraps", "variants", "variant"}

    assert {key for key in DECLARED if f'"{key}"' not in text} - host - structure == set()


def test_the_defaults_are_the_papers():
    idea, backbone = (resolve(name).model_class for name in ("IDEA", "GRU4Rec"))
    # a data set of its own: those with a file in dataset_configs may have tuned options
    values = merged(default_layers("IDEA", idea, "no-such-data", wrapped=backbone))

    paper = {
        "variant": "paper",
        "backbone": "GRU4Rec",
        "n_extractors": 3,
        "n_environments": 4,
        "temperature": 0.1,
        "mixup_alpha": 0.1,
        "penalty": "vrex",
        "penalty_weight": 1.0,
        "lambda_level": "sample",
        "environments": "subsequence",
        "fake_ratio": 0.0,
        "keep_rate_weight": 0.0,
        "loss_type": "CE",
        "hidden_size": 128,
    }
    assert {key: values[key] for key in paper} == paper


@pytest.mark.parametrize(
    ("key", "wrong", "right"),
    [
        ("n_extractors", (1, 2.0, True), (2, 9)),
        ("n_environments", (0, 1), (2, 8)),
        ("temperature", (0, -1, float("nan"), "low"), (1e-3, 1)),
        ("mixup_alpha", (0.0, -0.1), (1e-3, 1, 10.0)),
        ("keep_rate_target", (-0.1, 1.1), (0, 1)),
        ("fake_ratio", (-0.1, 1.0), (0, 0.2)),
        ("MAX_ITEM_LIST_LENGTH", (0, 1), (2, 50)),
        ("penalty_weight", (-1,), (0, 1e4)),
        ("loss_type", ("BPR", None), ("CE",)),
    ],
)
def test_ranges(key, wrong, right):
    assert all(value_problem(DECLARED[key], value) for value in wrong)
    assert not any(value_problem(DECLARED[key], value) for value in right)


def test_the_help_of_backbone_names_all_that_there_are():
    words = DECLARED["backbone"].help.replace(",", " ").replace(".", " ").split()

    assert [word for word in words if word in SUPPORTED] == list(SUPPORTED)
