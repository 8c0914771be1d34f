"""A space against the options of its model, and the spaces that ship."""

from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import InputError
from recbole_invariant.host_models import host_model_class
from recbole_invariant.options import Constraint, Option
from recbole_invariant.registry import resolve
from recbole_invariant.tuning.space import Space, space_of, spaces
from recbole_invariant.tuning.space_checks import check_space, shared_options, with_usual_range

PROPERTIES = Path(__file__).parents[2] / "properties"
WRAPPED = {
    "IDEA": ("backbone", ("GRU4Rec", "NARM", "LightSANs")),
    "Irl4Rec": ("encoder", ("SASRec", "BERT4Rec", "STAMP")),
}
"""The option that names a wrapped model, and a share of what it can name."""


def problems_of(given: dict[str, Any], model: str = "PaInvRL", **more: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        check_space(Space.from_yaml(given, "s"), model, "ml-100k", **more)
    return caught.value.problems


@pytest.mark.parametrize("model", spaces())
def test_a_space_that_ships_fits_its_model(model: str) -> None:
    entry = resolve(model)
    option, names = WRAPPED.get(model, ("", ("",)))
    for name in names:
        space = space_of(model, entry.model_class, host_model_class(name) if name else None)
        check_space(space, model, "ml-100k", {option: name} if name else {})
        assert len(space.dimensions) >= 2 or model == "EASE"


@pytest.mark.parametrize("model", spaces())
def test_a_space_that_ships_says_why(model: str) -> None:
    path = PROPERTIES / "tune" / f"{model}.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert model in lines[0]
    options = [line for line in lines if line and not line.startswith("#")]
    assert len(options) == len(read_yaml_mapping(path)) <= 9


def test_every_model_of_ours_has_a_space() -> None:
    ours = {path.stem for path in (PROPERTIES / "model").glob("*.yaml")}
    assert ours <= set(spaces())
    assert {"BPR", "LightGCN", "SASRec", "GRU4Rec", "BERT4Rec"} <= set(spaces())


def test_an_empty_space() -> None:
    assert "the space has no options to search" in problems_of({})[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"lerning_rate": [0.1]},
            "there is no option 'lerning_rate'. Did you mean 'learning_rate'",
        ),
        ({"num_layers": [1]}, "option 'num_layers' belongs to other models; PaInvRL does not read"),
        ({"seed": [1, 2]}, "option 'seed' cannot be searched: all trials share it"),
        ({"valid_metric": ["NDCG@10"]}, "option 'valid_metric' cannot be searched"),
        ({"pool_ratio": [[0.8, 0.1, 0.1]]}, "option 'pool_ratio' cannot be searched"),
        ({"eval_step": [1, 2]}, "option 'eval_step' cannot be searched"),
        ({"n_environments": [5, 1]}, "option 'n_environments' must be int, >= 2; it is 1."),
        ({"n_environments": {"int": [1, 9]}}, "option 'n_environments' must be int, >= 2; it is 1"),
        ({"n_environments": {"uniform": [2, 9]}}, r"Whole numbers are {int: [low, high]}."),
        ({"n_environments": {"loguniform": [2, 9]}}, r"Whole numbers are {logint: [low, high]}."),
        ({"learning_rate": {"loguniform": [0, 1]}}, "loguniform needs a low end > 0; it is 0."),
        ({"learning_rate": {"uniform": [0, 1]}}, "option 'learning_rate' must be float, > 0"),
        ({"learning_rate": {"uniform": [1, 0.1]}}, "the low end must be below the high one"),
        ({"learning_rate": {"uniform": [1, 2], "step": 3}}, "the step must fit into the range"),
        ({"learning_rate": ["fast"]}, "must be float, > 0; 'fast' is str."),
        ({"pareto": ["adaptve", "erm"]}, "Did you mean 'adaptive'?"),
        ({"pareto": ["erm", "irm", "erm"]}, "'erm' stands twice among its choices"),
        ({"pareto": {"uniform": [0, 1]}}, "option 'pareto' must be str"),
        (
            {"erm_weight": {"uniform": [0, 1], "when": {"paretto": "fixed"}}},
            "when: 'paretto' is no option of PaInvRL. Did you mean 'pareto'",
        ),
        (
            {"erm_weight": {"uniform": [0, 1], "when": {"num_layers": 1}}},
            "when: 'num_layers' is not read by PaInvRL",
        ),
        (
            {"erm_weight": {"uniform": [0, 1], "when": {"pareto": "fix"}}},
            "when: pareto must be str, one of",
        ),
        (
            {"erm_weight": {"uniform": [0, 1], "when": {"erm_weight": 0}}},
            "it cannot depend on itself",
        ),
        (
            {
                "pareto": ["adaptive", "erm"],
                "erm_weight": {"uniform": [0, 1], "when": {"pareto": "fixed"}},
            },
            "pareto is never fixed in this space (pareto: one of adaptive, erm).",
        ),
        (
            {
                "mask_epochs": {"int": [1, 9]},
                "erm_weight": {"uniform": [0, 1], "when": {"mask_epochs": 10}},
            },
            "mask_epochs is never 10 in this space",
        ),
    ],
)
def test_one_mistake_is_said(given: dict[str, Any], said: str) -> None:
    problems = problems_of(given)
    assert any(problem.startswith("s: ") and said in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("model", "given", "said"),
    [
        ("LightGCN", {"reg_weight": {"uniform": [-1, 0]}}, "must be float, >= 0; it is -1.0"),
        ("LightGCN", {"n_layers": [0, -1]}, "must be int, >= 0; it is -1"),
        ("SASRec", {"hidden_dropout_prob": {"uniform": [0, 1.5]}}, "in [0, 1]; it is 1.5"),
    ],
)
def test_what_declares_a_type_only_has_the_range_that_its_name_says(
    model: str, given: dict[str, Any], said: str
) -> None:
    (problem,) = problems_of(given, model)
    assert said in problem


