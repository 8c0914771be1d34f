from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.evaluation.curves import metric_curves
from recbole_invariant.evaluation.ranked import Ranked, pair_labels
from recbole_invariant.evaluation.slices import item_thirds, slice_metrics, user_activity
from recbole_invariant.evaluation.topk_metrics import mean_values, per_user_values

METRICS = ["Recall", "NDCG", "Precision", "MRR", "MAP", "Hit"]


def ranked_at_random(seed: int, n_rows: int = 40, n_items: int = 30, k: int = 8) -> Ranked:
    """Users 1 ... n_rows with one to five positives each, ranked at random."""
    rng = np.random.default_rng(seed)
    top = np.stack([rng.permutation(np.arange(1, n_items))[:k] for _ in range(n_rows)])
    wanted = [np.sort(rng.choice(np.arange(1, n_items), rng.integers(1, 6), False)) for _ in top]
    hits = np.stack([np.isin(row, own) for row, own in zip(top, wanted, strict=True)])
    rows = np.repeat(np.arange(n_rows), [own.size for own in wanted])
    return Ranked(np.arange(1, n_rows + 1), top, hits, rows, np.concatenate(wanted))


@given(counts=st.lists(st.integers(0, 12), min_size=1, max_size=40))
def test_thirds_of_the_training_rows(counts: list[int]) -> None:
    named = item_thirds(np.array(counts))
    total = sum(counts)
    for count, name in zip(counts, named, strict=True):
        before = sum(other for other in counts if other > count)
        third = 2 if not count else min(2, next(t for t in (2, 1, 0) if 3 * before >= t * total))
        assert name == ["head", "mid", "tail"][third]


def test_active_users_have_more_rows_than_the_median_of_those_with_any() -> None:
    named = user_activity(np.array([0, 0, 0, 2, 4, 6]))
    assert named.tolist() == ["inactive"] * 5 + ["active"]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_slice_counts_its_positives_only(seed: int) -> None:
    """The oracle loops over users with sets."""
    ranked = ranked_at_random(seed)
    rng = np.random.default_rng(seed)
    item_counts, user_counts = rng.integers(0, 12, 30), rng.integers(0, 9, 41)
    labels = rng.integers(0, 3, ranked.positive_items.size)
    slices = slice_metrics(ranked, item_counts, user_counts, METRICS, [3, 8], labels)
    kinds: dict[str, np.ndarray] = {
        "items": item_thirds(item_counts)[ranked.positive_items],
        "warmth": np.where(item_counts[ranked.positive_items] < 5, "cold", "warm"),
        "users": user_activity(user_counts)[ranked.users[ranked.positive_rows]],
        "environment": labels.astype(str),
    }
    for group, names in kinds.items():
        assert set(slices[group]) == set(names.tolist())
        for name, content in slices[group].items():
            recalls = []
            for row, top in enumerate(ranked.top_items):
                mine = (ranked.positive_rows == row) & (names == name)
                own = set(ranked.positive_items[mine].tolist())
                if own:
                    recalls.append(len(own & set(top[:3].tolist())) / len(own))
            assert content["n_users"] == len(recalls)
            assert content["n_positives"] == int((names == name).sum())
            assert content["metrics"]["recall@3"] == pytest.approx(np.mean(recalls), abs=1e-12)
            assert set(content["metrics"]) == {f"{m.lower()}@{k}" for m in METRICS for k in (3, 8)}


def test_the_worst_slice_has_enough_users() -> None:
    ranked = ranked_at_random(3)
    item_counts, user_counts = np.arange(30), np.arange(41)
    labels = np.where(ranked.positive_rows == 0, 7, 8)

    def worst(**options: Any) -> Any:
        return slice_metrics(
            ranked, item_counts, user_counts, ["Recall"], [3, 8], labels, **options
        )

    found = worst(min_users=10)
    big = {
        (group, name): content["metrics"]["recall@3"]
        for group in ("items", "warmth", "users", "environment")
        for name, content in found[group].items()
        if content["n_users"] >= 10
    }
    group, name = min(big, key=lambda key: big[key])
    assert found["worst"]["value"] == big[group, name]
    assert (found["worst"]["group"], found["worst"]["slice"]) == (group, name)
    assert found["worst"]["n_users"] == found[group][name]["n_users"]
    assert found["worst"]["metric"] == "recall@3"
    # the environment of one user is shown, never named
    assert found["environment"]["7"]["n_users"] == 1
    assert found["worst_environment"]["slice"] == "8"
    assert worst(min_users=10, worst_by="Recall@8")["worst"]["metric"] == "recall@8"
    assert "worst" not in worst(min_users=41)


def test_all_positives_give_the_whole_tests_values() -> None:
    ranked = ranked_at_random(5)
    hits, n_positives = ranked.restricted(np.ones(ranked.positive_rows.size, dtype=bool))
    assert np.array_equal(hits, ranked.hits)
    assert np.array_equal(n_positives, ranked.n_positives)
    curves = metric_curves(ranked, up_to=100)
    means = mean_values(["Recall", "NDCG"], [1, 5, 8], hits, n_positives)
    assert len(curves["recall"]) == 8
    for k in (1, 5, 8):
        assert curves["recall"][k - 1] == pytest.approx(means[f"recall@{k}"], abs=1e-12)
        assert curves["ndcg"][k - 1] == pytest.approx(means[f"ndcg@{k}"], abs=1e-12)
    assert metric_curves(ranked, up_to=3)["ndcg"] == pytest.approx(curves["ndcg"][:3])


def test_labels_reach_the_positives_by_pair() -> None:
    ranked = ranked_at_random(6)
    users, items = ranked.users[ranked.positive_rows], ranked.positive_items
    labels = np.arange(items.size)
    order = np.random.default_rng(0).permutation(items.size)
    # a pair that comes again later keeps its first label
    again = [np.append(side[order], side[:1]) for side in (users, items, labels)]
    again[2][-1] = 999
    assert pair_labels(ranked, *again).tolist() == labels.tolist()
    with pytest.raises(KeyError, match="in none of the rows"):
        pair_labels(ranked, users[1:], items[1:], labels[1:])


def test_only_metrics_of_hits() -> None:
    with pytest.raises(KeyError, match="itemcoverage is no top-k metric"):
        per_user_values("itemcoverage", np.ones((1, 2), dtype=bool), np.array([2]))
    assert mean_values(["ItemCoverage"], [1], np.ones((1, 2), dtype=bool), np.array([2])) == {}
