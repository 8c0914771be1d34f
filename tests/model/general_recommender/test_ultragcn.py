"""UltraGCN: scores, losses and its parts against direct computation."""

import math

import pytest
import torch
from recbole.data.interaction import Interaction

from recbole_invariant.model.general_recommender.ultragcn import UltraGCN
from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF
from tests.contracts import ModelContract
from tests.toy import ToyDataset, model_options


class TestUltraGCN(ModelContract):
    """The contract."""

    name = "UltraGCN"


def make(kind: type[UltraGCN] = UltraGCNF, **options: float) -> UltraGCN:
    torch.manual_seed(0)
    model = kind(model_options("UltraGCN", init_std=0.5, n_neighbours=3, **options), ToyDataset())
    if kind is UltraGCNF:
        model.invariant_mask.uniform_()
        model.item_projection.bias.data.normal_()
    return model


def direct_score(model: UltraGCN, user: int, item: int) -> float:
    score = model.user_embedding.weight[user] @ model.item_embedding.weight[item]
    if model.uses_item_features:
        masked = model.invariant_mask * model.item_features[item]
        content = model.item_projection(masked)
        score = score + model.user_content_embedding.weight[user] @ content
    return float(score)


@pytest.mark.parametrize("kind", [UltraGCN, UltraGCNF])
@pytest.mark.parametrize("columns", [3, 60])
def test_scores_are_equation_fifteen(kind: type[UltraGCN], columns: int):
    """Few columns project the batch's different items, many the whole catalogue."""
    model = make(kind)
    users, items = torch.tensor([1, 5, 29]), torch.randint(1, 40, (3, columns))
    scores = model.score(users, items)
    for b in range(3):
        for n in range(3):
            expected = direct_score(model, int(users[b]), int(items[b, n]))
            assert float(scores[b, n]) == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("kind", [UltraGCN, UltraGCNF])
def test_ranking_and_pairs_agree_and_have_the_catalogues_width(kind: type[UltraGCN]):
    model = make(kind).eval()
    users = torch.tensor([3, 4])
    every = model.full_sort_predict(Interaction({"user_id": users}))
    assert every.shape == (2, 40)
    pairs = Interaction({"user_id": users, "item_id": torch.tensor([7, 8])})
    torch.testing.assert_close(model.predict(pairs), every[[0, 1], [7, 8]])


def test_ranking_after_a_change_of_weights_is_not_stale():
    model = make().eval()
    batch = Interaction({"user_id": torch.tensor([3])})
    before = model.full_sort_predict(batch)
    model.train()
    model.item_embedding.weight.data.mul_(2)
    model.eval()
    assert not torch.equal(before, model.full_sort_predict(batch))


def test_pair_losses_equal_a_plain_loop():
    model = make(positive_graph_weight=0.4, negative_graph_weight=0.7, neighbour_weight=0.3)
    users, items = torch.tensor([2, 9]), torch.tensor([4, 30])
    negatives = torch.randint(1, 40, (2, 5))
    losses = model.pair_losses(users, items, negatives)
    graph = model.graph

    def log_sigmoid(x: float) -> float:
        return -math.log1p(math.exp(-x))

    for b in range(2):
        user, item = int(users[b]), int(items[b])
        beta = float(graph.beta_user[user])
        weight = 1 + 0.4 * beta * float(graph.beta_item[item])
        expected = -weight * log_sigmoid(direct_score(model, user, item))
        for j in negatives[b].tolist():
            weight = 1 + 0.7 * beta * float(graph.beta_item[j])
            expected -= weight * log_sigmoid(-direct_score(model, user, j)) / 5
        for k in range(3):
            near = int(graph.neighbour_items[item, k])
            similarity = float(graph.neighbour_similarity[item, k])
            expected -= 0.3 * similarity * log_sigmoid(direct_score(model, user, near))
        assert float(losses[b]) == pytest.approx(expected, rel=1e-4)


def test_a_mask_of_zeros_leaves_the_bias_alone():
    model = make()
    model.invariant_mask.zero_()
    content = model.item_vectors()[:, -64:]
    assert torch.equal(content, model.item_projection.bias.expand_as(content))


def test_the_mask_is_saved_with_the_weights():
    assert "invariant_mask" in make().state_dict()
    assert "item_features" not in make().state_dict()


def test_initial_values_have_the_stated_spread_and_repeat_under_a_seed():
    one, other = make(), make()
    one.reset_parameters(torch.Generator().manual_seed(4))
    other.reset_parameters(torch.Generator().manual_seed(4))
    assert torch.equal(one.item_embedding.weight, other.item_embedding.weight)
    assert float(one.item_embedding.weight.std()) == pytest.approx(0.5, rel=0.1)
    assert not one.item_projection.bias.any()
