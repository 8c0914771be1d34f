"""Chunked pair functions against plain gathers and finite differences."""

import pytest
import torch

from recbole_invariant.model import pair_functions
from recbole_invariant.model.pair_functions import (
    fixed_scores,
    fixed_sums,
    pair_hidden,
    pair_scores,
)


@pytest.fixture(params=[1, 64, 1 << 18], autouse=True)
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_functions, "NUMBERS_AT_A_TIME", request.param)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64)


@pytest.fixture
def position() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randint(0, 6, (5, 4))


def test_pair_scores_equal_a_plain_gather(position: torch.Tensor) -> None:
    users, items = drawn(5, 3), drawn(6, 2, 3)
    plain = torch.einsum("bnrc,bc->bnr", items[position], users)
    torch.testing.assert_close(pair_scores(users, items, position), plain)


def test_pair_scores_gradient(position: torch.Tensor) -> None:
    inputs = (drawn(5, 3).requires_grad_(), drawn(6, 2, 3).requires_grad_())
    assert torch.autograd.gradcheck(
        lambda users, items: pair_scores(users, items, position), inputs
    )


def test_fixed_scores_equal_a_plain_gather(position: torch.Tensor) -> None:
    users, items = drawn(5, 2, 3).requires_grad_(), drawn(6, 3)
    plain = torch.einsum("bnc,brc->bnr", items[position], users)
    torch.testing.assert_close(fixed_scores(users, items, position), plain)
    assert torch.autograd.gradcheck(lambda users: fixed_scores(users, items, position), users)


def test_fixed_sums_equal_a_plain_gather(position: torch.Tensor) -> None:
    weights, items = drawn(5, 4, 2).requires_grad_(), drawn(6, 3)
    plain = torch.einsum("bnc,bnr->brc", items[position], weights)
    torch.testing.assert_close(fixed_sums(weights, items, position), plain)
    assert torch.autograd.gradcheck(lambda weights: fixed_sums(weights, items, position), weights)


def test_pair_hidden_equals_a_plain_gather(position: torch.Tensor) -> None:
    users, items, head = drawn(5, 8), drawn(6, 8), drawn(2, 4)
    hidden = (users.unsqueeze(1) + items[position]).relu().view(5, 4, 2, 4)
    plain = (hidden * head).sum(-1)
    torch.testing.assert_close(pair_hidden(users, items, position, head), plain)


def test_pair_hidden_gradient(position: torch.Tensor) -> None:
    inputs = tuple(t.requires_grad_() for t in (drawn(5, 8), drawn(6, 8), drawn(2, 4)))
    assert torch.autograd.gradcheck(
        lambda users, items, head: pair_hidden(users, items, position, head), inputs
    )


def test_two_threads_give_the_same_bits_every_time(position: torch.Tensor) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        users, where = torch.randn(256, 32), torch.randint(0, 50, (256, 60))
        results = set()
        for _ in range(10):
            items = torch.ones(50, 1, 32, requires_grad=True)
            (pair_scores(users, items, where) ** 2).sum().backward()
            assert items.grad is not None
            results.add(items.grad.numpy().tobytes())
        assert len(results) == 1
    finally:
        torch.set_num_threads(before)
