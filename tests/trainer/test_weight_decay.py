"""Decay through the optimiser is the whole-table penalty in the loss, step for step."""

import pytest
import torch

from recbole_invariant.errors import InputError
from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF
from recbole_invariant.trainer.optimizer import build_optimizer
from recbole_invariant.trainer.weight_decay import WeightDecay, batch_decay, parameter_groups
from tests.toy import ToyDataset, model_options


def make() -> UltraGCNF:
    torch.manual_seed(0)
    return UltraGCNF(model_options("UltraGCNF", init_std=0.3), ToyDataset())


def whole_table_penalty(model: UltraGCNF, decay: WeightDecay) -> torch.Tensor:
    users = model.user_embedding.weight.square().sum()
    users = users + model.user_content_embedding.weight.square().sum()
    items = model.item_embedding.weight.square().sum()
    projection = sum(p.square().sum() for p in model.item_projection.parameters())
    return decay.embedding * (users + decay.item_ratio * items) + decay.projection * projection


def test_equals_the_penalty_in_the_loss():
    decay = WeightDecay(0.03, 5.0, 0.2)
    inside, outside = make(), make()
    batch = (torch.tensor([1, 2]), torch.tensor([3, 4]), torch.randint(1, 40, (2, 5)))
    by_optimiser = build_optimizer("adam", parameter_groups(inside, decay), 0.01)
    by_loss = torch.optim.Adam(outside.parameters(), lr=0.01)
    for _ in range(5):
        by_optimiser.zero_grad()
        inside.pair_losses(*batch).sum().backward()
        by_optimiser.step()
        by_loss.zero_grad()
        (outside.pair_losses(*batch).sum() + whole_table_penalty(outside, decay)).backward()
        by_loss.step()
    for one, other in zip(inside.parameters(), outside.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_batch_scope_decays_the_rows_of_the_batch_only():
    model, decay = make(), WeightDecay(0.5, 3.0, 0.0, "batch")
    users, items = torch.tensor([1, 1, 2]), torch.tensor([[3], [3], [4]])
    user_rows = model.user_vectors(torch.tensor([1, 2])).square().sum()
    item_rows = model.item_embedding.weight[[3, 4]].square().sum()
    expected = 0.5 * (user_rows + 3 * item_rows)
    torch.testing.assert_close(batch_decay(model, decay, users, items), expected)
    assert all(group["weight_decay"] == 0 for group in parameter_groups(model, decay))


def test_adamw_is_refused_because_its_decay_is_another():
    with pytest.raises(InputError, match="adam"):
        build_optimizer("adamw", [torch.nn.Parameter(torch.zeros(1))], 0.1)
