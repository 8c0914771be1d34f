"""InfoNCE against a loop over rows, and what must not change it."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy

from recbole_invariant.objective.contrastive import info_nce


def by_loop(first: Tensor, second: Tensor, temperature: float, targets: list[int] | None) -> float:
    """Each row against the rows of the other view that may be its negatives."""
    total = 0.0
    for one, other in [(first, second), (second, first)]:
        for i in range(len(one)):
            rows = [j for j in range(len(one)) if j == i or not targets or targets[j] != targets[i]]
            logits = torch.stack([cosine_similarity(one[i], other[j], dim=0) for j in rows])
            right = torch.tensor([rows.index(i)])
            total += float(cross_entropy(logits[None] / temperature, right)) / len(one) / 2
    return total


@st.composite
def cases(draw: st.DrawFn) -> tuple[Tensor, Tensor, float, list[int] | None]:
    rows, dim = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10_000)))
    first, second = torch.randn(2, rows, dim, generator=generator, dtype=torch.float64)
    some = st.lists(st.integers(0, 3), min_size=rows, max_size=rows)
    return first, second, draw(st.sampled_from([0.05, 0.2, 1.0])), draw(st.none() | some)


@given(cases())
def test_is_the_mean_over_rows_of_both_views(
    case: tuple[Tensor, Tensor, float, list[int] | None],
) -> None:
    first, second, temperature, targets = case
    ids = None if targets is None else torch.tensor(targets)
    found = float(info_nce(first, second, temperature, ids))
    assert found == pytest.approx(by_loop(first, second, temperature, targets), abs=1e-9)
    assert found >= -1e-12


@given(cases())
def test_views_lengths_and_order_do_not_matter(
    case: tuple[Tensor, Tensor, float, list[int] | None],
) -> None:
    first, second, temperature, targets = case
    ids = None if targets is None else torch.tensor(targets)
    value = float(info_nce(first, second, temperature, ids))
    swapped = float(info_nce(3 * second, 0.1 * first, temperature, ids))
    assert swapped == pytest.approx(value, abs=1e-9)
    flipped = None if ids is None else ids.flip(0)
    turned = float(info_nce(first.flip(0), second.flip(0), temperature, flipped))
    assert turned == pytest.approx(value, abs=1e-9)


def test_chance_and_agreement() -> None:
    same = torch.ones(8, 3)
    assert float(info_nce(same, same, 0.2)) == pytest.approx(math.log(8))
    assert float(info_nce(torch.eye(8), torch.eye(8), 0.01)) == pytest.approx(0, abs=1e-6)


def test_rows_with_one_target_have_no_negatives() -> None:
    first, second = torch.randn(2, 4, 3)
    assert float(info_nce(first, second, 0.2, torch.tensor([7, 7, 7, 7]))) == 0


def test_a_zero_row_has_a_finite_gradient() -> None:
    first = torch.zeros(3, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(info_nce(first, torch.randn(3, 2), 0.2), first)
    assert bool(gradient.isfinite().all())
    assert float(gradient.abs().max()) < 10


def test_descent_brings_the_views_together() -> None:
    torch.manual_seed(0)
    first, second = torch.randn(16, 4, requires_grad=True), torch.randn(16, 4)
    before = info_nce(first, second, 0.5)
    (gradient,) = torch.autograd.grad(before, first)
    assert float(info_nce(first.detach() - gradient, second, 0.5)) < float(before.detach())
