"""The option schema: reading it from YAML comments, checking values, known names."""

import ast
import os
import string
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from recbole_invariant.configuration.folders import host_folder, host_yaml_files
from recbole_invariant.configuration.known_keys import (
    HOST_CODE_KEYS,
    argument_keys,
    known_keys,
    our_yaml_files,
    schema_of,
)
from recbole_invariant.configuration.layers import STRUCTURE_KEYS, Layer
from recbole_invariant.configuration.option_checks import check_options
from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import InputError
from recbole_invariant.options import (
    Constraint,
    Option,
    parse_comment,
    parse_value,
    read_options,
    value_problem,
)
from recbole_invariant.registry import resolve

SCHEMA = schema_of(resolve("PaInvRL").model_class)


def check(key, value, schema=SCHEMA):
    return check_options([Layer("command line", {key: value})], schema=schema)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        ("-2.5", -2.5),
        ("true", True),
        ("True", True),
        ("None", None),
        ("null", None),
        ("~", None),
        ("[10, 20]", [10, 20]),
        ("[a,None]", ["a", None]),
        ("{'RS':[0.8,0.1,0.1]}", {"RS": [0.8, 0.1, 0.1]}),
        ("NDCG@10", "NDCG@10"),
        ("[5,inf)", "[5,inf)"),
        ("2020-01-01", "2020-01-01"),
        ("0,1", "0,1"),
        ("*alias", "*alias"),
    ],
)
def test_parse_value(text, value):
    found = parse_value(text)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "bait",
    [
        "__import__('os').system('touch {}')",
        "!!python/object/apply:os.system ['touch {}']",
        "!!python/name:os.system",
        "open('{}','w')",
    ],
)
def test_text_is_never_run(tmp_path, bait):
    victim = tmp_path / "victim"
    text = bait.replace("{}", str(victim))

    assert parse_value(text) == text
    assert check("wandb_project", text).layers[0].values == {"wandb_project": text}
    assert not victim.exists()


def test_text_nested_too_deep_stays_text():
    assert parse_value("[" * 5000) == "[" * 5000


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers())
def test_numbers_come_back_as_python_writes_them(real, whole):
    assert parse_value(repr(real)) == real
    assert parse_value(str(whole)) == whole


@given(st.text(max_size=40))
def test_any_text_gives_a_plain_value(text):
    assert isinstance(
        parse_value(text), str | int | float | bool | list | dict | bytes | set | None
    )


@pytest.mark.parametrize(
    ("comment", "types", "constraint", "text"),
    [
        ("(int) Seed.", ("int",), None, "Seed."),
        ("(list of int) Sizes.", ("list",), None, "Sizes."),
        ("(str, optional) Path.", ("str", "none"), None, "Path."),
        ("(int or None) Threads.", ("int", "none"), None, "Threads."),
        ("(float, > 0) Step.", ("float",), Constraint("> 0", low=0, low_open=True), "Step."),
        ("(int, >= 2) |E|.", ("int",), Constraint(">= 2", low=2), "|E|."),
        (
            "(float, in (0, 1]) Share (p).",
            ("float",),
            Constraint("in (0, 1]", 0, 1, low_open=True),
            "Share (p).",
        ),
        (
            "(float, in [0, 1)) Share.",
            ("float",),
            Constraint("in [0, 1)", 0, 1, high_open=True),
            "Share.",
        ),
        (
            "(str or none, one of a | b) Kind.",
            ("str", "none"),
            Constraint("one of a | b", choices=("a", "b")),
            "Kind.",
        ),
        ("(file name of stored model) x", (), None, "(file name of stored model) x"),
        ("no type at all", (), None, "no type at all"),
    ],
)
def test_parse_comment(comment, types, constraint, text):
    assert parse_comment(comment) == (types, constraint, text)


