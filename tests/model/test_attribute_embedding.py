"""Vectors of items by their attribute: against a plain loop, and in the place of `nn.Embedding`."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from recbole_invariant.model.attribute_embedding import AttributeEmbedding, attribute_embedding

TOKENS = torch.tensor([[0, 0, 0], [1, 0, 0], [2, 1, 0], [3, 1, 2], [0, 0, 0], [2, 1, 0]])


def mean_of_values(tokens: Tensor, values: Tensor) -> Tensor:
    rows = []
    for row in tokens.tolist():
        own = [values[value] for value in row if value]
        rows.append(torch.stack(own).mean(0) if own else torch.zeros(values.shape[1]))
    return torch.stack(rows)


def made(tokens: Tensor = TOKENS, n_ids: int | None = None) -> AttributeEmbedding:
    torch.manual_seed(1)
    return attribute_embedding(tokens, n_ids or len(tokens), 5, std=0.5)


tables = st.integers(1, 3).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 4), min_size=k, max_size=k), min_size=1, max_size=6)
)


@settings(max_examples=60, deadline=None)
@given(rows=tables, picks=st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_vectors_and_gradients_are_those_of_a_plain_loop(
    rows: list[list[int]], picks: list[int]
) -> None:
    tokens = torch.tensor([[0] * len(rows[0]), *rows])
    table = made(tokens)
    ids = torch.tensor(picks) % len(tokens)  # few are looked up in another way than many

    expected = mean_of_values(tokens, table.values)
    torch.testing.assert_close(table.weight, expected)
    torch.testing.assert_close(table(ids), expected[ids])
    torch.testing.assert_close(table(ids.view(1, -1, 1)), expected[ids].view(1, -1, 1, 5))
    (ours,) = torch.autograd.grad(table(ids).square().sum(), table.values)
    oracle = expected[ids].square().sum()
    if oracle.requires_grad and oracle != 0:
        torch.testing.assert_close(ours, torch.autograd.grad(oracle, table.values)[0])
    assert not ours[0].any()


def test_it_has_what_recbole_asks_of_a_table() -> None:
    table = made()
    like = nn.Embedding(6, 5, padding_idx=0)

    for name in ("num_embeddings", "embedding_dim", "padding_idx"):
        assert getattr(table, name) == getattr(like, name)
    assert table.weight.shape == like.weight.shape
    assert not table(torch.tensor([0, 4])).any()  # padding, and an item without a value
    assert torch.equal(table.weight[2], table.weight[5])


@pytest.mark.parametrize("k", [1, 3])
def test_an_id_beyond_the_items_has_a_value_of_its_own(k: int) -> None:
    tokens = TOKENS[:, :k]
    table = made(tokens, n_ids=7)
    n_values = int(tokens.max()) + 1

    assert (table.num_embeddings, len(table.values)) == (7, n_values + 1)
    assert torch.equal(table(torch.tensor(6)), table.values[-1])
    (gradient,) = torch.autograd.grad(table.weight[:6].sum(), table.values)
    assert not gradient[-1].any()


def test_padding_stays_zero_in_training() -> None:
    table = made()
    optimizer = torch.optim.Adam(table.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (table(torch.tensor([[0, 1], [3, 4]])) - 1).square().sum().backward()
        optimizer.step()

    assert not table(torch.tensor([0, 4])).any()
    assert table.state_dict().keys() == {"values"}


def test_initial_values_follow_torchs_seed_and_have_the_deviation() -> None:
    assert torch.equal(made().values, made().values)
    torch.manual_seed(0)
    many = AttributeEmbedding(TOKENS, 4000, 5, std=0.5)
    assert float(many.values.detach().std()) == pytest.approx(0.5, rel=0.02)
