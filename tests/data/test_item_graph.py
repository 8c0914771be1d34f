"""The sparse item graph against a dense computation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.data import item_graph
from recbole_invariant.data.item_graph import item_neighbours

pairs = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 7)), min_size=1, max_size=40)


def dense_similarity(users: np.ndarray, items: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    matrix = np.zeros(shape)
    matrix[users, items] = 1
    together = matrix.T @ matrix
    degree = together.sum(axis=1)
    own = np.diag(together)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = together / (degree - own)[:, None] * np.sqrt(degree[:, None] / degree[None, :])
    score[~np.isfinite(score)] = 0
    np.fill_diagonal(score, 0)
    return score


@settings(deadline=None)
@given(pairs, st.integers(1, 9), st.sampled_from([1, 3, 4096]))
def test_equals_the_dense_top_k(rows: list[tuple[int, int]], k: int, rows_at_a_time: int) -> None:
    users, items = np.array(rows).T
    score = dense_similarity(users, items, (7, 8))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(item_graph, "ROWS_AT_A_TIME", rows_at_a_time)
        found = item_neighbours(users, items, 7, 8, k)
    assert found.items.shape == found.similarity.shape == (8, k)
    for item in range(8):
        order = np.lexsort((np.arange(8), -score[item]))
        expected = [j for j in order if score[item, j] > 0][:k]
        kept = found.similarity[item].numpy() > 0
        # Equal scores may differ in the last bit between the two computations.
        np.testing.assert_allclose(
            found.similarity[item].numpy()[kept], score[item, expected], rtol=1e-6
        )
        chosen = found.items[item].numpy()[kept]
        assert item not in chosen
        np.testing.assert_allclose(score[item, chosen], score[item, expected], rtol=1e-9)


def test_an_item_alone_has_no_neighbours() -> None:
    found = item_neighbours(np.array([1, 2, 2]), np.array([1, 2, 3]), 3, 4, 2)
    assert found.similarity[1].tolist() == [0, 0]
    assert found.items[2].tolist() == [3, 0]


def test_a_repeated_interaction_counts_once() -> None:
    once = item_neighbours(np.array([1, 1, 2]), np.array([1, 2, 1]), 3, 3, 1)
    twice = item_neighbours(np.array([1, 1, 1, 2]), np.array([1, 2, 2, 1]), 3, 3, 1)
    assert once.similarity.tolist() == twice.similarity.tolist()
