"""Irl4Rec's options: declared and read, their ranges, and which cannot go together."""

import sys
from pathlib import Path
from typing import Any

import pytest
from recbole.config import Config

import recbole_invariant
from recbole_invariant.config import build_config
from recbole_invariant.configuration.folders import model_yaml
from recbole_invariant.configuration.irl4rec_checks import READ_WITH
from recbole_invariant.configuration.known_keys import keys_read_in, schema_of
from recbole_invariant.configuration.wrapped import wrapping_option
from recbole_invariant.errors import InputError
from recbole_invariant.model.sequence_encoder import SUPPORTED, build_encoder
from recbole_invariant.options import read_options, value_problem
from recbole_invariant.registry import resolve

PACKAGE = Path(recbole_invariant.__file__).parent
DECLARED = read_options(model_yaml("Irl4Rec"))


def problems(dataset: str = "ml-100k", **options: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        build_config("Irl4Rec", dataset, options)
    return caught.value.problems


def test_what_is_declared_is_read() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    structure = {"wraps", "variants", "variant"}

    assert {key for key in DECLARED if f'"{key}"' not in text} - structure == set()


@pytest.mark.parametrize("encoder", SUPPORTED)
def test_what_the_code_reads_is_known_for_every_encoder(encoder: str) -> None:
    sources = [
        PACKAGE / "model" / "sequential_recommender" / "irl4rec.py",
        PACKAGE / "model" / "spurious_encoder.py",
        PACKAGE / "model" / "dependence.py",
        PACKAGE / "trainer" / "irl4rec.py",
        PACKAGE / "trainer" / "disentangling_stage.py",
    ]
    known = schema_of(resolve("Irl4Rec").model_class, resolve(encoder).model_class).options
    read = {key for path in sources for key in keys_read_in(path.read_text(encoding="utf-8"))}

    assert "s_input" in read
    assert read <= known.keys()


@pytest.mark.parametrize(
    ("key", "wrong", "right"),
    [
        ("s_input", ("items", None), ("sequence", "attribute", "none")),
        ("independence", ("mi", None), ("xcov", "hsic", "club", "orth", "dib", "maximize")),
        ("independence_weight", (-1, float("nan"), "much"), (0, 0.9, 10)),
        ("spurious_weight", (-0.1, "none"), (None, 0, 0.5)),
        ("contrastive_temperature", (0, -1), (0.2,)),
        ("hsic_rows", (1, 2.5), (2, 256)),
        ("adaptive_weights", ("pareto", None), ("none", "uncertainty", "min_norm")),
        ("loss_type", ("BCE", None), ("BPR", "CE")),
    ],
)
def test_ranges(key: str, wrong: tuple[Any, ...], right: tuple[Any, ...]) -> None:
    assert all(value_problem(DECLARED[key], value) for value in wrong)
    assert not any(value_problem(DECLARED[key], value) for value in right)


def test_the_help_of_encoder_names_all_that_there_are() -> None:
    words = DECLARED["encoder"].help.replace(",", " ").replace(".", " ").split()

    assert [word for word in words if word in SUPPORTED] == list(SUPPORTED)


@pytest.mark.parametrize("encoder", SUPPORTED)
def test_options_of_the_encoder_are_its_own(encoder: str) -> None:
    assert wrapping_option(resolve("Irl4Rec").model_class) == "encoder"
    config = build_config("Irl4Rec", "ml-100k", {"encoder": encoder})
    plain = build_config(encoder, "ml-100k", {})

    keys = read_options_of(encoder) - {"loss_type"}
    assert {key: config[key] for key in keys} == {key: plain[key] for key in keys}
    assert config["loss_type"] == "BPR"
    assert config["train_neg_sample_args"]["distribution"] == "uniform"


def read_options_of(encoder: str) -> set[str]:
    declared = schema_of(resolve(encoder).model_class).options
    return {key for key, option in declared.items() if option.source_file == f"{encoder}.yaml"}


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("GRU4rec", "there is no model 'GRU4rec' in RecBole. Did you mean 'GRU4Rec'"),
        ("SRGNN", "RecBole's 'SRGNN' (sequential recommender) is not supported by Irl4Rec."),
    ],
)
def test_an_encoder_that_cannot_be_wrapped(named: str, says: str) -> None:
    (problem,) = problems(encoder=named)

    assert problem.startswith(f"config=: encoder: {says}")
    assert problem.endswith(f"Supported: {', '.join(SUPPORTED)}.")
    with pytest.raises(InputError, match=r"^encoder: "):
        build_encoder(named, {"model": "Irl4Rec"}, None, option="encoder")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"independence": "dib", "independence_weight": 1},
            "independence_weight: with independence: dib it is the share of the joint prediction",
        ),
        (
            {"independence": "dib", "independence_weight": 0.5, "spurious_weight": 0.6},
            "spurious_weight: 0.6 is larger than independence_weight: 0.5;",
        ),
        (
            {"independence": "maximize", "adaptive_weights": "min_norm"},
            "adaptive_weights: min_norm weighs terms that are to become small, but independence: "
            "maximize",
        ),
        (
            {
                "independence": "dib",
                "independence_weight": 0.5,
                "spurious_weight": 0.1,
                "adaptive_weights": "uncertainty",
            },
            "but spurious_weight: 0.1 below independence_weight: 0.5 rewards a large loss of s",
        ),
        (
            {"contrastive": "dropout", "posterior": "point", "encoder": "STAMP"},
            "with posterior: point and STAMP, which has no dropout, both passes",
        ),
        (
            {
                "contrastive": "dropout",
                "posterior": "point",
                "encoder": "NARM",
                "dropout_probs": [0.0, 0.0],
            },
            "and dropout_probs 0 both passes over a sequence are the same; take posterior:",
        ),
        (
            {
                "contrastive": "dropout",
                "posterior": "point",
                "hidden_dropout_prob": 0,
                "attn_dropout_prob": 0.0,
            },
            "and hidden_dropout_prob and attn_dropout_prob 0 both passes",
        ),
    ],
)
def test_options_that_cannot_go_together(options: dict[str, Any], says: str) -> None:
    (problem,) = problems(**options)

    assert says in problem


