"""Smoothing averages over dimensions that correlate and over no others."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.stability.flags import correlation_smoothing
from recbole_invariant.stability.overdispersion import standardise
from tests.stability.held_out import draw_features, generator


def test_smoothing_is_that_of_its_definition() -> None:
    _, features = draw_features(50, 3, 3, generator())
    squared = np.corrcoef(features[1:].double().numpy().T) ** 2
    weights = np.maximum(squared - 2 / 49, 0)
    expected = weights / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(correlation_smoothing(features), expected, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(3, 40), st.integers(1, 6), st.integers(0, 3))
def test_smoothing_rows_sum_to_1_and_constants_stay_alone(
    seed: int, n_items: int, d: int, n_constant: int
) -> None:
    varied = torch.randn(n_items + 1, d, generator=generator(seed))
    features = standardise(torch.cat([varied, torch.ones(n_items + 1, n_constant)], dim=1))
    weights = correlation_smoothing(features)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(d + n_constant))
    assert torch.equal(weights[d:], torch.eye(d + n_constant)[d:])
    assert weights[:d, d:].abs().sum() == 0


def test_independent_dimensions_are_hardly_smoothed_and_copies_share() -> None:
    independent = standardise(torch.randn(5001, 10, generator=generator()))
    weights = correlation_smoothing(independent)
    assert (weights - torch.eye(10)).abs().max() < 0.01
    copies = correlation_smoothing(independent[:, [0, 0, 1]] * torch.tensor([1.0, -1.0, 1.0]))
    blocks = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(copies, blocks, atol=0.01, rtol=0)
