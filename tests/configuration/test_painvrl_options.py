"""PaInvRL's options that others leave without effect are told."""

from typing import Any

import pytest

from recbole_invariant.config import build_config
from recbole_invariant.configuration.folders import model_yaml
from recbole_invariant.configuration.painvrl_checks import READ_WITH
from recbole_invariant.configuration.read_with import Above
from recbole_invariant.options import read_options, value_problem

DECLARED = read_options(model_yaml("PaInvRL"))


def told(model: str = "PaInvRL", **options: Any) -> list[str]:
    return list(build_config(model, "ml-100k", options).warnings)


@pytest.mark.parametrize(
    ("options", "key", "why"),
    [
        ({"pareto": "erm", "pareto_norm": "l2"}, "pareto_norm", "pareto: adaptive only; it is erm"),
        ({"irm_weight": 2.0}, "irm_weight", "pareto: fixed only; it is adaptive"),
        ({"gate_floor": 0.1, "stability_gate": False}, "gate_floor", "stability_gate: true only"),
        ({"him_rounds": 3}, "him_rounds", "identification: models only; it is experts"),
        (
            {"him_rounds": 3, "identification": "models", "environment_source": "random"},
            "him_rounds",
            "environment_source: inferred only; it is random",
        ),
        (
            {"environment_source": "random", "outer_iterations": 0},
            "environment_source",
            "outer_iterations above 0 only; it is 0",
        ),
        ({"pareto": "erm", "outer_iterations": 0}, "pareto", "outer_iterations above 0 only"),
        (
            {"attention_hidden": 8, "outer_iterations": 0},
            "attention_hidden",
            "outer_iterations above 0 only",
        ),
    ],
)
def test_an_idle_option_is_told(options: dict[str, Any], key: str, why: str) -> None:
    found = [line for line in told(**options) if f"option '{key}'" in line]
    assert len(found) == 1
    assert why in found[0]


@pytest.mark.parametrize(
    "options",
    [
        {"pareto": "fixed", "irm_weight": 2.0, "erm_weight": 0.5},
        {"irm_weight": 0},
        {"pareto_norm": "l2"},
        {"identification": "models", "him_rounds": 3},
        {"outer_iterations": 0, "stability_gate": True, "gate_floor": 0.1},
    ],
)
def test_an_option_with_an_effect_is_not(options: dict[str, Any]) -> None:
    assert told(**options) == []


@pytest.mark.parametrize(("model", "variant"), [("InvRL", {}), ("PaInvRL", {"variant": "paper"})])
def test_what_defaults_variants_and_data_sets_leave_idle_is_not(
    model: str, variant: dict[str, Any]
) -> None:
    assert told(model, **variant) == []


def test_what_is_looked_at_is_declared_with_these_values() -> None:
    for key, (other, needed) in READ_WITH.items():
        assert key in DECLARED
        wanted = (needed.low + 1,) if isinstance(needed, Above) else needed
        assert not any(value_problem(DECLARED[other], value) for value in wanted)