@pytest.mark.parametrize(
    "options",
    [
        {"independence": "dib", "independence_weight": 0.99, "spurious_weight": 0.99},
        {"independence": "dib", "independence_weight": 0.5, "spurious_weight": 0.1},
        {"independence": "dib", "independence_weight": 0.5, "adaptive_weights": "uncertainty"},
        {"independence": "xcov", "independence_weight": 10.0, "adaptive_weights": "min_norm"},
        {"independence": "maximize"},
        {"variant": "plain", "independence": "dib", "independence_weight": 2.0},
        {"contrastive": "dropout", "encoder": "STAMP"},
        {"contrastive": "dropout", "posterior": "point", "hidden_dropout_prob": 0.0},
        {"contrastive": "dropout", "contrastive_weight": 0.0, "encoder": "STAMP"},
    ],
)
def test_options_that_go_together(options: dict[str, Any]) -> None:
    assert build_config("Irl4Rec", "ml-100k", options)["model"] == "Irl4Rec"


def idle_of(**options: Any) -> list[str]:
    return build_config("Irl4Rec", "ml-100k", options).warnings


def test_an_option_that_nothing_reads_is_a_warning() -> None:
    assert idle_of(spurious_weight=0.1) == [
        "config=: option 'spurious_weight' has an effect with independence: dib only; it is xcov."
    ]
    for idle in ("independence_weight", "joint_weight", "independence"):
        (said,) = idle_of(variant="plain", **{idle: "orth" if idle == "independence" else 1.0})
        assert f"'{idle}' has an effect with s_input: sequence or attribute only; it is" in said
    assert idle_of(independence="hsic", hsic_rows=64, contrastive="dropout") == []
    assert idle_of(variant="plain") == []  # what a variant leaves idle is no mistake of the user


def test_a_spurious_encoder_in_a_run_that_is_called_plain_is_a_warning() -> None:
    for s_input in ("sequence", "attribute"):
        assert idle_of(variant="plain", s_input=s_input) == [
            f"config=: s_input: {s_input} adds a spurious encoder to variant: plain, which is the "
            "encoder alone; leave s_input out, or take another variant."
        ]
    assert idle_of(variant="plain", s_input="none") == []


