"""Compression and dependence against loops, closed forms and invariances."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from recbole_invariant.objective import information

shapes = st.tuples(st.integers(2, 7), st.integers(1, 4), st.integers(1, 4))
seeds = st.integers(0, 10_000)
Measure = Callable[[Tensor, Tensor], Tensor]
MEASURES = [information.cross_covariance, information.hsic]
any_measure = pytest.mark.parametrize("measure", MEASURES, ids=["xcov", "hsic"])


def normal(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def pair(shape: tuple[int, int, int], seed: int) -> tuple[Tensor, Tensor]:
    rows, d_t, d_s = shape
    both = normal(rows, d_t + d_s, seed=seed)
    return both[:, :d_t], both[:, d_t:] + both[:, :1]


def median_distance(x: np.ndarray) -> float:
    """Lower median of the squared distances above 0, of all pairs."""
    distances = [((x[i] - x[j]) ** 2).sum() for i in range(len(x)) for j in range(i)]
    above = sorted(distance for distance in distances if distance)
    return float(above[(len(above) - 1) // 2])


def hsic_by_loops(t: np.ndarray, s: np.ndarray, bandwidth: float | None = None) -> float:
    """Trace of KHLH by its definition, pair by pair; `bandwidth` is that of t."""
    rows = len(t)

    def kernel(x: np.ndarray, bandwidth: float | None = None) -> np.ndarray:
        distances = np.array([[((a - b) ** 2).sum() for b in x] for a in x])
        return np.exp(-distances / (2 * (bandwidth or median_distance(x))))

    centring = np.eye(rows) - 1 / rows

    def raw(k: np.ndarray, m: np.ndarray) -> float:
        return float(np.trace(k @ centring @ m @ centring)) / (rows - 1) ** 2

    k, m = kernel(t, bandwidth), kernel(s)
    return raw(k, m) / math.sqrt(raw(k, k) * raw(m, m))


@given(shapes, seeds)
def test_xcov_is_the_mean_squared_correlation_and_linear_hsic(
    shape: tuple[int, int, int], seed: int
) -> None:
    t, s = pair(shape, seed)
    rows, d_t, d_s = shape
    found = float(information.cross_covariance(t, s))
    correlations = np.corrcoef(t.numpy().T, s.numpy().T)[:d_t, d_t:]
    assert found == pytest.approx((correlations**2).mean(), abs=1e-10)
    first, second = information.standardised(t), information.standardised(s)
    centring = torch.eye(rows, dtype=torch.float64) - 1 / rows
    linear = (first @ first.T @ centring @ second @ second.T @ centring).trace() / rows**2
    assert found == pytest.approx(float(linear) / (d_t * d_s), abs=1e-10)


@given(shapes, seeds)
@settings(max_examples=50)
def test_hsic_is_its_definition(shape: tuple[int, int, int], seed: int) -> None:
    t, s = pair(shape, seed)
    expected = hsic_by_loops(t.numpy(), s.numpy())
    assert float(information.hsic(t, s)) == pytest.approx(expected, rel=1e-7, abs=1e-9)


@any_measure
@given(shape=shapes, seed=seeds)
@settings(max_examples=30)
def test_dependence_is_bounded_symmetric_and_blind_to_order_shift_and_scale(
    measure: Measure, shape: tuple[int, int, int], seed: int
) -> None:
    t, s = pair(shape, seed)
    value = float(measure(t, s))
    assert -1e-12 <= value <= 1 + 1e-9
    rows = torch.from_numpy(np.random.default_rng(seed).permutation(len(t)))
    assert float(measure(s, t)) == pytest.approx(value, abs=1e-9)
    assert float(measure(t[rows], s[rows])) == pytest.approx(value, abs=1e-9)
    assert float(measure(t.flip(1), s.flip(1))) == pytest.approx(value, abs=1e-9)
    assert float(measure(3 * t + 5, -2 * s - 1)) == pytest.approx(value, abs=1e-9)


@any_measure
def test_a_representation_depends_on_itself_wholly(measure: Measure) -> None:
    t = normal(20, 1)
    assert float(measure(t, t)) == pytest.approx(1)
    assert float(measure(t, -4 * t + 1)) == pytest.approx(1)


@any_measure
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_constant_representation_depends_on_nothing(
    measure: Measure, constant: float, dtype: torch.dtype
) -> None:
    t = normal(37, 3).to(dtype).requires_grad_()
    s = torch.full((37, 2), constant, dtype=dtype, requires_grad=True)
    value = measure(t, s)
    assert float(value.detach()) == 0
    # xcov keeps a path to both; hsic of a constant has none to s.
    gradients = torch.autograd.grad(value + 0 * (t.sum() + s.sum()), [t, s])
    assert all(bool(gradient.isfinite().all()) for gradient in gradients)


@any_measure
def test_rounding_is_no_dependence(measure: Measure) -> None:
    """A dead encoder's rows may differ in their last bit; standardising must not blow that up."""
    t = normal(64, 4).float()
    s = torch.full((64, 3), 0.3) * (1 + torch.finfo(torch.float32).eps * (t[:, :1] > 0))
    assert len(s.unique()) == 2
    assert float(measure(t, s)) == 0


@any_measure
def test_one_row_depends_on_nothing(measure: Measure) -> None:
    assert float(measure(normal(1, 3), normal(1, 2))) == 0


@any_measure
def test_gradient_is_right_and_descent_lowers_dependence(measure: Measure) -> None:
    t, s = pair((40, 3, 3), 1)
    t = t.clone().requires_grad_()
    before = measure(t, s)
    (gradient,) = torch.autograd.grad(before, t)
    assert float(measure(t.detach() - 0.5 * gradient, s)) < float(before.detach())


