"""The mask model: scores as in Eq. 12-15, gradients as autograd and finite differences say."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from recbole_invariant.data.interaction_graph import InteractionGraph
from recbole_invariant.environment.models import FrozenTables
from recbole_invariant.model import mask as mask_module
from recbole_invariant.model.layers import ClippedGaussianGate, RepresentationAttention
from recbole_invariant.model.mask import MaskModel
from recbole_invariant.objective.invariance import gradient_variance_penalty
from recbole_invariant.objective.ranking import RankingWeights

N_USERS, N_ITEMS, N_DIMS, SIZE, CONTENT = 9, 12, 7, 3, 4
WEIGHTS = RankingWeights(1.0, 0.5, 1.0, 0.5, 1.0, 0.3)


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(params=["items projected", "users projected"], autouse=True)
def side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take either way to the content scores, whatever the number of pairs."""
    pairs = 0 if request.param == "items projected" else 1000
    monkeypatch.setattr(mask_module, "PAIRS_AN_ITEM", pairs)


def make_model(attention: bool, noise: float = 0.0) -> MaskModel:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    users, items = rng.integers(1, N_USERS, 40), rng.integers(1, N_ITEMS, 40)
    graph = InteractionGraph(users, items, (N_USERS, N_ITEMS), 2).double()
    tables = FrozenTables(
        torch.randn(N_USERS, SIZE), torch.randn(N_USERS, CONTENT), torch.randn(N_ITEMS, SIZE)
    )
    heads = None
    if attention:
        heads = RepresentationAttention(
            SIZE + CONTENT, SIZE + N_DIMS, 5, "sigmoid", torch.Generator().manual_seed(1)
        )
        torch.nn.init.normal_(heads.head_weight)
    gate = ClippedGaussianGate(N_DIMS, 0.5, noise)
    gate.mask.data.uniform_(0.2, 0.8)
    features = torch.randn(N_ITEMS, N_DIMS)
    return MaskModel(features, tables, graph, WEIGHTS, gate, torch.randn(CONTENT, N_DIMS), heads)


def batch(environments: int = 3, size: int = 5) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(2)
    users = torch.randint(1, N_USERS, (environments, size), generator=generator)
    items = torch.randint(1, N_ITEMS, (environments, size), generator=generator)
    negatives = torch.randint(1, N_ITEMS, (environments * size, 4), generator=generator)
    return users, items, negatives


def plain_risk(
    model: MaskModel, users: torch.Tensor, items: torch.Tensor, negatives: torch.Tensor
) -> torch.Tensor:
    """One environment's loss, building h of Eq. 13 for every pair."""
    columns = model.graph.columns(items, negatives)
    mask, tables = model.gate.mask, model.tables
    p, q = tables.user[users], tables.user_content[users]
    t, f = tables.item[columns], model.features[columns]
    h = f
    if model.attention is not None:
        rows = torch.cat([tables.item, model.features], dim=1)
        weights = model.attention(torch.cat([p, q], dim=1), rows, columns)
        h = weights[..., :1] * mask * f + weights[..., 1:] * (1 - mask) * f
    logits = (p.unsqueeze(1) * t).sum(-1)
    logits = logits + torch.einsum("bc,bnc->bn", q, (mask * h) @ model.projection.T)
    return model.graph.losses(logits, users, columns, model.weights).sum()


@pytest.mark.parametrize("attention", [True, False])
def test_risks_and_gradients_equal_the_plain_computation(attention: bool) -> None:
    model = make_model(attention)
    users, items, negatives = batch()
    out = model(users, items, negatives, torch.Generator())
    for e in range(3):
        rows = slice(5 * e, 5 * e + 5)
        risk = plain_risk(model, users[e], items[e], negatives[rows])
        torch.testing.assert_close(out.risks[e], risk)
        expected = torch.autograd.grad(risk, model.projection)[0]
        torch.testing.assert_close(out.gradients[e], expected)


@pytest.mark.parametrize("attention", [True, False])
def test_the_penalty_differentiates_as_finite_differences_say(attention: bool) -> None:
    model = make_model(attention)
    data = batch()

    def penalty() -> torch.Tensor:
        out = model(*data, torch.Generator())
        return gradient_variance_penalty(out.gradients, out.gate)

    parameters = [model.gate.mask, model.projection]
    gradients = torch.autograd.grad(penalty(), parameters)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        flat = parameter.data.view(-1)
        for k in range(0, len(flat), 5):
            step, old = 1e-6, float(flat[k])
            flat[k] = old + step
            above = float(penalty())
            flat[k] = old - step
            below = float(penalty())
            flat[k] = old
            assert float(gradient.view(-1)[k]) == pytest.approx(
                (above - below) / (2 * step), rel=1e-4, abs=1e-5
            )


def test_equal_batches_in_every_environment_cost_nothing() -> None:
    model = make_model(attention=True)
    users, items, negatives = batch(environments=1)
    repeat = (users.repeat(3, 1), items.repeat(3, 1), negatives.repeat(3, 1))
    out = model(*repeat, torch.Generator())
    assert float(gradient_variance_penalty(out.gradients, out.gate)) == pytest.approx(0, abs=1e-20)


def test_equal_attention_weights_leave_the_gate_alone() -> None:
    """With a_inv = a_var = a, h is a * f: the mask acts only through the gate."""
    model, plain = make_model(attention=True), make_model(attention=False)
    assert model.attention is not None
    torch.nn.init.zeros_(model.attention.head_weight)
    plain.projection.data = 0.5 * model.projection.data
    plain.gate.mask.data = model.gate.mask.data
    plain.features, plain.tables = model.features, model.tables
    data = batch()
    torch.testing.assert_close(
        model(*data, torch.Generator()).risks, plain(*data, torch.Generator()).risks
    )


def test_embeddings_are_not_parameters() -> None:
    names = {name for name, _ in make_model(attention=True).named_parameters()}
    assert {name.split(".")[0] for name in names} == {"gate", "projection", "attention"}
