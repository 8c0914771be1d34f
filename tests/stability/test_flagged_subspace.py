"""The subspace of the flagged dimensions: white, with their causes and nothing else."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.stability.experts import flagged_subspace
from recbole_invariant.stability.overdispersion import standardise
from tests.stability.held_out import draw_features, generator


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3))
def test_the_subspace_is_white_over_the_items(
    seed: int, n_causes: int, a_cause: int, n_others: int
) -> None:
    g = generator(seed)
    _, features = draw_features(60, n_causes + n_others, a_cause, g, noise=0.3)
    flagged = torch.arange(features.shape[1]) < n_causes * a_cause
    found = flagged_subspace(features, flagged)
    assert found[0].abs().sum() == 0
    real = found[1:].double().numpy()
    r = real.shape[1]
    assert 1 <= r <= int(flagged.sum())
    np.testing.assert_allclose(real.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(real.T).reshape(r, r), np.eye(r), atol=2e-3)


def test_the_subspace_has_the_causes_and_nothing_of_what_is_not_flagged() -> None:
    causes, features = draw_features(400, 4, 6, generator())
    flagged = torch.arange(24) < 12
    found = flagged_subspace(features, flagged)
    assert found.shape == (400, 2)
    # regression of each cause on the coordinates: 1 - noise / copies of the variance is explained
    explained = (found[1:].T @ causes[1:] / 398).square().sum(dim=0)
    assert (explained[:2] > 0.9).all()
    assert (explained[2:] < 0.1).all()


def test_one_flagged_dimension_is_its_own_subspace() -> None:
    features = standardise(torch.randn(30, 3, generator=generator()))
    found = flagged_subspace(features, torch.tensor([False, True, False]))
    torch.testing.assert_close(found.abs(), features[:, 1:2].abs())


def test_copies_of_one_dimension_give_one_coordinate() -> None:
    features = standardise(torch.randn(30, 1, generator=generator())).repeat(1, 5)
    assert flagged_subspace(features, torch.ones(5, dtype=torch.bool)).shape == (30, 1)
