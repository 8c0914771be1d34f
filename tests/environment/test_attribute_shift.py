import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from recbole_invariant.environment.attribute_shift import (
    draw_tilts,
    row_log_ratio,
    transition_log_ratio,
    transition_weights,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(seed: int, n: int, n_values: int) -> tuple[Tensor, Tensor]:
    drawn = torch.randint(0, n_values, (2, n), generator=generator(seed))
    return drawn[0], drawn[1]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 99), st.integers(1, 40), st.integers(2, 6), st.floats(0, 20))
def test_weights_are_those_of_the_definition(
    seed: int, n: int, n_values: int, scale: float
) -> None:
    before, after = rows(seed, n, n_values)
    tilts = draw_tilts(3, n_values, scale, generator(seed))
    weights = transition_weights(tilts, before, after)
    for e in range(3):
        tilt = [float(tilts[e, b, a]) for b, a in zip(before, after, strict=True)]
        for i in range(n):
            same = [j for j in range(n) if before[j] == before[i]]
            largest = max(tilt[j] for j in same)
            total = sum(math.exp(tilt[j] - largest) for j in same)
            expected = math.exp(tilt[i] - largest) * len(same) / total
            assert float(weights[e, i]) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert weights.mean(dim=1).tolist() == pytest.approx([1.0] * 3, rel=1e-4)


def test_rows_of_unknown_attributes_keep_equal_weights() -> None:
    before, after = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([1, 2, 0, 0, 1])
    weights = transition_weights(draw_tilts(4, 3, 3.0, generator()), before, after)
    torch.testing.assert_close(weights, torch.ones(4, 5))


def test_on_average_over_environments_every_transition_weighs_alike() -> None:
    # 90 rows repeat the attribute and 10 do not; under drawn odds both are half of the weight
    before = torch.ones(100, dtype=torch.int64)
    after = torch.where(torch.arange(100) < 90, 1, 2)
    weights = transition_weights(draw_tilts(4000, 3, 3.0, generator()), before, after)
    repeats = weights[:, after == 1].sum(dim=1) / 100
    plain = transition_weights(torch.zeros(1, 3, 3), before, after)[0, after == 1].sum() / 100
    assert float(plain) == pytest.approx(0.9)
    assert 0.6 < float(repeats.mean()) < 0.75  # logit-normal about .9, of deviation 3 sqrt(2)
    assert float((repeats > 0.5).float().mean()) == pytest.approx(
        0.5 * (1 + math.erf(math.log(9) / (3 * math.sqrt(2)) / math.sqrt(2))), abs=0.03
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.integers(1, 200), st.integers(2, 6), st.floats(0.1, 50))
def test_log_ratios_are_those_of_the_counts(
    seed: int, n: int, n_values: int, smoothing: float
) -> None:
    before, after = rows(seed, n, n_values)
    found = transition_log_ratio(before, after, n_values, smoothing)
    pairs = [(int(b), int(a)) for b, a in zip(before, after, strict=True) if b and a]
    for b in range(n_values):
        for a in range(n_values):
            of_a = sum(t == a for _, t in pairs)
            if not b or not a or not of_a:
                assert float(found[b, a]) == 0.0
                continue
            marginal = of_a / len(pairs)
            counted = sum(pair == (b, a) for pair in pairs) + smoothing * marginal
            conditional = counted / (sum(c == b for c, _ in pairs) + smoothing)
            assert float(found[b, a]) == pytest.approx(
                math.log(conditional / marginal), rel=1e-4, abs=1e-5
            )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 99), st.integers(0, 200), st.integers(1, 9), st.floats(0.1, 50))
def test_a_rows_log_ratio_is_that_of_the_table(
    seed: int, n: int, n_values: int, smoothing: float
) -> None:
    before, after = rows(seed, n, n_values)
    table = transition_log_ratio(before, after, n_values, smoothing)
    found = row_log_ratio(before, after, smoothing)
    torch.testing.assert_close(found, table[before, after], rtol=1e-6, atol=1e-7)


def test_rows_of_a_column_of_many_values_need_no_table_of_all_pairs() -> None:
    before, after = rows(0, 2000, 6)
    far = 400_000  # a table of all pairs of values would take terabytes
    found = row_log_ratio(before * far, after * far, 1.0)
    torch.testing.assert_close(found, row_log_ratio(before, after, 1.0))


def test_independent_attributes_need_no_adjustment() -> None:
    before, after = rows(3, 200_000, 4)
    assert float(transition_log_ratio(before, after, 4, 1.0).abs().max()) < 0.05