@given(
    st.floats(-5, 5),
    st.floats(-5, 5),
    st.sampled_from("[("),
    st.sampled_from("])"),
    st.floats(-6, 6),
)
def test_interval_is_the_one_of_mathematics(low, high, opening, closing, value):
    comment = f"(float, in {opening}{low!r}, {high!r}{closing}) x"
    constraint = parse_comment(comment)[1]
    assert constraint is not None

    above = value > low if opening == "(" else value >= low
    below = value < high if closing == ")" else value <= high

    assert constraint.allows(value) == (above and below)
    assert constraint.allows([value, value]) == (above and below)


@pytest.mark.parametrize(
    ("types", "value", "fine"),
    [
        (("float",), 1, True),
        (("float",), True, False),
        (("int",), True, False),
        (("int",), 1.0, False),
        (("int",), None, False),
        (("int", "none"), None, True),
        (("bool",), 1, False),
        (("path",), "a/b", True),
        (("path",), Path("a"), True),
        (("list",), (1, 2), True),
        (("list",), "a", False),
        (("dict",), [], False),
        ((), object(), True),
    ],
)
def test_types(types, value, fine):
    assert (value_problem(Option("x", types), value) is None) is fine


def test_the_type_of_the_default_is_allowed_whatever_the_comment_says(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text("a: ~  # (int) A.\nb: 0.2  # (int) B.\nc-d: [x]\n")

    options = read_options(path)

    assert options["a"].types == ("int", "none")
    assert options["b"].types == ("int", "float")
    assert options["c-d"].types == ()
    assert options["a"].source_file == "model.yaml"


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [1", "not valid YAML"), ("- 1", "it holds a list"), ("1: 2", "keys that are not text")],
)
def test_bad_yaml_names_the_file(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)

    with pytest.raises(InputError, match=message) as caught:
        read_yaml_mapping(path)

    assert str(path) in str(caught.value)


def test_a_key_that_stands_twice_is_an_error(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("epochs: 1\nseed: 2\nepochs: 3\n")

    with pytest.raises(InputError, match="'epochs' stands here twice"):
        read_yaml_mapping(path)


@pytest.mark.parametrize("path", our_yaml_files()[:1] + our_yaml_files(), ids=lambda p: p.stem)
def test_our_yaml_files_declare_their_options(path):
    for option in read_options(path).values():
        if option.name in STRUCTURE_KEYS or path.parent.name == "dataset_configs":
            continue
        assert option.types, f"{path.name}: {option.name} declares no type"
        assert option.help, f"{path.name}: {option.name} says no effect"
        assert value_problem(option, option.default) is None


def test_variants_set_declared_options_to_allowed_values():
    for path in our_yaml_files():
        variants = read_yaml_mapping(path).get("variants") or {}
        model = resolve(path.stem).model_class if variants else None
        for name, values in variants.items():
            checked = check_options([Layer(name, values)], model)
            assert checked.problems == []
            assert checked.warnings == []


def keys_in_syntax_tree(path):
    """Keys read from a Config, found another way than `keys_read_in` does."""
    names = ("config", "final_config_dict")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Subscript(value=owner, slice=ast.Constant(value=str(key))):
                pass
            case ast.Compare(left=ast.Constant(value=str(key)), comparators=[owner]):
                pass
            case ast.Call(
                func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str(key)), *_]
            ) if ast.unparse(owner).endswith("final_config_dict"):
                pass
            case _:
                continue
        if ast.unparse(owner).split(".")[-1] in names:
            yield key


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_host_code_keys_are_those_of_the_installed_source():
    in_code = {key for path in host_folder().rglob("*.py") for key in keys_in_syntax_tree(path)}
    in_files = {key for path in host_yaml_files() for key in yaml.safe_load(path.read_text()) or {}}

    assert in_code - in_files - argument_keys() == set(HOST_CODE_KEYS)


