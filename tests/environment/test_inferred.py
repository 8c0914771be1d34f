"""Environment models equal separate UltraGCNs; the identification finds planted environments."""

import numpy as np
import pytest
import torch

from recbole_invariant.data.interaction_graph import InteractionGraph
from recbole_invariant.data.sampling import ShuffledBatches, UniformNegatives
from recbole_invariant.environment import models as environment_models
from recbole_invariant.environment.inferred import (
    EnvironmentIdentifier,
    IdentificationOptions,
    identify,
)
from recbole_invariant.environment.models import EnvironmentModels, FrozenTables
from recbole_invariant.objective.ranking import RankingWeights


def tables(n_users: int, n_items: int, size: int = 4) -> FrozenTables:
    return FrozenTables(
        torch.randn(n_users, size), torch.randn(n_users, size), torch.randn(n_items, size)
    )


@pytest.mark.parametrize("products", [0, 10**9])  # by features of users, by projected items
def test_each_row_is_scored_by_its_own_environment(
    products: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment_models, "PRODUCTS_A_NUMBER", products)
    torch.manual_seed(0)
    frozen, features, gate = tables(5, 6), torch.randn(6, 5), torch.rand(5)
    generator = torch.Generator().manual_seed(0)
    models = EnvironmentModels(features, gate, 2, frozen, (5, 6), (4, 4), 0.5, generator)
    assert models.projects_items(12) == bool(products)
    models.bias.data.normal_()
    users, columns = torch.tensor([1, 2, 3]), torch.randint(0, 6, (3, 4))
    environment = torch.tensor([0, 1, 1])
    scores = models(users, columns, environment)
    every = models.score_all(users.repeat_interleave(4), columns.flatten()).view(2, 3, 4)
    for b, e in enumerate(environment.tolist()):
        vectors = (features * gate) @ models.projection[e].T + models.bias[e]
        content = vectors[columns[b]] @ frozen.user_content[users[b]]
        shared = frozen.item[columns[b]] @ frozen.user[users[b]]
        torch.testing.assert_close(scores[b], content + shared)
        torch.testing.assert_close(every[e, b], content)


@pytest.mark.parametrize("frozen", [True, False])
def test_both_ways_of_scoring_have_the_same_gradients(
    frozen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    models = EnvironmentModels(
        torch.randn(6, 5),
        torch.rand(5),
        3,
        tables(5, 6) if frozen else None,
        (5, 6),
        (4, 4),
        0.5,
        torch.Generator().manual_seed(0),
    )
    users, columns = torch.tensor([1, 2, 3, 4]), torch.randint(0, 6, (4, 7))
    environment = torch.tensor([0, 1, 1, 2])
    gradients = []
    for products in (0, 10**9):
        monkeypatch.setattr(environment_models, "PRODUCTS_A_NUMBER", products)
        models.zero_grad()
        models(users, columns, environment).square().sum().backward()
        learned = (p.grad for p in models.parameters() if p.requires_grad)
        gradients.append([grad.clone() for grad in learned if grad is not None])
    assert len(gradients[0]) == (2 if frozen else 5)
    torch.testing.assert_close(*gradients)


def test_scratch_environments_do_not_share_parameters() -> None:
    generator = torch.Generator().manual_seed(0)
    models = EnvironmentModels(
        torch.randn(6, 3), torch.ones(3), 2, None, (5, 6), (4, 4), 0.5, generator
    )
    users, columns = torch.tensor([1, 2]), torch.tensor([[1, 2], [3, 4]])
    models(users, columns, torch.zeros(2, dtype=torch.long)).sum().backward()
    for parameter in (models.user, models.item):
        half = len(parameter) // 2
        assert parameter.grad is not None
        assert float(parameter.grad[:half].abs().sum()) > 0
        assert float(parameter.grad[half:].abs().sum()) == 0
    assert models.projection.grad is not None
    assert float(models.projection.grad[1].abs().sum()) == 0


def planted(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two environments in which all users want opposite ends of one feature."""
    rng = np.random.default_rng(seed)
    n_items, n_rows = 200, 4000
    style = rng.normal(size=n_items)
    features = torch.tensor(np.stack([style, rng.normal(size=n_items)], 1), dtype=torch.float32)
    users = torch.from_numpy(rng.integers(1, 40, n_rows))
    environment = torch.from_numpy(rng.integers(0, 2, n_rows))
    items = []
    for e in environment.tolist():
        wish = np.exp(2.5 * style * (1 if e else -1))
        wish[0] = 0
        items.append(rng.choice(n_items, p=wish / wish.sum()))
    return users, torch.tensor(items), environment, features


def agreement(labels: torch.Tensor, truth: torch.Tensor) -> float:
    share = float((labels == truth).float().mean())
    return max(share, 1 - share)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_identification_finds_environments_that_are_there(seed: int) -> None:
    users, items, truth, features = planted(seed)
    shape = (40, 200)
    graph = InteractionGraph(users.numpy(), items.numpy(), shape, 0)
    generator = torch.Generator().manual_seed(seed)
    # A content embedding that all users share: the environments differ in W alone.
    frozen = FrozenTables(torch.zeros(40, 4), torch.ones(40, 4), torch.zeros(200, 4))
    identifier = EnvironmentIdentifier(
        users,
        items,
        features,
        torch.zeros(2),
        graph,
        RankingWeights(neighbour=0.0),
        UniformNegatives(200, 10, generator),
        IdentificationOptions(2, learning_rate=0.05, projection_decay=1e-3),
        frozen,
        generator,
    )
    start = agreement(identifier.labels, truth)
    reports = identify(identifier, ShuffledBatches(4000, 256, generator), epochs=10, rounds=8)
    assert start < 0.55
    assert agreement(identifier.labels, truth) > 0.95
    assert reports[-1].changed < reports[0].changed
    assert sum(reports[-1].sizes) == 4000