def test_a_default_outside_the_usual_range_shows_that_it_is_another_thing() -> None:
    usual = with_usual_range(Option("x_weight", ("float",), default=0.5))
    assert usual.constraint is not None
    assert not usual.constraint.allows(-0.1)
    for other in (
        Option("x_weight", ("float",), default=-0.5),
        Option("x_weight", default=0.5),
        Option("weight_of_x", ("float",), default=0.5),
    ):
        assert with_usual_range(other) == other
    own = Option("x_weight", ("float",), Constraint("> -1", -1, low_open=True))
    assert with_usual_range(own) == own


def test_a_circle_of_conditions() -> None:
    given = {
        "erm_weight": {"uniform": [0, 1], "when": {"irm_weight": 1}},
        "irm_weight": {"uniform": [0, 1], "when": {"erm_weight": 1}},
    }
    assert "go round in a circle" in problems_of(given)[-1]


def test_all_mistakes_are_said_at_once() -> None:
    given = {
        "seed": [1],
        "lerning_rate": [1],
        "n_environments": [0, 1],
        "erm_weight": {"uniform": [1, 0], "when": {"erm_weight": 1, "nothing_like_it": 2}},
    }
    said = problems_of(given)
    assert len(said) == 7, said


def test_what_fits_passes() -> None:
    given = {
        "learning_rate": {"loguniform": [1e-4, 1]},
        "irm_weight": {"int": [0, 3], "when": {"pareto": ["fixed", "irm"]}},
        "warm_start_mask": [True, False],
        "variant": ["default", "paper"],
    }
    check_space(Space.from_yaml(given, "s"), "PaInvRL", "ml-100k")


def test_the_wrapped_model_can_be_searched_and_its_options_with_it() -> None:
    given = {
        "backbone": ["GRU4Rec", "SASRec"],
        "num_layers": {"int": [1, 2], "when": {"backbone": "GRU4Rec"}},
        "n_heads": {"choice": [1, 2], "when": {"backbone": "SASRec"}},
    }
    check_space(Space.from_yaml(given, "s"), "IDEA", "ml-100k")
    said = problems_of(given | {"backbone": ["GRU4Rec", "STAMP"]}, "IDEA")
    assert any("option 'n_heads' belongs to other models" in problem for problem in said)
    fixed = {"n_heads": [1, 2]}
    check_space(Space.from_yaml(fixed, "s"), "IDEA", "ml-100k", command_line={"backbone": "SASRec"})
    assert problems_of(fixed, "IDEA")


def test_what_decides_the_measurement_is_shared() -> None:
    measuring = {
        "metrics",
        "topk",
        "ood",
        "selection",
        "baselines",
        "positive_threshold",
        "data_path",
    }
    assert measuring <= shared_options()
    assert {"learning_rate", "epochs", "MAX_ITEM_LIST_LENGTH", "weight_decay"}.isdisjoint(
        shared_options()
    )
