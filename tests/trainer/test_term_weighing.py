import pytest
import torch
from torch import Tensor, nn

from recbole_invariant.objective.pareto import min_norm_weights
from recbole_invariant.trainer.term_weighing import build_weighing

WEIGHTS = {"prediction": 1.0, "joint": 0.25, "independence": 4.0}
TARGETS = {"prediction": (1.0, 0.0), "joint": (0.0, 3.0), "independence": (-2.0, 1.0)}


def terms(place: Tensor) -> dict[str, Tensor]:
    """Half the squared distance to a target each: the gradient is the way from it."""
    return {
        name: 0.5 * (place - place.new_tensor(target)).square().sum()
        for name, target in TARGETS.items()
    }


def slopes(place: Tensor) -> Tensor:
    """Gradients of the weighted terms `(3, 2)`, by hand."""
    return torch.stack([WEIGHTS[n] * (place - torch.tensor(t)) for n, t in TARGETS.items()])


@pytest.fixture
def place() -> nn.Parameter:
    return nn.Parameter(torch.tensor([0.5, 0.25]))


def test_fixed_weights_give_the_gradient_of_the_sum(place: nn.Parameter) -> None:
    loss, factors = build_weighing("none", WEIGHTS).backward(terms(place), [place])
    assert factors == {}
    wanted = sum(WEIGHTS[name] * float(term) for name, term in terms(place).items())
    assert float(loss) == pytest.approx(wanted)
    assert place.grad is not None
    assert torch.allclose(place.grad, slopes(place.detach()).sum(0))


def test_min_norm_takes_the_shortest_combination(place: nn.Parameter) -> None:
    unused = nn.Parameter(torch.ones(3))
    loss, factors = build_weighing("min_norm", WEIGHTS).backward(terms(place), [place, unused])
    own = slopes(place.detach())
    weights = torch.stack(list(factors.values()))
    assert list(factors) == list(WEIGHTS)
    assert torch.allclose(weights.double(), min_norm_weights(own), atol=1e-6)
    assert place.grad is not None
    assert torch.allclose(place.grad, weights @ own, atol=1e-6)
    assert bool((own @ place.grad >= place.grad.dot(place.grad) - 1e-5).all())
    assert unused.grad is not None
    assert float(unused.grad.abs().sum()) == 0.0
    weighted = torch.stack([WEIGHTS[n] * t.detach() for n, t in terms(place).items()])
    assert float(loss) == pytest.approx(float(weights @ weighted), rel=1e-5)


def test_uncertainty_learns_to_weigh_large_terms_less() -> None:
    weighing = build_weighing("uncertainty", {"large": 1.0, "small": 1.0})
    optimizer = torch.optim.SGD(weighing.parameters(), lr=0.1)
    fixed = {"large": torch.tensor(8.0), "small": torch.tensor(0.5)}
    for _ in range(500):
        optimizer.zero_grad()
        _, factors = weighing.backward(fixed, [])
        optimizer.step()
    # at the minimum of exp(-v) L / 2 + v / 2 the variance is the term, its factor 1 / (2 L)
    assert float(factors["large"]) == pytest.approx(1 / 16, rel=0.02)
    assert float(factors["small"]) == pytest.approx(1.0, rel=0.02)
