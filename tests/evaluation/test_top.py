import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.evaluation.top import BLOCK, WORTHWHILE, top_k


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.sampled_from([1, 3, 10]),
    more=st.integers(0, 3 * BLOCK),
    levels=st.sampled_from([1, 2, 40, 10**4, 10**9]),
    kind=st.sampled_from(["plain", "masked", "nan", "sorted"]),
)
def test_values_columns_and_order_are_torchs(
    seed: int, k: int, more: int, levels: int, kind: str
) -> None:
    generator = torch.Generator().manual_seed(seed)
    n_columns = WORTHWHILE * BLOCK * (k + 2) + more
    drawn = torch.randint(0, levels, (5, n_columns), generator=generator)
    scores = drawn.double() if levels > 2**24 else drawn.float()
    if kind == "masked":
        scores[0] = -torch.inf
        scores[1, : n_columns - k // 2] = -torch.inf
        scores[2:][torch.rand(3, n_columns, generator=generator) < 0.5] = -torch.inf
    elif kind == "nan":
        scores[0, :3], scores[1, -1] = torch.nan, torch.nan
    elif kind == "sorted":
        scores = scores.sort(dim=-1).values
    before = scores.clone()
    values, columns = top_k(scores, k)
    expected = torch.topk(scores, k, dim=-1)
    assert torch.equal(columns, expected.indices)
    assert values.nan_to_num(1e30).equal(expected.values.nan_to_num(1e30))
    assert scores.nan_to_num(1e30).equal(before.nan_to_num(1e30))


@pytest.mark.parametrize("n_columns", [3, 100])
def test_short_rows(n_columns: int) -> None:
    scores = torch.randn(4, n_columns)
    assert torch.equal(top_k(scores, 3)[1], torch.topk(scores, 3).indices)
