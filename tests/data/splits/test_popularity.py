import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.data.splits import Interactions, make_split
from recbole_invariant.data.splits.popularity import (
    N_CHUNKS,
    expected_test_rows,
    popularity_chunk,
    split,
)
from recbole_invariant.errors import InputError
from tests.data.splits.strategies import interactions, long_tailed


def options(*gammas: float, n_max: float = 12) -> dict[str, object]:
    return {
        "popularity_gamma": list(gammas),
        "popularity_n_max": n_max,
        "pool_ratio": [0.8, 0.1, 0.1],
    }


gamma_lists = st.lists(st.floats(1, 20), min_size=1, max_size=3)


def gini(counts: np.ndarray) -> float:
    """Inequality of a non-negative vector by its definition, mean |x - y| / (2 mean)."""
    return float(np.abs(counts[:, None] - counts[None, :]).mean() / (2 * counts.mean()))


@given(interactions(), gamma_lists, st.floats(0.5, 20), st.integers(0, 1000))
def test_the_split_is_whole_repeatable_and_keeps_users_in_training(
    data: Interactions, gammas: list[float], n_max: float, seed: int
) -> None:
    first = split(data, options(*gammas, n_max=n_max), seed)
    first.check(len(data))
    second = split(data, options(*gammas, n_max=n_max), seed)
    assert all(np.array_equal(rows, second.parts[name]) for name, rows in first.parts.items())
    assert set(data.users[first.parts["train"]]) == set(data.users)
    for item in set(data.items.tolist()):
        shifted = sum(
            (data.items[rows] == item).sum()
            for name, rows in first.parts.items()
            if name.startswith("ood_")
        )
        assert shifted <= (data.items == item).sum() - 1


@given(interactions(max_items=80))
def test_chunks_hold_equally_many_items_and_fall_in_popularity(data: Interactions) -> None:
    chunk, counts = popularity_chunk(data.items), np.bincount(data.items)
    present = np.flatnonzero(counts)
    sizes = np.bincount(chunk[present], minlength=N_CHUNKS)
    filled = sizes[sizes > 0]
    assert filled.max() - filled.min() <= 1
    assert (chunk[counts == 0] == -1).all()
    for a in present:
        for b in present:
            assert chunk[a] <= chunk[b] or counts[a] <= counts[b]


@given(interactions(), gamma_lists, st.floats(0.5, 20))
def test_expected_rows_are_the_formula_where_items_have_enough(
    data: Interactions, gammas: list[float], n_max: float
) -> None:
    expected = expected_test_rows(data.items, gammas, n_max)
    chunk, counts = popularity_chunk(data.items), np.bincount(data.items)
    for item in set(data.items.tolist()):
        wanted = [n_max / len(gammas) * gamma ** (-chunk[item] / 49) for gamma in gammas]
        shrink = min(1.0, (counts[item] - 1) / sum(wanted))
        assert expected[:, item] == pytest.approx([shrink * w for w in wanted], abs=1e-9)


def test_counts_match_the_expectation_within_sampling_error() -> None:
    data = long_tailed()
    gammas = [1.0, 3.0, 10.0]
    expected = expected_test_rows(data.items, gammas, 12)
    drawn = np.zeros((3, len(expected[0])))
    for seed in range(20):
        parts = split(data, options(*gammas), seed).parts
        for k in range(3):
            drawn[k] += np.bincount(
                data.items[parts[f"ood_popularity_{k + 1}"]], minlength=len(expected[0])
            )
    # an item's count is within one of its expectation, so 20 sums deviate by sqrt(20)/2 at most
    assert np.abs(drawn / 20 - expected).max() < 5 * np.sqrt(20) / 2 / 20
    assert drawn.sum() / 20 == pytest.approx(expected.sum(), rel=0.01)


def test_the_test_is_flatter_than_iid_and_gamma_1_is_the_flattest() -> None:
    data = long_tailed(n_users=1500)
    parts = make_split("popularity", data, options(1, 3, 10, n_max=36), seed=1).parts
    inequality = {
        name: gini(np.bincount(data.items[rows], minlength=201)[1:])
        for name, rows in parts.items()
        if name != "dropped"
    }
    strengths = [inequality[f"ood_popularity_{k}"] for k in (1, 2, 3)]
    assert strengths == sorted(strengths)
    assert strengths[-1] < 0.8 * inequality["iid"]
    assert strengths[0] < 0.7 * strengths[-1]
    assert inequality["iid"] == pytest.approx(inequality["train"], abs=0.08)


def test_one_strength_has_no_number_and_seeds_differ() -> None:
    data = long_tailed(100)
    parts = split(data, options(1), 0).parts
    assert list(parts) == ["train", "valid", "iid", "ood_popularity"]
    assert not np.array_equal(parts["train"], split(data, options(1), 1).parts["train"])


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        (options(0.5), "popularity_gamma"),
        (options(), "popularity_gamma"),
        (options(1, n_max=0), "popularity_n_max"),
    ],
)
def test_wrong_options_are_named(wrong: dict[str, object], key: str) -> None:
    with pytest.raises(InputError, match=key):
        split(long_tailed(10), wrong, 0)
