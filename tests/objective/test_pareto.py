"""The closed-form min-norm weight against a grid search and its optimality conditions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.objective.pareto import min_norm_weight

numbers = st.floats(-10, 10, allow_nan=False, width=32)


@st.composite
def two_gradients(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor]:
    size = draw(st.integers(1, 6))
    vectors = st.lists(numbers, min_size=size, max_size=size)
    return torch.tensor(draw(vectors)).double(), torch.tensor(draw(vectors)).double()


def combined_norm(weight: torch.Tensor, erm: torch.Tensor, irm: torch.Tensor) -> torch.Tensor:
    return (weight.unsqueeze(-1) * erm + (1 - weight).unsqueeze(-1) * irm).norm(dim=-1)


@given(two_gradients())
def test_no_weight_on_a_grid_gives_a_shorter_combination(
    gradients: tuple[torch.Tensor, torch.Tensor],
) -> None:
    erm, irm = gradients
    weight = min_norm_weight(erm, irm)
    assert 0 <= float(weight) <= 1
    grid = torch.linspace(0, 1, 2001, dtype=torch.float64)
    best = combined_norm(grid, erm, irm).min()
    tolerance = 1e-5 * max(float(erm.norm()), float(irm.norm()))
    assert float(combined_norm(weight, erm, irm)) <= float(best) + tolerance


@given(two_gradients())
def test_an_interior_weight_gives_common_descent(
    gradients: tuple[torch.Tensor, torch.Tensor],
) -> None:
    erm, irm = gradients
    weight = min_norm_weight(erm, irm)
    if not 1e-6 < float(weight) < 1 - 1e-6 or torch.allclose(erm, irm):
        return
    direction = weight * erm + (1 - weight) * irm
    scale = max(float(erm.norm()), float(irm.norm())) ** 2
    assert float(erm @ direction) == pytest.approx(float(direction @ direction), abs=1e-8 * scale)
    assert float(irm @ direction) == pytest.approx(float(direction @ direction), abs=1e-8 * scale)


@given(two_gradients(), st.sampled_from([1e-150, 1e-30, 1e-6, 1e6, 1e30, 1e150]))
def test_a_common_scale_changes_nothing(
    gradients: tuple[torch.Tensor, torch.Tensor], scale: float
) -> None:
    erm, irm = gradients
    if max(float(erm.abs().max()), float(irm.abs().max())) < 1e-3:
        return
    scaled = min_norm_weight(erm * scale, irm * scale)
    assert float(scaled) == pytest.approx(float(min_norm_weight(erm, irm)), abs=1e-9)


@given(two_gradients())
def test_swapping_the_gradients_gives_the_other_weight(
    gradients: tuple[torch.Tensor, torch.Tensor],
) -> None:
    erm, irm = gradients
    total = float(min_norm_weight(erm, irm)) + float(min_norm_weight(irm, erm))
    assert total == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("erm", "irm", "expected"),
    [
        ([1.0, 0.0], [1.0, 0.0], 0.5),
        ([0.0, 0.0], [0.0, 0.0], 0.5),
        ([1.0, 0.0], [0.0, 1.0], 0.5),
        ([1.0, 0.0], [3.0, 0.0], 1.0),
        ([3.0, 0.0], [1.0, 0.0], 0.0),
        ([1.0, 0.0], [-3.0, 0.0], 0.75),
        ([0.0, 0.0], [1.0, 0.0], 1.0),
    ],
)
def test_known_cases(erm: list[float], irm: list[float], expected: float) -> None:
    assert float(min_norm_weight(torch.tensor(erm), torch.tensor(irm))) == pytest.approx(expected)


def test_unit_gradients_always_weigh_one_half() -> None:
    torch.manual_seed(0)
    for _ in range(20):
        erm, irm = torch.nn.functional.normalize(torch.randn(2, 7), dim=1)
        assert float(min_norm_weight(erm, irm)) == pytest.approx(0.5, abs=1e-5)
