"""Uncertainty weighting: its formula, its optimum and its bounds."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.objective.term_weights import uncertainty_factors, uncertainty_loss

terms = st.lists(st.tuples(st.floats(1e-6, 1e4), st.floats(-30, 30)), min_size=1, max_size=6).map(
    lambda pairs: torch.tensor(pairs, dtype=torch.float64).T
)


@given(terms)
def test_is_the_sum_of_the_published_terms_at_the_bounded_variances(pairs: torch.Tensor) -> None:
    losses, log_variances = pairs
    expected = 0.0
    for loss, v in zip(losses.tolist(), log_variances.tolist(), strict=True):
        bent = 5 * math.tanh(v / 5)
        expected += loss / (2 * math.exp(bent)) + math.log(math.exp(bent)) / 2
    assert float(uncertainty_loss(losses, log_variances)) == pytest.approx(expected)


@given(terms)
def test_the_factors_are_what_the_losses_get_and_are_bounded(pairs: torch.Tensor) -> None:
    losses, log_variances = pairs
    losses = losses.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(uncertainty_loss(losses, log_variances), losses)
    factors = uncertainty_factors(log_variances)
    assert torch.allclose(gradient, factors)
    assert float(factors.min()) >= math.exp(-5) / 2 * (1 - 1e-12)
    assert float(factors.max()) <= math.exp(5) / 2 * (1 + 1e-12)


def test_descent_ends_where_every_term_contributes_one_half_and_a_vanished_one_is_bounded() -> None:
    losses = torch.tensor([0.05, 0.7, 20.0, 0.0], dtype=torch.float64)
    log_variances = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([log_variances], lr=0.2)
    for _ in range(300):
        optimiser.zero_grad()
        uncertainty_loss(losses, log_variances).backward()
        optimiser.step()
    factors = uncertainty_factors(log_variances).detach()
    assert (factors * losses)[:3].tolist() == pytest.approx([0.5] * 3, rel=1e-3)
    assert float(factors[3]) < math.exp(5) / 2
    # Should the vanished term come back, its factor does too: no dead gradient at the bound.
    (gradient,) = torch.autograd.grad(uncertainty_loss(losses + 1, log_variances), log_variances)
    assert float(gradient[3]) < 0


def test_all_factors_are_one_half_at_the_start() -> None:
    losses = torch.tensor([3.0, 0.2])
    assert float(uncertainty_loss(losses, torch.zeros(2))) == pytest.approx(1.6)
