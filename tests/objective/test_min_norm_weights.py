"""The min-norm weights of any number of gradients against SciPy's NNLS and the case of two."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls
from torch import Tensor

from recbole_invariant.objective.pareto import COLUMNS, min_norm_weight, min_norm_weights

entries = st.one_of(st.integers(-3, 3).map(float), st.floats(-10, 10, allow_nan=False, width=32))


@st.composite
def several_gradients(draw: st.DrawFn) -> Tensor:
    """Few dimensions and whole numbers make equal, opposite, zero and dependent ones common."""
    n, size = draw(st.integers(1, 7)), draw(st.integers(1, 5))
    rows = st.lists(st.lists(entries, min_size=size, max_size=size), min_size=n, max_size=n)
    return torch.tensor(draw(rows), dtype=torch.float64)


def by_nnls(gradients: np.ndarray) -> np.ndarray:
    """Min-norm point by Lawson and Hanson's reduction of it to non-negative least squares."""
    n = len(gradients)
    solution, _ = nnls(
        np.vstack([gradients.T, np.ones(n)]), np.append(np.zeros(len(gradients.T)), 1)
    )
    return solution / solution.sum()


def squared_norm(weights: Tensor, gradients: Tensor) -> float:
    return float((weights @ gradients).square().sum())


@given(several_gradients())
@settings(max_examples=200)
def test_is_on_the_simplex_and_as_short_as_nnls_finds_it(gradients: Tensor) -> None:
    weights = min_norm_weights(gradients)
    assert weights.dtype == torch.float64
    assert float(weights.min()) >= 0
    assert float(weights.sum()) == pytest.approx(1, abs=1e-12)
    longest = float(gradients.square().sum(dim=1).max()) or 1.0
    independent = torch.from_numpy(by_nnls(gradients.numpy() / longest**0.5))
    gap = squared_norm(weights, gradients) - squared_norm(independent, gradients)
    assert abs(gap) <= 1e-8 * longest


@given(several_gradients())
def test_a_step_against_the_combination_lowers_every_loss(gradients: Tensor) -> None:
    direction = min_norm_weights(gradients) @ gradients
    longest = float(gradients.square().sum(dim=1).max())
    products = gradients @ direction
    assert float(products.min()) >= float(direction @ direction) - 1e-10 * longest


@given(several_gradients())
def test_agrees_with_the_closed_form_for_two(gradients: Tensor) -> None:
    first, second = gradients[0], gradients[-1]
    closed = min_norm_weight(first, second)
    weights = min_norm_weights(torch.stack([first, second]))
    both = torch.stack([first, second])
    longest = float(both.square().sum(dim=1).max())
    expected = squared_norm(torch.stack([closed, 1 - closed]), both)
    assert squared_norm(weights, both) == pytest.approx(expected, abs=1e-10 * longest)
    if float((first - second).square().sum()) > 1e-4 * longest:
        assert float(weights[0]) == pytest.approx(float(closed), abs=1e-6)


@given(several_gradients(), st.sampled_from([1e-150, 1e-30, 1e-6, 1e6, 1e30, 1e150]))
def test_a_common_scale_changes_nothing(gradients: Tensor, scale: float) -> None:
    if float(gradients.abs().max()) < 1e-3:
        return
    longest = float(gradients.square().sum(dim=1).max())
    scaled, plain = min_norm_weights(gradients * scale), min_norm_weights(gradients)
    difference = squared_norm(scaled, gradients) - squared_norm(plain, gradients)
    assert abs(difference) <= 1e-11 * longest


@given(several_gradients(), st.randoms(use_true_random=False))
def test_order_moves_the_weights_along(gradients: Tensor, random: object) -> None:
    order = list(range(len(gradients)))
    random.shuffle(order)  # type: ignore[attr-defined]
    moved, plain = min_norm_weights(gradients[order]), min_norm_weights(gradients)
    longest = float(gradients.square().sum(dim=1).max())
    difference = squared_norm(moved, gradients[order]) - squared_norm(plain, gradients)
    assert abs(difference) <= 1e-11 * longest


@pytest.mark.parametrize(
    ("gradients", "expected"),
    [
        ([[0.0, 0.0]] * 4, [0.25] * 4),
        ([[3.0, 4.0]], [1.0]),
        ([[1.0, 2.0]] * 3, [1 / 3] * 3),
        ([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0.25, 0.25, 0.5]),
        ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [1 / 3] * 3),
        ([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]], [4 / 6, 1 / 6, 1 / 6]),
        ([[1.0, 1.0], [2.0, 2.0], [5.0, 1.0]], [1.0, 0.0, 0.0]),
        ([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [1.0, 0.0, 0.0]),
        ([[1.0, 0.0], [-3.0, 0.0], [9.0, 9.0]], [0.75, 0.25, 0.0]),
    ],
)
def test_known_cases(gradients: list[list[float]], expected: list[float]) -> None:
    assert min_norm_weights(torch.tensor(gradients)).tolist() == pytest.approx(expected, abs=1e-6)


def test_many_columns_are_as_few() -> None:
    """The products are summed over blocks of columns."""
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(4, COLUMNS + 3, generator=generator)
    gradients[1] *= 3
    expected = by_nnls(gradients.double().numpy() / 256)
    assert min_norm_weights(gradients).tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_scales_far_apart_are_solved_on_the_short_ones() -> None:
    gradients = torch.diag(torch.tensor([1.0, 1e-3, 2e-3], dtype=torch.float64))
    weights = min_norm_weights(gradients)
    squares = gradients.diagonal().square()
    exact = (1 / squares) / (1 / squares).sum()
    assert weights.tolist() == pytest.approx(exact.tolist(), abs=1e-5)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_gradients_that_are_not_finite_give_no_weights(wrong: float) -> None:
    gradients = torch.ones(3, 2)
    gradients[1, 0] = wrong
    assert bool(min_norm_weights(gradients).isnan().all())
