"""The gate stays in [0, 1]; the attention starts at one half and is a function of the pair."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.model.layers import (
    AttentionOutput,
    ClippedGaussianGate,
    RepresentationAttention,
)


@given(st.floats(0, 1), st.floats(0, 5), st.integers(0, 100))
def test_a_sampled_gate_is_in_the_unit_interval(initial: float, noise: float, seed: int) -> None:
    gate = ClippedGaussianGate(20, initial, noise)
    sampled = gate(torch.Generator().manual_seed(seed))
    assert bool(((sampled >= 0) & (sampled <= 1)).all())


def test_without_noise_the_gate_is_the_mask() -> None:
    gate = ClippedGaussianGate(3, 0.3, 0.0)
    assert gate(torch.Generator()).tolist() == gate.hard().tolist() == pytest.approx([0.3] * 3)


def test_noise_has_the_stated_size() -> None:
    gate = ClippedGaussianGate(20_000, 0.5, 0.01)
    spread = gate(torch.Generator().manual_seed(0)).detach().std()
    assert float(spread) == pytest.approx(0.01, rel=0.03)


def test_projection_brings_the_mask_back_and_gradients_with_it() -> None:
    gate = ClippedGaussianGate(2, 0.5, 0.0)
    gate.mask.data = torch.tensor([-3.0, 2.0])
    assert slope(gate) == [0, 0]
    gate.project()
    assert gate.mask.tolist() == [0, 1]
    assert slope(gate) == [1, 1]


def slope(gate: ClippedGaussianGate) -> list[float]:
    """Gradient of the sum of a sampled gate."""
    (gradient,) = torch.autograd.grad(gate(torch.Generator()).sum(), [gate.mask])
    return [float(value) for value in gradient]


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_attention_equals_two_mlps_on_the_concatenation(output: AttentionOutput) -> None:
    torch.manual_seed(1)
    attention = RepresentationAttention(3, 4, 5, output, torch.Generator().manual_seed(0))
    users, items = torch.randn(2, 3), torch.randn(6, 4)
    position = torch.tensor([[0, 5, 5], [1, 2, 3]])
    torch.testing.assert_close(attention(users, items, position), torch.full((2, 3, 2), 0.5))
    torch.nn.init.normal_(attention.head_weight)
    torch.nn.init.normal_(attention.head_bias)
    torch.nn.init.normal_(attention.hidden_bias)
    weights = attention(users, items, position)
    joint = torch.cat([attention.user_weight, attention.item_weight], dim=1)
    for b in range(2):
        for n in range(3):
            pair = torch.cat([users[b], items[position[b, n]]])
            hidden = (joint @ pair + attention.hidden_bias).relu().view(2, 5)
            logits = (hidden * attention.head_weight).sum(1) + attention.head_bias
            expected = logits.softmax(0) if output == "softmax" else logits.sigmoid()
            torch.testing.assert_close(weights[b, n], expected)
