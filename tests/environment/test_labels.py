"""Labels: the best scorer wins, dying environments are refilled."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.environment.labels import (
    best_environment,
    random_labels,
    refill_small_environments,
)


def test_centring_undoes_a_model_that_scores_everything_higher() -> None:
    scores = torch.tensor([[1.0, 0.0, 0.0], [10.0, 11.0, 10.5]])
    assert best_environment(scores, centred=False).tolist() == [1, 1, 1]
    assert best_environment(scores, centred=True).tolist() == [0, 1, 1]


@given(st.lists(st.integers(0, 4), min_size=20, max_size=200), st.floats(0, 0.5))
def test_refilling_moves_only_what_it_says(labels: list[int], min_share: float) -> None:
    before = torch.tensor(labels)
    after, moved = refill_small_environments(before, 5, min_share, torch.Generator())
    assert torch.equal(before[~moved], after[~moved])
    small = torch.bincount(before, minlength=5) < min_share * len(labels)
    assert set(after[moved].tolist()) <= set(torch.nonzero(small).flatten().tolist())
    assert bool(moved.any()) == bool(small.any())


def test_a_dead_environment_gets_its_fair_share() -> None:
    labels, moved = refill_small_environments(
        torch.zeros(1000, dtype=torch.long), 4, 0.01, torch.Generator().manual_seed(1)
    )
    assert int((labels == 3).sum()) == 250
    assert int(moved.sum()) <= 750


def test_random_labels_are_uniform() -> None:
    labels = random_labels(9000, 3, torch.Generator().manual_seed(0))
    counts = torch.bincount(labels, minlength=3)
    assert (counts - 3000).abs().max() < 5 * 45
