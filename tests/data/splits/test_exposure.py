from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.data.splits import Interactions, make_split
from recbole_invariant.data.splits.exposure import random_precision, split
from recbole_invariant.data.splits.unanswerable import seen_before
from recbole_invariant.errors import InputError
from tests.data.splits.strategies import (
    OPTIONS,
    dressed,
    full_interactions,
    long_tailed,
    pool,
    same,
)

WITH_VALID = {**OPTIONS, "selection": "ood_valid"}


@given(full_interactions(), st.booleans(), st.integers(0, 99))
def test_only_the_file_train_is_trained_on(data: Interactions, nested: bool, seed: int) -> None:
    files = np.asarray(data.files)
    asked = WITH_VALID if nested else OPTIONS
    if not {"train", "test"} <= set(files) or (nested and "valid" not in files):
        with pytest.raises(InputError, match="exposure"):
            split(data, asked, seed)
        return
    found = split(data, asked, seed)
    found.check(len(data))
    assert same(found, split(data, asked, seed))
    assert set(files[pool(found)]) == {"train"}
    assert len(pool(found)) == (files == "train").sum()
    # pairs are distinct in this strategy, so no test row was seen in training
    assert found.parts["ood_exposure"].tolist() == np.flatnonzero(files == "test").tolist()
    rest = "ood_valid" if nested else "dropped"
    assert found.parts[rest].tolist() == np.flatnonzero(files == "valid").tolist()
    assert found.notes["unused_valid_rows"] == (0 if nested else (files == "valid").sum())


def test_pairs_seen_in_training_are_dropped_from_the_test_and_counted() -> None:
    users = np.repeat(np.arange(1, 11), 10)
    items = np.tile(np.arange(1, 11), 10)
    data = Interactions(
        np.tile(users, 2), np.tile(items, 2), files=np.repeat(["train", "test"], 100)
    )
    found = split(data, OPTIONS, 0)
    trained = {(data.users[r], data.items[r]) for r in found.parts["train"]}
    tested = {(data.users[r], data.items[r]) for r in found.parts["ood_exposure"]}
    assert not trained & tested
    assert found.notes["seen_pairs"]["ood_exposure"] == len(trained)
    assert len(tested) == 100 - len(trained)


@given(full_interactions(), st.data())
def test_seen_pairs_by_sets(data: Interactions, drawn: st.DataObject) -> None:
    chosen = st.lists(st.integers(0, len(data) - 1))
    rows, train = (np.array(drawn.draw(chosen), dtype=np.int64) for _ in range(2))
    pairs = {(data.users[r], data.items[r]) for r in train}
    expected = [(data.users[r], data.items[r]) in pairs for r in rows]
    assert seen_before(data, rows, train).tolist() == expected


def test_precision_of_a_random_ranking_is_that_of_simulated_ones() -> None:
    data = dressed(long_tailed(40, 50))
    parts = split(data, OPTIONS, 0).parts
    expected = random_precision(data, parts["ood_exposure"], parts["train"])
    rng, catalogue, precision = np.random.default_rng(0), np.unique(data.items), []
    for user in np.unique(data.users[parts["ood_exposure"]]):
        history = data.items[parts["train"]][data.users[parts["train"]] == user]
        candidates = np.setdiff1d(catalogue, history)
        positives = data.items[parts["ood_exposure"]][data.users[parts["ood_exposure"]] == user]
        for _ in range(100):
            shown = rng.choice(candidates, 10, replace=False)
            precision.append(np.isin(shown, positives).mean())
    assert expected == pytest.approx(np.mean(precision), rel=0.05)


def test_data_that_is_not_in_such_files_is_refused() -> None:
    data = long_tailed(10)
    with pytest.raises(InputError, match=r"one file.*coat"):
        split(data, OPTIONS, 0)
    files = np.resize(["train", "iid", "ood_flip"], len(data))
    with pytest.raises(InputError, match="rows come from iid, ood_flip, train"):
        split(replace(data, files=files), OPTIONS, 0)
    two = replace(data, files=np.resize(["train", "train", "test"], len(data)))
    assert make_split("exposure", two, OPTIONS, 0).notes["unused_valid_rows"] == 0
    with pytest.raises(InputError, match="there is none"):
        make_split("exposure", two, WITH_VALID, 0)
