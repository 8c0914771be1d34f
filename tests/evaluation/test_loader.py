from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.interaction import Interaction
from recbole.data.utils import create_samplers
from recbole.utils import ModelType

from recbole_invariant.evaluation.loader import RowItems, UserRankingLoader, rank_users
from tests.host import cut_toy, host_config, write_toy

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=40)


@given(pairs=PAIRS, chosen=st.lists(st.integers(0, 5), max_size=8))
def test_rows_give_their_items(pairs: list[tuple[int, int]], chosen: list[int]) -> None:
    rows, items = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    kept = RowItems.from_pairs((rows, items), 6)
    places, taken = kept.take(np.array(chosen, dtype=np.int64))
    expected = [(k, i) for k, row in enumerate(chosen) for r, i in sorted(set(pairs)) if r == row]
    assert list(zip(places.tolist(), taken.tolist(), strict=True)) == expected
    lists = [own.tolist() for own in kept.lists()]
    assert lists == [sorted({i for r, i in pairs if r == row}) for row in range(6)]


def batches(loader: Any) -> list[list[set[Any]]]:
    """What a trainer reads of each batch."""
    found = []
    for rows, history, places, items in loader:
        out = set(zip(*(side.tolist() for side in history), strict=True))
        positives = list(zip(places.tolist(), items.tolist(), strict=True))
        assert len(positives) == len(set(positives))
        found.append([set(enumerate(rows["user_id"].tolist())), out, set(positives)])
    return found


@pytest.mark.parametrize("phase", ["valid", "test"])
def test_batches_are_recboles(tmp_path: Path, phase: str) -> None:
    write_toy(tmp_path)
    config = host_config("BPR", tmp_path, eval_batch_size=31 * 7)
    whole, parts = cut_toy(config)
    train, valid, test = parts.train, parts.valid, parts.tests["ood_popularity"]
    samplers = create_samplers(config, whole, [train, valid, test])
    tested, sampler, seen = {
        "valid": (valid, samplers[1], [train]),
        "test": (test, samplers[2], [train, valid]),
    }[phase]
    ours = rank_users(config, tested, seen)
    theirs = FullSortEvalDataLoader(config, tested, sampler)
    assert isinstance(ours, FullSortEvalDataLoader)
    assert batches(ours) == batches(theirs)
    assert ours.uid_list.tolist() == theirs.uid_list.tolist()
    for user in theirs.uid_list.tolist():
        for name in ("uid2history_item", "uid2positive_item"):
            assert set(getattr(ours, name)[user].tolist()) == set(
                getattr(theirs, name)[user].tolist()
            )


def test_a_sequential_models_rows_are_transformed(tmp_path: Path) -> None:
    write_toy(tmp_path)
    config = host_config("BPR", tmp_path, eval_batch_size=2)
    whole, _ = cut_toy(config)
    config["MODEL_TYPE"] = ModelType.SEQUENTIAL
    rows = Interaction({"user_id": torch.tensor([1, 2, 3]), "item_id_list": torch.ones(3, 4)})
    history = (np.array([0, 2, 2]), np.array([5, 6, 7]))
    positives = (np.array([0, 1, 2, 2]), np.array([1, 2, 3, 7]))
    loader = UserRankingLoader(config, whole, rows, history, positives)

    def halve(dataset: Any, batch: Interaction) -> Interaction:
        assert dataset is whole
        return Interaction({**batch.interaction, "item_id_list": batch["item_id_list"] / 2})

    loader.transform = halve
    first, second = list(loader)
    assert first[0]["item_id_list"].tolist() == [[0.5] * 4] * 2
    assert [side.tolist() for side in first[1]] == [[0], [5]]
    assert [side.tolist() for side in first[2:]] == [[0, 1], [1, 2]]
    # an item that is to be found is not left out of the ranking
    assert [side.tolist() for side in second[1]] == [[0], [6]]
    assert [side.tolist() for side in second[2:]] == [[0, 0], [3, 7]]
