"""Groups of rows by length: a partition that computes few positions in vain."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.model.length_groups import SHORTEST, group_by_length, rows_in_order

lengths = st.lists(st.integers(1, 70), min_size=1, max_size=40)


@settings(deadline=None)
@given(lengths, st.integers(1, 9))
def test_every_row_is_in_one_group_that_is_long_enough(values: list[int], shortest: int) -> None:
    length = torch.tensor(values)
    groups = group_by_length(length, shortest)
    assert torch.cat([group.rows for group in groups]).sort().values.tolist() == list(
        range(len(values))
    )
    for group in groups:
        assert group.longest == int(length[group.rows].max())
        assert bool((group.rows.diff() > 0).all())
    assert [group.longest for group in groups] == sorted({group.longest for group in groups})


@settings(deadline=None)
@given(lengths)
def test_above_the_shortest_fewer_than_half_the_positions_are_in_vain(values: list[int]) -> None:
    length = torch.tensor(values)
    for group in group_by_length(length):
        if group.longest > SHORTEST:
            assert group.longest < 2 * int(length[group.rows].min())


@settings(deadline=None)
@given(lengths)
def test_the_order_of_the_batch_comes_back(values: list[int]) -> None:
    length = torch.tensor(values)
    groups = group_by_length(length)
    stacked = torch.cat([length[group.rows] for group in groups])
    assert torch.equal(stacked[rows_in_order(groups)], length)


def test_short_sequences_are_one_group_in_their_order() -> None:
    (group,) = group_by_length(torch.tensor([3, 8, 1]))
    assert (group.rows.tolist(), group.longest) == ([0, 1, 2], 8)
    assert group_by_length(torch.zeros(0, dtype=torch.int64)) == []
