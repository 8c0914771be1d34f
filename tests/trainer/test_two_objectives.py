"""Weights of the two risks by rule and scaling."""

import dataclasses
from typing import Any

import pytest
import torch

from recbole_invariant.trainer.mask_options import MaskOptions
from recbole_invariant.trainer.two_objectives import (
    ObjectiveWeights,
    combine_gradients,
    objective_weights,
)
from tests.toy import model_options

ERM, IRM = torch.tensor([1.0, 2.0, 0.0]), torch.tensor([-30.0, 5.0, 1.0])
RISKS = (torch.tensor(4.0), torch.tensor(100.0))


def weights(first: float | None = None, **changes: Any) -> tuple[float, float]:
    options = MaskOptions.from_config(model_options("PaInvRL", pareto="adaptive"), 0)
    options = dataclasses.replace(options, **changes)
    length = None if first is None else torch.tensor(first)
    found = objective_weights(options, ERM, IRM, *RISKS, length)
    return float(found.erm), float(found.irm)


def test_adaptive_weights_sum_to_one_and_shorten_the_gradient():
    erm, irm = weights(gradient_norm="none")
    assert erm + irm == pytest.approx(1)
    combined = erm * ERM + irm * IRM
    for other in torch.linspace(0, 1, 101):
        assert combined.norm() <= (other * ERM + (1 - other) * IRM).norm() + 1e-5


@pytest.mark.parametrize(
    ("rule", "expected"), [("erm", (1, 0)), ("irm", (0, 1)), ("fixed", (1, 1))]
)
def test_fixed_rules(rule: str, expected: tuple[float, float]):
    assert weights(rule=rule) == expected


def test_l2_scaling_weighs_unit_gradients_equally():
    erm, irm = weights(gradient_norm="l2")
    assert erm * float(ERM.norm()) == pytest.approx(0.5, abs=1e-5)
    assert irm * float(IRM.norm()) == pytest.approx(0.5, abs=1e-5)


def test_scaling_by_the_first_length_is_that_of_unit_gradients_times_it():
    unit = weights(gradient_norm="l2")
    assert weights(7.0, gradient_norm="first") == pytest.approx([7 * weight for weight in unit])
    # no other scaling reads it
    for norm in ("none", "l2", "loss"):
        assert weights(7.0, gradient_norm=norm) == weights(gradient_norm=norm)


@pytest.mark.parametrize("rule", ["erm", "irm", "fixed"])
def test_fixed_rules_are_not_scaled(rule: str):
    assert weights(7.0, gradient_norm="first", rule=rule) == weights(rule=rule)


def test_loss_scaling_does_not_depend_on_the_units_of_a_loss():
    options = dataclasses.replace(
        MaskOptions.from_config(model_options("PaInvRL"), 0), gradient_norm="loss"
    )
    before = objective_weights(options, ERM, IRM, *RISKS)
    after = objective_weights(options, ERM, 7 * IRM, RISKS[0], 7 * RISKS[1])
    assert float(before[0]) == pytest.approx(float(after[0]))
    assert float(before[1]) == pytest.approx(7 * float(after[1]))


def test_growing_weights_follow_the_outer_iteration():
    first = MaskOptions.from_config(model_options("InvRL"), 0)
    third = MaskOptions.from_config(model_options("InvRL"), 2)
    assert third.irm_weight == pytest.approx(first.irm_weight * 1.05**2)
    assert third.regularisation == pytest.approx(first.regularisation * 1.05**2)


def test_a_missing_gradient_counts_as_zero():
    parameters = [torch.zeros(2), torch.zeros(2)]
    combined = combine_gradients(
        parameters,
        [torch.ones(2), None],
        [None, torch.ones(2)],
        ObjectiveWeights(torch.tensor(2.0), torch.tensor(3.0), torch.tensor(0.5)),
    )
    assert [c.tolist() for c in combined] == [[2, 2], [3, 3]]