def test_an_attribute_that_s_does_not_read_is_a_warning_where_the_user_set_it() -> None:
    assert idle_of(attribute="class") == [
        "config=: option 'attribute' has an effect with s_input: attribute only; it is sequence. "
        "s_input: attribute or variant: attribute makes s read it."
    ]
    (said,) = idle_of(attribute="class", variant="plain")
    assert "it is none" in said
    assert idle_of() == []  # ml-100k's YAML sets attribute, too
    assert build_config("Irl4Rec", "ml-100k").layers["attribute"].startswith("dataset_configs/")
    assert idle_of(attribute="class", s_input="attribute") == []
    assert idle_of(attribute="class", variant="attribute") == []


def test_what_a_run_stored_is_no_word_of_the_user(tmp_path: Path) -> None:
    stored = tmp_path / "config.yaml"
    stored.write_text("s_input: none\nhsic_rows: 64\nindependence: dib\nn_extractors: 2\n")
    files = [str(stored)]

    assert len(build_config("Irl4Rec", "ml-100k", {}, files).warnings) == 3
    assert build_config("Irl4Rec", "ml-100k", {}, files, stored=files[0]).warnings == []
    given = {"joint_weight": 1.0}
    (said,) = build_config("Irl4Rec", "ml-100k", given, files, stored=files[0]).warnings
    assert said.startswith("config=: option 'joint_weight' has an effect")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"compression_weight": 0}, "has an effect with a compression_weight above 0 only"),
        ({"variant": "plain"}, "has an effect with a compression_weight above 0 only; it is 0."),
        ({"posterior": "point"}, "is l2 with posterior: point; kl has an effect with posterior: g"),
        ({"posterior": "gaussian"}, None),
    ],
)
def test_a_compression_without_effect_is_a_warning(
    options: dict[str, Any], says: str | None
) -> None:
    found = idle_of(compression="kl", **options)
    assert len(found) == (says is not None)
    assert all(f"config=: option 'compression' {says}" in said for said in found)
    assert idle_of(compression="l2", posterior="point") == []


def test_what_is_read_with_another_option_is_declared() -> None:
    for key, (other, needed) in READ_WITH.items():
        assert key in DECLARED
        assert not any(value_problem(DECLARED[other], value) for value in needed)


def test_a_subclass_is_checked_too_and_other_models_are_not() -> None:
    mine = type("Mine", (resolve("Irl4Rec").model_class,), {})
    wrong = {"independence": "dib", "independence_weight": 1.0}

    with pytest.raises(InputError, match="independence_weight"):
        build_config(mine, "ml-100k", wrong)
    assert build_config("IDEA", "ml-100k", {**wrong, "s_input": "attribute"})["model"] == "IDEA"


def host_config(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Config:
    monkeypatch.setattr(sys, "argv", ["pytest"])  # RecBole reads the command line
    return Config("Irl4Rec", "ml-100k", config_dict=options)


@pytest.mark.parametrize("options", [{"encoder": "BERT4Rec"}, {"variant": "plain"}])
def test_recboles_own_config_has_the_same_values(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    ours, host = build_config("Irl4Rec", "ml-100k", options), host_config(monkeypatch, **options)

    given_later = {"val_interval"}  # by `positive_threshold`, when data is prepared
    keys = ours.layers.keys() - given_later
    assert {key for key in keys if str(ours[key]) != str(host[key])} == set()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"independence": "dib", "independence_weight": 1.0}, "independence_weight: with"),
        ({"s_input": "attribute", "attribute": None}, "needs the option attribute"),
        ({"encoder": "SASrec"}, "encoder: there is no model 'SASrec' in RecBole."),
    ],
)
def test_recboles_own_config_refuses_what_ours_refuses(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        host_config(monkeypatch, **options)


def test_bpr_needs_negatives_save_where_masking_draws_them() -> None:
    (said,) = problems(train_neg_sample_args=None)

    assert said.startswith("config=: train_neg_sample_args: null with loss_type BPR")
    for options in ({"encoder": "BERT4Rec"}, {"loss_type": "CE"}):
        config = build_config("Irl4Rec", "ml-100k", {"train_neg_sample_args": None, **options})
        assert config["train_neg_sample_args"]["distribution"] == "none"
