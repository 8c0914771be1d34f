"""A model that wraps another: which one, from which layer, and whose options it reads."""

import shutil
import sys
from unittest.mock import patch

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recbole.config import Config

import recbole_invariant  # noqa: F401 - RecBole knows our names after it
from recbole_invariant.config import build_config
from recbole_invariant.configuration import folders
from recbole_invariant.configuration.folders import properties_folder
from recbole_invariant.configuration.wrapped import wrapping_option
from recbole_invariant.errors import InputError
from recbole_invariant.model.sequence_encoder import SUPPORTED
from recbole_invariant.registry import resolve

PROPERTIES = properties_folder()
LAYERS = [
    "RecBole model/SASRec.yaml",
    "properties/model/IDEA.yaml",
    "variant paper",
    "dataset_configs/toy.yaml",
    "dataset_configs/toy.yaml models.SASRec",
    "dataset_configs/toy.yaml models.IDEA",
    "config file first.yaml",
    "config file first.yaml models.SASRec",
    "config file first.yaml models.IDEA",
    "config file second.yaml",
    "config=",
    "command line",
]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A working folder with the data set `toy` and copies of our YAML files of IDEA."""
    for folder in ("properties/model", "dataset_configs", "data/toy"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("overall.yaml", "model/IDEA.yaml"):
        shutil.copy(PROPERTIES / name, tmp_path / "properties" / name)
    rows = "user_id:token\titem_id:token\ttimestamp:float\nu1\ti1\t1\nu1\ti2\t2\n"
    (tmp_path / "data" / "toy" / "toy.inter").write_text(rows)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folders, "_package_folder", lambda name: tmp_path / name)
    return tmp_path


BASE = {"data_path": "data", "load_col": None}


def write(home, name, values=None, **sections):
    """Write a YAML file of options with its sections `models`."""
    path = home / "dataset_configs" / "toy.yaml" if name == "toy.yaml" else home / name
    path.write_text(yaml.safe_dump({**(values or {}), "models": sections}))
    return str(path.name)


def problems(*args, **kwargs):
    with pytest.raises(InputError) as caught:
        build_config(*args, **kwargs)
    return caught.value.problems


def built_with(home, key, values):
    """Resolve IDEA over SASRec with an option set in some layers, to a value each."""

    def at(layer):
        return {key: values[layer]} if layer in values else {}

    def sections(file):
        return {name: at(f"{file} models.{name}") for name in ("SASRec", "IDEA")}

    text = yaml.safe_load((PROPERTIES / "model" / "IDEA.yaml").read_text())
    text |= at(LAYERS[1]) | {"variants": {"paper": at(LAYERS[2])}, "backbone": "SASRec"}
    (home / "properties" / "model" / "IDEA.yaml").write_text(yaml.safe_dump(text))
    data, first = "dataset_configs/toy.yaml", "config file first.yaml"
    write(home, "toy.yaml", at(data), **sections(data))
    write(home, "first.yaml", at(first), **sections(first))
    write(home, "second.yaml", at("config file second.yaml"))
    typed = {name: str(value) for name, value in at("command line").items()}
    given = {**BASE, **at("config=")}
    return build_config("IDEA", "toy", given, ["first.yaml", "second.yaml"], typed)


# Every example writes all files anew.
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(chosen=st.sets(st.sampled_from(LAYERS[1:])))
def test_the_last_layer_that_sets_an_option_of_the_backbone_wins(home, chosen):
    values = {layer: 100 + LAYERS.index(layer) for layer in chosen}
    last = max(chosen, key=LAYERS.index, default=LAYERS[0])

    config = built_with(home, "hidden_size", values)

    assert config.layers["hidden_size"] == last
    assert config["hidden_size"] == values.get(last, 64)
    assert config["inner_size"] == 256
    assert config["n_environments"] == 4


@pytest.mark.parametrize(
    "layer",
    [layer for layer in LAYERS[3:] if not layer.endswith("SASRec")],
)
def test_any_layer_may_name_the_backbone(home, layer):
    named = {"backbone": "BERT4Rec"}
    ours, _, section = layer.partition(" models.")
    file = ours.removeprefix("config file ").removeprefix("dataset_configs/")
    write(home, "toy.yaml", BERT4Rec={"mask_ratio": 0.3}, GRU4Rec={"hidden_size": 7})
    if file.endswith(".yaml"):
        sections = {"BERT4Rec": {"mask_ratio": 0.3}, "GRU4Rec": {"hidden_size": 7}}
        write(home, file, {} if section else named, **sections, IDEA=named if section else {})

    config = build_config(
        "IDEA",
        "toy",
        {**BASE, **(named if layer == "config=" else {})},
        [file] if layer.startswith("config file") else [],
        named if layer == "command line" else {},
    )

    assert config["backbone"] == "BERT4Rec"
    assert config.layers["backbone"] == layer
    assert (config["transform"], config["ft_ratio"]) == ("mask_itemseq", 0.5)
    assert config["mask_ratio"] == 0.3
    assert config.layers["mask_ratio"].endswith(" models.BERT4Rec")
    assert config["hidden_size"] == 64
    assert config.layers["hidden_size"] == "RecBole model/BERT4Rec.yaml"


@pytest.mark.parametrize("backbone", SUPPORTED)
def test_recboles_own_config_has_the_same_values(backbone):
    given = {"backbone": backbone, "epochs": 3}
    ours = build_config("IDEA", "ml-100k", given)
    with patch.object(sys, "argv", ["test"]):
        host = Config("IDEA", "ml-100k", config_dict=dict(given))

    different = {
        key for key in ours.layers if str(ours[key]) != str(host[key]) and key != "val_interval"
    }
    assert different == set()
    assert host["train_neg_sample_args"]["distribution"] == "none"
    assert {"backbone", "loss_type", "penalty_weight", "ood", "MODEL_TYPE"} <= ours.layers.keys()


def test_recboles_own_config_refuses_what_cannot_be_wrapped():
    with patch.object(sys, "argv", ["test"]), pytest.raises(InputError, match="'SASRec'"):
        Config("IDEA", "ml-100k", config_dict={"backbone": "SASrec"})


def test_options_of_the_backbone_are_options_of_the_model():
    def warnings(**options):
        return build_config("IDEA", "ml-100k", options).warnings

    assert warnings(hidden_size=48, dropout_prob=0.1) == []
    assert warnings(backbone="SASRec", n_heads=1) == []
    (warning,) = warnings(n_heads=1)
    assert "'n_heads' belongs to other models; IDEA over GRU4Rec does not read it" in warning


@pytest.mark.parametrize(
    ("model", "right", "wrong", "owner"),
    [("Irl4Rec", "encoder", "backbone", "IDEA"), ("IDEA", "backbone", "encoder", "Irl4Rec")],
)
def test_the_option_of_another_wrapping_model_is_refused(model, right, wrong, owner, tmp_path):
    said = f"'{wrong}' is the option of {owner}; {model} names the model that it wraps by '{right}'"
    expected = f"{said}: {right}=GRU4Rec."

    assert problems(model, "ml-100k", {wrong: "GRU4Rec"}) == [f"config=: {expected}"]
    with pytest.raises(InputError) as caught:
        build_config(model, "ml-100k", command_line={wrong: "GRU4Rec"})
    assert caught.value.problems == [f"command line: {expected}"]

    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({"models": {owner: {wrong: "GRU4Rec"}}}))
    assert build_config(model, "ml-100k", {}, [str(file)]).warnings == []
    file.write_text(yaml.safe_dump({wrong: "GRU4Rec", "models": {model: {right: "STAMP"}}}))
    assert build_config(model, "ml-100k", {}, [str(file)])[right] == "STAMP"


def test_the_option_of_a_wrapping_model_is_a_warning_where_nothing_is_wrapped():
    (warning,) = build_config("SASRec", "ml-100k", {"backbone": "GRU4Rec"}).warnings

    assert "'backbone' belongs to other models; SASRec does not read it" in warning


def test_options_of_the_backbone_are_checked_as_its_own():
    (problem,) = problems("IDEA", "ml-100k", {"backbone": "SASRec", "n_heads": "two"})

    assert "option 'n_heads' must be int" in problem


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("SASrec", "there is no model 'SASrec' in RecBole. Did you mean 'SASRec'"),
        ("Transformer", "there is no model 'Transformer' in RecBole."),
        ("SRGNN", "RecBole's 'SRGNN' (sequential recommender) is not supported by IDEA."),
        ("LightGCN", "RecBole's 'LightGCN' (general recommender) is not supported by IDEA."),
        ("IDEA", "there is no model 'IDEA' in RecBole."),
    ],
)
@pytest.mark.parametrize("layer", ["config=", "command line"])
def test_a_backbone_that_cannot_be_wrapped(named, says, layer):
    given = {"backbone": named}

    (problem,) = (
        problems("IDEA", "ml-100k", given)
        if layer == "config="
        else problems("IDEA", "ml-100k", command_line=given)
    )

    assert problem.startswith(f"{layer}: backbone: {says}")
    assert problem.endswith(f"Supported: {', '.join(SUPPORTED)}.")


@pytest.mark.parametrize("named", [3, None, ["SASRec"]])
def test_a_backbone_that_is_no_name(named):
    (problem,) = problems("IDEA", "ml-100k", {"backbone": named})

    assert "option 'backbone' must be str" in problem


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("SASrec", "there is no model 'SASrec' in RecBole. Did you mean 'SASRec'"),
        ("SRGNN", "RecBole's 'SRGNN' (sequential recommender) is not supported by IDEA."),
        (3, "expected a model, not 3."),
        (None, "expected a model, not None."),
    ],
)
def test_a_wrong_backbone_of_the_data_set(home, named, says):
    write(home, "toy.yaml", {"backbone": named})

    (problem,) = problems("IDEA", "toy", BASE)

    assert problem.startswith(f"dataset_configs/toy.yaml: backbone: {says}")
    assert build_config("IDEA", "toy", {**BASE, "backbone": "NARM"})["backbone"] == "NARM"


def test_a_wrong_backbone_hides_no_other_problem():
    given = {"backbone": "SRGN", "variant": "papre", "n_extractors": 1, "penalty_wieght": 1}

    found = problems("IDEA", "ml-100k", given)

    for part in ("'SRGN'", "'papre'", "'n_extractors'", "'penalty_weight'"):
        assert sum(part in problem for problem in found) == 1, part
    assert len(found) == 4


def test_a_section_of_the_backbone_may_hold_what_the_model_cannot_take(home):
    write(home, "toy.yaml", GRU4Rec={"loss_type": "BPR"})

    (problem,) = problems("IDEA", "toy", BASE)

    assert problem.startswith("dataset_configs/toy.yaml models.GRU4Rec: option 'loss_type' must be")
    assert "`models: IDEA`" in problem
    write(home, "toy.yaml", GRU4Rec={"loss_type": "BPR"}, IDEA={"loss_type": "CE"})
    assert build_config("IDEA", "toy", BASE)["loss_type"] == "CE"


def test_negatives_of_the_backbones_section_are_left_out(home):
    negatives = {"distribution": "uniform", "sample_num": 1}
    write(home, "toy.yaml", GRU4Rec={"train_neg_sample_args": negatives})

    config = build_config("IDEA", "toy", BASE)

    assert config["train_neg_sample_args"]["distribution"] == "none"
    assert config.layers["train_neg_sample_args"] == "loss_type CE takes no negatives"
    (problem,) = problems("IDEA", "toy", {**BASE, "train_neg_sample_args": negatives})
    assert problem.startswith("config=: train_neg_sample_args must be null")


def test_a_backbone_cannot_name_another(home):
    write(home, "toy.yaml", GRU4Rec={"backbone": "SASRec"})

    (problem,) = problems("IDEA", "toy", BASE)

    assert "'backbone' cannot be set among the options of a backbone" in problem


@pytest.mark.parametrize("text", ["models: [IDEA]\n", "models: {IDEA: 3}\n", "models: all\n"])
def test_sections_that_are_none(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)

    (problem,) = problems("IDEA", "ml-100k", config_files=[str(tmp_path / "a.yaml")])

    assert "models: expected `" in problem


def test_a_subclass_wraps_too_and_others_do_not():
    idea = resolve("IDEA").model_class
    mine = type("Mine", (idea,), {"default_options": {"warmth": 1}})

    assert wrapping_option(idea) == wrapping_option(mine) == "backbone"
    assert all(wrapping_option(resolve(name).model_class) is None for name in ("PaInvRL", "BPR"))
    config = build_config(mine, "ml-100k", {"backbone": "NARM", "warmth": 2})
    assert (config["warmth"], config["dropout_probs"]) == (2, [0.25, 0.5])
