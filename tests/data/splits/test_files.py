import numpy as np
import pytest

from recbole_invariant.data.splits.base import Interactions
from recbole_invariant.data.splits.files import parts_of_files, split_by_files
from recbole_invariant.errors import InputError


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["a", "b"], ["train", "iid"]),
        (["train", "valid", "test"], ["train", "valid", "iid"]),
        (["train", "iid", "ood_flip"], ["train", "iid", "ood_flip"]),
        (["ood_x", "iid", "valid", "train"], ["ood_x", "iid", "valid", "train"]),
    ],
)
def test_files_are_parts_by_position_or_by_name(names: list[str], parts: list[str]) -> None:
    assert list(parts_of_files(names).values()) == parts


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train"], "not 1"),
        (["a", "b", "c", "d"], "not 4"),
        (["train", "test", "ood_flip"], "not test"),
        (["train", "ood_flip"], "expected 'train', 'iid'"),
    ],
)
def test_files_that_do_not_say_what_they_are(names: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parts_of_files(names)


def rows(files: list[str]) -> Interactions:
    names = np.repeat(files, 40)
    users = np.tile(np.repeat(np.arange(1, 5), 10), len(files))
    return Interactions(users, np.arange(len(names)) + 1, files=names)


def test_named_tests_keep_their_rows_and_cold_items() -> None:
    files = ["train", "valid", "iid", "ood_flip"]
    split = split_by_files(rows(files), {"benchmark_filename": files}, seed=0)
    split.check(160)
    assert list(split.parts) == files
    assert split.parts["ood_flip"].tolist() == list(range(120, 160))


def test_missing_validation_comes_from_training_alone() -> None:
    options = {"benchmark_filename": ["train", "test"], "pool_ratio": [0.8, 0.2, 0.5]}
    split = split_by_files(rows(["train", "test"]), options, seed=0)
    split.check(80)
    assert split.parts["iid"].tolist() == list(range(40, 80))
    assert len(split.parts["valid"]) == split.notes["valid_cut_from_train"] == 8
    again = split_by_files(rows(["train", "test"]), options, seed=0)
    other = split_by_files(rows(["train", "test"]), options, seed=1)
    assert again.parts["valid"].tolist() == split.parts["valid"].tolist()
    assert other.parts["valid"].tolist() != split.parts["valid"].tolist()