def test_known_keys_hold_what_each_source_names():
    class Model:
        default_options = {"my_own_key": 1}  # noqa: RUF012

    keys = known_keys(Model)

    for key in ("gpu_id", "reg_weight", "positive_threshold", "n_environments", "encoding"):
        assert key in keys
    assert "my_own_key" in keys
    assert "my_own_key" not in known_keys()
    assert not keys & set(STRUCTURE_KEYS)


LONG_KEYS = sorted(key for key in SCHEMA.options if len(key) >= 6)


@given(st.data())
def test_one_wrong_letter_is_rejected_with_the_right_name(data):
    key = data.draw(st.sampled_from(LONG_KEYS))
    at = data.draw(st.integers(0, len(key) - 1))
    letter = data.draw(st.sampled_from(string.ascii_lowercase + "_"))
    wrong = data.draw(
        st.sampled_from(
            [
                key[:at] + letter + key[at + 1 :],
                key[:at] + letter + key[at:],
                key[:at] + key[at + 1 :],
            ]
        )
    )
    assume(wrong not in SCHEMA.known)

    (problem,) = check(wrong, 1).problems

    assert f"there is no option '{wrong}'" in problem
    assert f"'{key}'" in problem.split("Did you mean")[1]


def test_an_option_of_another_model_is_a_warning():
    schema = schema_of(resolve("BPR").model_class)

    checked = check("n_layers", "3", schema)

    assert checked.problems == []
    assert len(checked.warnings) == 1
    assert "'n_layers' belongs to other models" in checked.warnings[0]


def test_an_option_that_the_models_code_reads_is_no_warning(tmp_path, monkeypatch):
    (tmp_path / "reads_layers.py").write_text(
        "from recbole.model.general_recommender import BPR\n"
        "class Deep(BPR):\n"
        "    def __init__(self, config, dataset):\n"
        "        self.depth = config['n_layers']\n"
    )
    monkeypatch.syspath_prepend(os.fspath(tmp_path))
    schema = schema_of(resolve("reads_layers.Deep").model_class)

    assert check("n_layers", "3", schema).warnings == []
    assert check("ssl_temp", "3", schema).warnings != []


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("gpu_id", "0", 0),
        ("gpu_id", "0,1", "0,1"),
        ("wandb_project", "7", "7"),
        ("user_inter_num_interval", "[5,inf)", "[5,inf)"),
        ("user_inter_num_interval", "[5,10]", "[5,10]"),
        ("learning_rate", "1", 1),
        ("topk", "5", 5),
        ("topk", "5,10", [5, 10]),
        ("baselines", "Pop", ["Pop"]),
        ("baselines", "Pop,BPR", ["Pop", "BPR"]),
        ("metrics", "Recall", "Recall"),
        ("metrics", "Recall,NDCG", ["Recall", "NDCG"]),
        ("ood", "null", None),
        ("train_neg_sample_args", "None", None),
        ("him_scratch", "true", True),
    ],
)
def test_text_becomes_a_value_of_the_options_type(key, text, value):
    checked = check(key, text)

    assert checked.problems == []
    assert checked.layers[0].values == {key: value}


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("learning_rate", "fast", "must be float, > 0; 'fast' is str"),
        ("learning_rate", "0", "must be float, > 0; it is 0"),
        ("epochs", True, "True is bool"),
        ("n_environments", "1", "int, >= 2; it is 1"),
        ("him_mode", "varian", "Did you mean 'variant'?"),
        ("him_min_share", 1.0, "in [0, 1)"),
    ],
)
def test_wrong_values_name_option_type_and_layer(key, value, says):
    (problem,) = check(key, value).problems

    assert problem.startswith(f"command line: option '{key}' ")
    assert says in problem


def test_a_stored_null_of_recboles_negative_sampling_reads_as_null():
    stored = {"distribution": "none", "sample_num": "none", "alpha": "none"}

    assert check("train_neg_sample_args", stored).layers[0].values["train_neg_sample_args"] is None
