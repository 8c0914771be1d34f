"""The UltraGCN loss against plain loops, its gradient against autograd."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.objective.ranking import (
    RankingWeights,
    neighbour_loss,
    ultragcn_loss,
    ultragcn_score_gradient,
    ultragcn_weights,
)

WEIGHTS = RankingWeights(0.7, 0.3, 0.9, 0.2, 1.5, 0.4)


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_factors_multiply_to_equation_six(user_degree: int, item_degree: int) -> None:
    beta_user, beta_item = ultragcn_weights(
        torch.tensor([user_degree]), torch.tensor([item_degree])
    )
    product = float(beta_user * beta_item)
    assert math.isfinite(product)
    expected = 0.0
    if user_degree:
        expected = math.sqrt((user_degree + 1) / (item_degree + 1)) / user_degree
    assert product == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return {
        "positive": drawn(4),
        "negative": drawn(4, 3),
        "near": drawn(4, 2),
        "graph_positive": drawn(4).abs(),
        "graph_negative": drawn(4, 3).abs(),
        "similarity": drawn(4, 2).abs(),
    }


def test_the_loss_equals_a_plain_loop(batch: dict[str, torch.Tensor]) -> None:
    losses = ultragcn_loss(
        batch["positive"],
        batch["negative"],
        batch["graph_positive"],
        batch["graph_negative"],
        WEIGHTS,
    )
    near = neighbour_loss(batch["near"], batch["similarity"])
    for b in range(4):
        positive = -(0.7 + 0.3 * float(batch["graph_positive"][b])) * log_sigmoid(
            float(batch["positive"][b])
        )
        negative = 0.0
        for j in range(3):
            weight = 0.9 + 0.2 * float(batch["graph_negative"][b, j])
            negative -= weight * log_sigmoid(-float(batch["negative"][b, j])) / 3
        assert float(losses[b]) == pytest.approx(positive + 1.5 * negative)
        expected = -sum(
            float(batch["similarity"][b, k]) * log_sigmoid(float(batch["near"][b, k]))
            for k in range(2)
        )
        assert float(near[b]) == pytest.approx(expected)


@pytest.mark.parametrize("with_neighbours", [True, False])
def test_the_closed_form_gradient_equals_autograd(
    batch: dict[str, torch.Tensor], with_neighbours: bool
) -> None:
    logits = [batch["positive"], batch["negative"]] + ([batch["near"]] if with_neighbours else [])
    for tensor in logits:
        tensor.requires_grad_()
    loss = ultragcn_loss(
        batch["positive"],
        batch["negative"],
        batch["graph_positive"],
        batch["graph_negative"],
        WEIGHTS,
    ).sum()
    if with_neighbours:
        loss = loss + WEIGHTS.neighbour * neighbour_loss(batch["near"], batch["similarity"]).sum()
    expected = torch.autograd.grad(loss, logits)
    flat = [expected[0].unsqueeze(-1), *expected[1:]]
    gradient = ultragcn_score_gradient(
        batch["positive"],
        batch["negative"],
        batch["near"] if with_neighbours else None,
        batch["graph_positive"],
        batch["graph_negative"],
        batch["similarity"] if with_neighbours else None,
        WEIGHTS,
    )
    torch.testing.assert_close(gradient, torch.cat(flat, dim=-1))
