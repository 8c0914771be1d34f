import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.data.splits.base import (
    Interactions,
    Split,
    keep_a_row_of_each_user,
)
from recbole_invariant.data.splits.unanswerable import drop_repeats, drop_unseen
from tests.data.splits.strategies import interactions

PARTS = ["train", "valid", "iid", "ood_x"]


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train": rows(0, 1), "valid": rows(1), "iid": rows(2)}, "1 rows are in more than one"),
        ({"train": rows(0), "valid": rows(1), "iid": rows()}, "1 rows are in no part"),
        ({"train": rows(0), "valid": rows(1), "iid": rows(2, 3)}, "outside"),
        ({"train": rows(0, 1, 2)}, "lacks the parts"),
    ],
)
def test_a_wrong_split_is_caught(parts: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Split(parts).check(3)


def test_columns_must_be_equally_long() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        Interactions(rows(1, 2), rows(1))


@given(interactions(), st.data())
def test_only_cold_held_out_rows_are_dropped(data: Interactions, drawn: st.DataObject) -> None:
    labels = np.array(
        drawn.draw(st.lists(st.integers(0, 3), min_size=len(data), max_size=len(data)))
    )
    before = Split({name: np.flatnonzero(labels == k) for k, name in enumerate(PARTS)})
    after = drop_unseen(before, data)
    after.check(len(data))
    trained_users = set(data.users[labels == 0].tolist())
    trained_items = set(data.items[labels == 0].tolist())
    assert np.array_equal(after.parts["train"], before.parts["train"])
    for name in PARTS[1:]:
        kept = [
            row
            for row in before.parts[name].tolist()
            if data.users[row] in trained_users and data.items[row] in trained_items
        ]
        assert after.parts[name].tolist() == kept
        assert after.notes["dropped"][name] == len(before.parts[name]) - len(kept)


@given(interactions(), st.integers(0, 2**31), st.floats(0, 1))
def test_one_row_goes_back_to_each_user_left_with_none(
    data: Interactions, seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    taken = rng.random(len(data)) < share
    back = keep_a_row_of_each_user(taken, data.users, rng)
    emptied = {u for u in data.users.tolist() if taken[data.users == u].all()}
    assert sorted(data.users[back].tolist()) == sorted(emptied)
    assert taken[back].all()


def test_a_held_out_pair_that_training_holds_is_dropped() -> None:
    users, items = rows(1, 1, 1, 2, 2, 2), rows(7, 8, 7, 7, 9, 9)
    data = Interactions(users, items)
    parts = {"train": rows(0, 3, 4), "valid": rows(1), "iid": rows(2), "ood_x": rows(5)}
    split = drop_repeats(Split(parts, {"dropped": {"iid": 0}}), data)
    split.check(6)
    assert split.parts["dropped"].tolist() == [2, 5]
    assert split.parts["valid"].tolist() == [1]
    assert split.notes["dropped"] == {"iid": 0, "repeats": 2}
    unchanged = Split({"train": rows(0, 3), "valid": rows(1), "iid": rows(4)})
    assert drop_repeats(unchanged, data) is unchanged
