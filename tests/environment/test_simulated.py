"""Gates, pairs and mixing weights against their laws, SciPy and an explicit mixup."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recbole_invariant.environment.simulated import (
    draw_mixing,
    draw_pairs,
    keep_rate,
    keep_rate_penalty,
    mix_gates,
    relaxed_bernoulli,
    sequence_descriptor,
)

seeds = st.integers(0, 10_000)
sizes = st.tuples(st.integers(2, 5), st.integers(1, 4), st.integers(1, 6), st.integers(1, 5))


def stream(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(deadline=None)
@given(sizes, seeds)
def test_descriptor_is_the_mean_of_each_embedding(
    size: tuple[int, int, int, int], seed: int
) -> None:
    embeddings = torch.randn(size[1:], generator=stream(seed), dtype=torch.float64)
    np.testing.assert_allclose(
        sequence_descriptor(embeddings).numpy(), embeddings.numpy().mean(-1), atol=1e-12
    )


@pytest.mark.parametrize("logit", [-3.0, -0.5, 0.0, 0.7, 2.0])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_a_gate_is_open_with_the_chance_of_its_logit(logit: float, temperature: float) -> None:
    gates = relaxed_bernoulli(torch.full((50_000,), logit), temperature, stream(3))
    chance = 1 / (1 + np.exp(-logit))
    found = stats.binomtest(int((gates > 0.5).sum()), len(gates), chance)
    assert found.pvalue > 1e-3


def test_a_gates_law_is_the_binary_concrete_distribution() -> None:
    # Maddison et al. 2017: P(gate <= x) = sigmoid(temperature * logit(x) - logit).
    logit, temperature = 0.4, 0.7
    gates = relaxed_bernoulli(torch.full((20_000,), logit).double(), temperature, stream(5))

    def law(x: np.ndarray) -> np.ndarray:
        inner = temperature * np.log(x / (1 - x)) - logit
        return 1 / (1 + np.exp(-inner))

    assert stats.kstest(gates.numpy(), law).pvalue > 1e-3


@settings(deadline=None)
@given(st.floats(-60, 60, width=32), st.floats(0.01, 5), seeds)
def test_gates_and_their_gradient_are_finite(logit: float, temperature: float, seed: int) -> None:
    logits = torch.full((40,), logit, requires_grad=True)
    gates = relaxed_bernoulli(logits, temperature, stream(seed))
    (gradient,) = torch.autograd.grad(gates.sum(), logits)
    assert gates.shape == logits.shape
    assert torch.isfinite(gradient).all()
    assert ((gates >= 0) & (gates <= 1)).all()


def test_noise_of_exactly_nothing_is_kept_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (0.0, 1.0):
        monkeypatch.setattr(torch, "rand", lambda shape, value=value, **_: torch.full(shape, value))
        gates = relaxed_bernoulli(torch.zeros(2), 1.0, stream(0))
        assert float(gates[0]) == pytest.approx(abs(value - 1e-6), abs=1e-7)


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(2, 6), seeds)
def test_pairs_repeat_only_once_all_are_used(
    n_environments: int, n_extractors: int, seed: int
) -> None:
    pairs = draw_pairs(n_environments, n_extractors, stream(seed))
    assert pairs.shape == (n_environments, 2)
    assert pairs.dtype == torch.int64
    assert int(pairs.min()) >= 0
    assert int(pairs.max()) < n_extractors
    assert bool((pairs[:, 0] != pairs[:, 1]).all())
    unordered = [frozenset(pair) for pair in pairs.tolist()]
    possible = n_extractors * (n_extractors - 1) // 2
    assert len(set(unordered)) == min(n_environments, possible)
    counts = [unordered.count(pair) for pair in set(unordered)]
    assert max(counts) - min(counts) <= 1


def test_every_pair_has_the_same_chance() -> None:
    generator = stream(0)
    drawn = torch.cat([draw_pairs(2, 4, generator) for _ in range(3_000)])
    counts = torch.bincount(drawn[:, 0] * 4 + drawn[:, 1])
    assert int((counts > 0).sum()) == 6
    assert stats.chisquare(counts[counts > 0].numpy()).pvalue > 1e-3


@pytest.mark.parametrize("n_extractors", [0, 1])
def test_a_pair_needs_two_extractors(n_extractors: int) -> None:
    with pytest.raises(ValueError, match="n_extractors"):
        draw_pairs(2, n_extractors, stream(0))


@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0, 4.0])
def test_mixing_weights_follow_the_beta_distribution(alpha: float) -> None:
    drawn = draw_mixing(4, 5_000, alpha, "sample", stream(11)).flatten().double().numpy()
    law = stats.beta(alpha, alpha)
    # Float32 knows no number between 1 - 6e-8 and 1, where a small alpha has a tenth of its mass.
    # The part below one half has no such gap, and holds half of the draws.
    low = drawn[drawn < 0.5]
    assert stats.binomtest(len(low), len(drawn), 0.5).pvalue > 1e-3
    assert stats.kstest(low, lambda x: 2 * law.cdf(x)).pvalue > 1e-3
    mirrored = 1 - drawn[(drawn > 0.5) & (drawn < 0.999)]
    span = 0.5 - law.cdf(0.001)
    assert stats.kstest(mirrored, lambda x: (law.cdf(x) - law.cdf(0.001)) / span).pvalue > 1e-3
    for power in (1, 2, 3):
        expected, spread = law.moment(power), np.std(drawn**power) / np.sqrt(len(drawn))
        assert abs((drawn**power).mean() - expected) < 4 * spread


def test_a_small_alpha_is_u_shaped() -> None:
    drawn = draw_mixing(4, 5_000, 0.1, "sample", stream(2))
    edges, middle = ((drawn < 0.05) | (drawn > 0.95)).float().mean(), (drawn - 0.5).abs() < 0.25
    law = stats.beta(0.1, 0.1)
    assert float(edges) == pytest.approx(2 * law.cdf(0.05), abs=0.012)
    assert float(middle.float().mean()) == pytest.approx(law.cdf(0.75) - law.cdf(0.25), abs=0.012)


@settings(deadline=None)
@given(st.floats(1e-4, 100), st.integers(1, 5), st.integers(1, 9), seeds)
def test_mixing_weights_are_finite_for_any_alpha(
    alpha: float, n_environments: int, batch: int, seed: int
) -> None:
    mixing = draw_mixing(n_environments, batch, alpha, "sample", stream(seed))
    assert mixing.shape == (n_environments, batch)
    assert mixing.dtype == torch.float32
    assert ((mixing >= 0) & (mixing <= 1)).all()


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 9), seeds)
def test_environments_level_shares_one_weight_over_the_rows(
    n_environments: int, batch: int, seed: int
) -> None:
    mixing = draw_mixing(n_environments, batch, 1.0, "environment", stream(seed))
    assert mixing.shape == (n_environments, batch)
    assert bool((mixing == mixing[:, :1]).all())
    assert len(mixing[:, 0].unique()) == n_environments


def test_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        draw_mixing(2, 2, 0.1, "row", stream(0))  # type: ignore[arg-type]


@settings(deadline=None)
@given(sizes, st.integers(1, 5), seeds)
def test_mixed_gates_are_the_mixup_of_gated_embeddings(
    size: tuple[int, int, int, int], n_environments: int, seed: int
) -> None:
    n_extractors, batch, length, dim = size
    generator = stream(seed)
    gates = torch.rand(n_extractors, batch, length, generator=generator, dtype=torch.float64)
    embeddings = torch.randn(batch, length, dim, generator=generator, dtype=torch.float64)
    pairs = draw_pairs(n_environments, n_extractors, generator)
    mixing = draw_mixing(n_environments, batch, 0.5, "sample", generator).double()
    mixed = mix_gates(gates, pairs, mixing).unsqueeze(-1) * embeddings
    for n, (a, b) in enumerate(pairs.tolist()):
        for row in range(batch):
            first = gates[a, row].unsqueeze(-1) * embeddings[row]
            second = gates[b, row].unsqueeze(-1) * embeddings[row]
            share = mixing[n, row]
            torch.testing.assert_close(mixed[n, row], share * first + (1 - share) * second)


@settings(deadline=None)
@given(seeds, st.floats(0, 1, width=32))
def test_equal_gates_mix_to_themselves_exactly(seed: int, value: float) -> None:
    gates = torch.full((3, 5, 4), value)
    pairs, mixing = draw_pairs(4, 3, stream(seed)), draw_mixing(4, 5, 0.1, "sample", stream(seed))
    assert torch.equal(mix_gates(gates, pairs, mixing), torch.full((4, 5, 4), value))


def test_keep_rate_counts_items_only() -> None:
    gates = torch.tensor([[[1.0, 0.5, 1.0], [0.0, 1.0, 1.0]], [[0.0, 0.0, 1.0], [0.0, 1.0, 1.0]]])
    is_item = torch.tensor([[True, True, False], [True, False, False]])
    np.testing.assert_allclose(keep_rate(gates, is_item).numpy(), [0.5, 0.0], atol=1e-7)
    assert keep_rate(gates, torch.zeros(2, 3, dtype=torch.bool)).tolist() == [0.0, 0.0]


@settings(deadline=None)
@given(sizes, seeds)
def test_keep_rate_ignores_padding_and_is_a_rate(
    size: tuple[int, int, int, int], seed: int
) -> None:
    n_extractors, batch, length, _ = size
    generator = stream(seed)
    gates = torch.rand(n_extractors, batch, length, generator=generator)
    is_item = torch.rand(batch, length, generator=generator) < 0.6
    rates = keep_rate(gates, is_item)
    assert ((rates >= 0) & (rates <= 1 + 1e-6)).all()
    torch.testing.assert_close(rates, keep_rate(gates.masked_fill(~is_item, 7.0), is_item))
    if is_item.any():
        torch.testing.assert_close(rates, torch.stack([gate[is_item].mean() for gate in gates]))


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.floats(0, 1))
def test_penalty_is_the_mean_squared_distance(rates: list[float], target: float) -> None:
    penalty = keep_rate_penalty(torch.tensor(rates, dtype=torch.float64), target)
    expected = sum((rate - target) ** 2 for rate in rates) / len(rates)
    assert penalty.ndim == 0
    assert float(penalty) == pytest.approx(expected, abs=1e-12)


def test_draws_are_repeated_by_their_generator_and_leave_the_global_one_alone() -> None:
    before = torch.get_rng_state()

    def draws() -> list[torch.Tensor]:
        generator = stream(4)
        return [
            relaxed_bernoulli(torch.zeros(3, 4), 0.1, generator),
            draw_pairs(5, 3, generator),
            draw_mixing(4, 6, 0.1, "sample", generator),
            draw_mixing(4, 6, 0.1, "environment", generator),
        ]

    first = draws()
    torch.manual_seed(99)
    after = torch.get_rng_state()
    for one, again in zip(first, draws(), strict=True):
        assert torch.equal(one, again)
    assert torch.equal(torch.get_rng_state(), after)
    torch.set_rng_state(before)