def test_gradient_of_xcov_is_its_derivative() -> None:
    t, s = pair((5, 2, 3), 2)
    t, s = t.clone().requires_grad_(), s.clone().requires_grad_()
    assert torch.autograd.gradcheck(information.cross_covariance, (t, s))


def test_gradient_of_hsic_is_its_derivative_at_a_fixed_bandwidth() -> None:
    t, s = pair((9, 2, 3), seed=1)
    t = t.double().requires_grad_()
    information.hsic(t, s.double()).backward()
    assert t.grad is not None
    at, other, step = t.detach().numpy(), s.double().numpy(), 1e-6
    bandwidth = median_distance(at)
    for place in [(0, 0), (4, 1), (8, 0)]:
        ends = []
        for sign in (1, -1):
            moved = at.copy()
            moved[place] += sign * step
            ends.append(hsic_by_loops(moved, other, bandwidth))
        assert float(t.grad[place]) == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-7)


def test_floors_are_the_mean_over_all_permutations() -> None:
    t, s = normal(5, 2, seed=3), normal(5, 3, seed=4)
    orders = [list(order) for order in itertools.permutations(range(5))]
    linear = np.mean([float(information.cross_covariance(t, s[order])) for order in orders])
    assert information.cross_covariance_floor(5) == pytest.approx(linear)
    kernel = np.mean([float(information.hsic(t, s[order])) for order in orders])
    assert float(information.hsic_floor(t, s)) == pytest.approx(kernel)
    assert information.cross_covariance_floor(1) == 0


def test_hsic_sees_what_xcov_is_blind_to() -> None:
    t = normal(200, 1)
    s = t.square()
    assert float(information.cross_covariance(t, s)) < 0.05
    assert float(information.hsic(t, s)) > 10 * float(information.hsic_floor(t, s))


@given(shapes, seeds)
def test_squared_cosine_is_the_mean_over_rows(shape: tuple[int, int, int], seed: int) -> None:
    t, s = normal(*shape[:2], seed=seed), normal(*shape[:2], seed=seed + 1)
    expected = torch.cosine_similarity(t, s).square().mean()
    assert float(information.squared_cosine(t, s)) == pytest.approx(float(expected), abs=1e-12)
    assert float(information.squared_cosine(t, -5 * t)) == pytest.approx(1)


def test_a_zero_vector_is_orthogonal_to_all_and_has_a_finite_gradient() -> None:
    t = torch.zeros(4, 3, requires_grad=True)
    value = information.squared_cosine(t, torch.ones(4, 3))
    (gradient,) = torch.autograd.grad(value, t)
    assert float(value) == 0
    assert bool(gradient.isfinite().all())


@given(shapes, seeds)
def test_compression_is_torchs_divergence(shape: tuple[int, int, int], seed: int) -> None:
    mean, log_variance = normal(*shape[:2], seed=seed), normal(*shape[:2], seed=seed + 1)
    posterior = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    prior = Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
    expected = float(kl_divergence(posterior, prior).mean())
    assert float(information.gaussian_kl(mean, log_variance)) == pytest.approx(expected, abs=1e-10)
    unit_variance = information.gaussian_kl(mean, torch.zeros_like(mean))
    assert float(information.half_squared_norm(mean)) == pytest.approx(float(unit_variance))


@given(shapes, seeds)
def test_likelihood_and_club_are_torchs_over_all_pairs(
    shape: tuple[int, int, int], seed: int
) -> None:
    rows, dim, _ = shape
    mean, log_variance, s = normal(3, rows, dim, seed=seed)
    q = [Independent(Normal(mean[i], (log_variance[i] / 2).exp()), 1) for i in range(rows)]
    densities = np.array([[float(q[i].log_prob(s[j])) for j in range(rows)] for i in range(rows)])
    own = np.trace(densities) / rows
    likelihood = float(information.gaussian_nll(mean, log_variance, s))
    assert likelihood == pytest.approx(-own, abs=1e-9)
    expected = max(own - densities.mean(), 0)
    assert float(information.club_bound(mean, log_variance, s)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("correlation", [0.0, 0.3, -0.6, 0.8])
def test_club_of_correlated_gaussians_is_its_closed_form_and_above_their_information(
    correlation: float,
) -> None:
    rows, dim = 100_000, 2
    t, noise = normal(2, rows, dim)
    s = correlation * t + math.sqrt(1 - correlation**2) * noise
    log_variance = torch.full_like(t, math.log(1 - correlation**2))
    bound = float(information.club_bound(correlation * t, log_variance, s)) / dim
    assert bound == pytest.approx(correlation**2 / (1 - correlation**2), rel=0.03, abs=1e-3)
    assert bound >= -0.5 * math.log(1 - correlation**2)


def test_club_never_rewards_a_bad_estimate() -> None:
    t = normal(50, 2).requires_grad_()
    value = information.club_bound(-t, torch.zeros_like(t), t.detach())
    (gradient,) = torch.autograd.grad(value, t)
    assert float(value) == 0
    assert float(gradient.abs().max()) == 0


def test_a_loss_at_chance_has_no_gradient() -> None:
    for start, slope in [(0.5, 1.0), (math.log(2), 0.0), (3.0, 0.0)]:
        loss = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        clamped = information.clamped_at_chance(loss, math.log(2))
        (gradient,) = torch.autograd.grad(clamped, loss)
        assert float(clamped) == pytest.approx(min(start, math.log(2)))
        assert float(gradient) == slope
