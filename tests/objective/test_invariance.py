"""The invariance penalty against NumPy and its own definition."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.objective.invariance import VarianceReduction, gradient_variance_penalty

shapes = st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))


@given(shapes, st.integers(0, 10_000), st.sampled_from(["mean", "sum"]))
def test_equals_numpys_variance(
    shape: tuple[int, int, int], seed: int, reduction: VarianceReduction
) -> None:
    rng = np.random.default_rng(seed)
    gradients, gate = rng.normal(size=shape), rng.uniform(size=shape[2])
    variance = gradients.var(axis=0) * (shape[0] if reduction == "sum" else 1)
    penalty = gradient_variance_penalty(
        torch.from_numpy(gradients), torch.from_numpy(gate), reduction
    )
    assert float(penalty) == pytest.approx(((variance * gate) ** 2).sum(), rel=1e-9, abs=1e-12)


@given(shapes, st.integers(0, 10_000))
def test_equal_gradients_cost_nothing_and_the_rest_is_never_negative(
    shape: tuple[int, int, int], seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    gradients = torch.randn(shape, generator=generator, dtype=torch.float64)
    gate = torch.rand(shape[2], generator=generator, dtype=torch.float64)
    same = gradients[:1].expand(shape)
    assert float(gradient_variance_penalty(same, gate)) == pytest.approx(0, abs=1e-28)
    assert float(gradient_variance_penalty(gradients, gate)) >= 0


def test_is_of_degree_four_and_order_of_environments_does_not_matter() -> None:
    gradients, gate = torch.randn(4, 3, 5, dtype=torch.float64), torch.rand(5).double()
    penalty = float(gradient_variance_penalty(gradients, gate))
    assert float(gradient_variance_penalty(2 * gradients, gate)) == pytest.approx(16 * penalty)
    assert float(gradient_variance_penalty(gradients.flip(0), gate)) == pytest.approx(penalty)


def test_a_closed_gate_costs_nothing() -> None:
    gate = torch.tensor([1.0, 0.0]).double()
    gradients = torch.zeros(2, 1, 2).double()
    gradients[0, 0, 1] = 5
    assert float(gradient_variance_penalty(gradients, gate)) == 0


def test_unknown_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="reduction"):
        gradient_variance_penalty(torch.zeros(1, 1, 1), torch.zeros(1), "median")  # type: ignore[arg-type]
