"""Risks of environments against autograd, finite differences and torch's own reductions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from recbole_invariant.objective.environment_risk import (
    environment_losses,
    irmv1_penalty,
    risk_variance,
)

shapes = st.tuples(st.integers(2, 5), st.integers(1, 6), st.integers(2, 7))
seeds = st.integers(0, 10_000)
risk_lists = st.lists(st.floats(-50, 50), min_size=2, max_size=8)


def draw(shape: tuple[int, int, int], seed: int, scale: float = 3.0) -> tuple[Tensor, Tensor]:
    """Draw logits of environments and the targets of their rows."""
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(shape, generator=generator, dtype=torch.float64)
    return logits, torch.randint(shape[2], (shape[1],), generator=generator)


def risk(logits: Tensor, targets: Tensor, scale: Tensor | float) -> Tensor:
    """Compute one environment's risk by the definition, its logits scaled."""
    chance = (scale * logits).softmax(-1)
    return -chance[torch.arange(len(targets)), targets].log().mean()


@settings(deadline=None)
@given(shapes, seeds)
def test_losses_are_minus_the_log_of_the_targets_chance(
    shape: tuple[int, int, int], seed: int
) -> None:
    logits, targets = draw(shape, seed)
    losses = environment_losses(logits, targets)
    assert losses.shape == shape[:2]
    by_hand = torch.stack([risk(one, targets, 1.0) for one in logits])
    torch.testing.assert_close(losses.mean(1), by_hand)
    chance = logits.softmax(-1)[..., targets].diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(losses, -chance.log())


@settings(deadline=None)
@given(risk_lists)
def test_variance_is_torchs_and_its_gradient_too(values: list[float]) -> None:
    ours = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()
    variance, expected = risk_variance(ours), torch.var(theirs, unbiased=True)
    torch.testing.assert_close(variance, expected, rtol=1e-9, atol=1e-9)
    variance.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-9, atol=1e-9)


@settings(deadline=None)
@given(st.floats(-1e4, 1e4, width=32), st.integers(2, 9))
def test_equal_risks_have_no_variance_at_all(value: float, n_environments: int) -> None:
    risks = torch.full((n_environments,), value, requires_grad=True)
    variance = risk_variance(risks)
    (gradient,) = torch.autograd.grad(variance, risks)
    assert variance.item() == 0.0
    assert gradient.tolist() == [0.0] * n_environments


@settings(deadline=None)
@given(st.integers(2, 6), seeds)
def test_identical_environments_have_no_variance(n_environments: int, seed: int) -> None:
    logits, targets = draw((1, 5, 7), seed)
    same = logits.float().repeat(n_environments, 1, 1)
    assert float(risk_variance(environment_losses(same, targets).mean(1))) == 0.0


def test_small_differences_of_large_risks_survive_float32() -> None:
    exact = torch.tensor([9.4001, 9.4003, 9.4002, 9.4004], dtype=torch.float32)
    expected = float(exact.double().var())
    assert float(risk_variance(exact)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("risks", [torch.zeros(1), torch.zeros(0), torch.zeros(2, 2)])
def test_fewer_than_two_risks_are_refused(risks: Tensor) -> None:
    with pytest.raises(ValueError, match="two or more"):
        risk_variance(risks)


@settings(deadline=None)
@given(shapes, seeds)
def test_irmv1_is_the_squared_gradient_of_a_dummy_scale(
    shape: tuple[int, int, int], seed: int
) -> None:
    logits, targets = draw(shape, seed)
    expected = []
    for one in logits:
        dummy = torch.ones((), dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(risk(one, targets, dummy), dummy)
        expected.append(slope.square())
    torch.testing.assert_close(irmv1_penalty(logits, targets), torch.stack(expected))


@settings(deadline=None)
@given(shapes, seeds)
def test_irmv1_is_the_squared_finite_difference(shape: tuple[int, int, int], seed: int) -> None:
    logits, targets = draw(shape, seed)
    step = 1e-5
    slopes = torch.stack(
        [
            (risk(one, targets, 1 + step) - risk(one, targets, 1 - step)) / (2 * step)
            for one in logits
        ]
    )
    torch.testing.assert_close(
        irmv1_penalty(logits, targets), slopes.square(), rtol=1e-5, atol=1e-8
    )


@settings(deadline=None)
@given(seeds)
def test_irmv1s_gradient_is_the_one_of_a_double_backward_pass(seed: int) -> None:
    logits, targets = draw((2, 3, 4), seed)
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    irmv1_penalty(ours, targets).sum().backward()
    total = torch.zeros((), dtype=torch.float64)
    for one in theirs:
        dummy = torch.ones((), dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(risk(one, targets, dummy), dummy, create_graph=True)
        total = total + slope.square()
    total.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_irmv1_is_nothing_where_no_scale_is_better() -> None:
    # Three rows, two of class 0: the calibrated logit is log 2, and the slope there is 0.
    logits = torch.tensor([2.0, 1.0]).double().log().expand(1, 3, 2)
    assert float(irmv1_penalty(logits, torch.tensor([0, 0, 1]))) == pytest.approx(0, abs=1e-30)
    assert float(irmv1_penalty(2 * logits, torch.tensor([0, 0, 1]))) > 1e-3


def test_values_that_overflow_an_exponential_stay_finite() -> None:
    logits = torch.tensor([[[1e4, -1e4, 0.0]], [[1e4, 1e4, 1e4]]])
    for target in (0, 1):
        targets = torch.tensor([target])
        assert torch.isfinite(environment_losses(logits, targets)).all()
        assert torch.isfinite(irmv1_penalty(logits, targets)).all()


def test_irmv1_of_weighted_rows_is_the_slope_of_the_weighted_risk() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 20, 7, generator=generator, dtype=torch.float64)
    targets = torch.randint(0, 7, (20,), generator=generator)
    weights = torch.rand(3, 20, generator=generator, dtype=torch.float64)
    found = irmv1_penalty(logits, targets, weights)
    for environment in range(3):
        scale = torch.ones((), dtype=torch.float64, requires_grad=True)
        losses = torch.nn.functional.cross_entropy(scale * logits[0], targets, reduction="none")
        (slope,) = torch.autograd.grad((weights[environment] * losses).mean(), scale)
        torch.testing.assert_close(found[environment], slope.square())
