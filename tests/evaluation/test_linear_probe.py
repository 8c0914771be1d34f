"""Probes: against scikit-learn, and on representations whose content is known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from recbole_invariant.evaluation.linear_probe import (
    LEAST_ROWS,
    MOST_VALUES,
    RIDGE,
    common_values,
    probe,
    probe_tokens,
    ranking_auc,
    ridge_scores,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(2, 60))
def test_scores_are_those_of_scikit_learns_ridge(seed: int, dim: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    x, asked = rng.normal(3, 2, (rows, dim)), rng.normal(3, 2, (7, dim))
    x[:, 0] = 0.1  # a constant column
    y = rng.random((rows, 3)) < 0.4
    scaler = StandardScaler().fit(x)
    oracle = Ridge(alpha=RIDGE).fit(scaler.transform(x), y.astype(float))
    # asked at another value, too: a column that never varied says nothing
    constant = Ridge(alpha=RIDGE).fit(scaler.transform(x), y.astype(float))
    assert np.abs(constant.coef_[:, 0]).max() < 1e-8
    expected = oracle.predict(scaler.transform(asked))
    np.testing.assert_allclose(ridge_scores(x, y, asked), expected, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_the_area_is_scikit_learns_ties_and_all(rows: list[tuple[int, bool]]) -> None:
    scores = np.array([[float(score)] for score, _ in rows])
    labels = np.array([[label] for _, label in rows])
    (found,) = ranking_auc(scores, labels)
    if labels.all() or not labels.any():
        assert np.isnan(found)
    else:
        assert found == pytest.approx(roc_auc_score(labels[:, 0], scores[:, 0]))


def test_a_probe_is_two_halves_each_judged_by_the_other() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(301, 4))
    y = x[:, :2] + rng.normal(size=(301, 2)) > 0.3
    order = torch.randperm(301, generator=generator(5)).numpy()
    areas = []
    for fitted, held in ((order[:151], order[151:]), (order[151:], order[:151])):
        scaler = StandardScaler().fit(x[fitted])
        oracle = Ridge(alpha=RIDGE).fit(scaler.transform(x[fitted]), y[fitted].astype(float))
        scores = oracle.predict(scaler.transform(x[held]))
        areas += [roc_auc_score(y[held, k], scores[:, k]) for k in range(2)]
    assert probe(x, y, generator(5)) == pytest.approx(np.mean(areas))


def test_what_is_there_is_found_and_what_is_not_is_not() -> None:
    rng = np.random.default_rng(2)
    tokens = rng.integers(1, 4, 900)
    vectors = rng.normal(size=(4, 6))
    told = vectors[tokens] + 0.1 * rng.normal(size=(900, 6))
    assert probe_tokens(told, tokens, generator()) == pytest.approx(1, abs=1e-3)
    nothing = probe_tokens(rng.normal(size=(900, 6)), tokens, generator())
    assert nothing == pytest.approx(0.5, abs=0.04)
    assert probe_tokens(np.zeros((900, 6)), tokens, generator()) == 0.5
    scaled = told * [1e6, 1e-6, 1, 1, 1, 1] + 1e3
    assert probe_tokens(scaled, tokens, generator()) == pytest.approx(1, abs=1e-3)


def test_values_that_are_too_rare_or_everywhere_are_left_out() -> None:
    tokens = np.ones((100, 3), dtype=np.int64)
    tokens[: LEAST_ROWS - 1, 1] = 2
    tokens[:LEAST_ROWS, 2] = 3
    tokens[LEAST_ROWS:, 2] = 0
    np.testing.assert_array_equal(common_values(tokens), (tokens == 3).any(1)[:, None])
    assert common_values(tokens[:5]).shape == (5, 0)
    assert probe_tokens(np.zeros((100, 2)), np.ones(100), generator()) is None
    assert probe_tokens(np.zeros((100, 2)), np.zeros(100), generator()) is None


def test_the_most_common_values_are_kept_and_a_row_may_have_several() -> None:
    counts = np.arange(LEAST_ROWS, LEAST_ROWS + MOST_VALUES + 5)
    tokens = np.repeat(np.arange(1, len(counts) + 1), counts)
    pairs = np.stack([tokens, tokens[::-1]], axis=1)
    flags = common_values(pairs)
    assert flags.shape == (len(tokens), MOST_VALUES)
    assert (np.diff(flags.sum(0)) <= 0).all()
    both = {int(v): int((pairs == v).any(1).sum()) for v in np.unique(pairs)}
    assert flags.sum(0).tolist() == sorted(both.values(), reverse=True)[:MOST_VALUES]


def test_rows_without_a_value_do_not_count() -> None:
    rng = np.random.default_rng(3)
    tokens = rng.integers(1, 3, 200)
    x = rng.normal(size=(200, 3)) + tokens[:, None]
    more = np.concatenate([x, rng.normal(size=(50, 3))])
    unknown = np.concatenate([tokens, np.zeros(50, dtype=int)])
    assert probe_tokens(more, unknown, generator()) == probe_tokens(x, tokens, generator())
