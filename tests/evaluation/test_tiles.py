from types import SimpleNamespace
from typing import Any

import pytest
import torch
from recbole.data.interaction import Interaction

from recbole_invariant.evaluation.memory import pairs_in_memory, users_in_memory
from recbole_invariant.evaluation.tiles import score_batch, score_pairs

N_ROWS, N_ITEMS = 5, 13


class PairModel:
    """Scores 100 * user + item + the item's price, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def full_sort_predict(self, rows: Interaction) -> None:
        raise NotImplementedError

    def predict(self, asked: Interaction) -> torch.Tensor:
        self.sizes.append(len(asked))
        return (100 * asked["user_id"] + asked["item_id"] + asked["price"]).squeeze()


def trainer_of(pairs: int) -> Any:
    """A trainer as far as the scoring reads one; without the option, tiles are RecBole's batch."""
    items = Interaction({"item_id": torch.arange(N_ITEMS), "price": torch.arange(N_ITEMS) / 20})
    return SimpleNamespace(
        model=PairModel(),
        config={"eval_memory_mb": None},
        device=torch.device("cpu"),
        tot_item_num=N_ITEMS,
        item_tensor=items,
        test_batch_size=pairs,
    )


@pytest.mark.parametrize("pairs", [1, 4, 12, 13, 25, 26, 1000])
def test_tiles_cover_every_pair_once_and_are_small(pairs: int) -> None:
    trainer = trainer_of(pairs)
    users = torch.tensor([3, 1, 4, 2, 9])
    scores = score_pairs(trainer, Interaction({"user_id": users}))
    items = torch.arange(N_ITEMS)
    assert torch.equal(scores, 100 * users[:, None] + items + items / 20)
    assert max(trainer.model.sizes) <= pairs
    assert sum(trainer.model.sizes) == N_ROWS * N_ITEMS


def test_padding_and_history_are_out_of_the_ranking() -> None:
    rows = Interaction({"user_id": torch.arange(2)})
    history = (torch.tensor([0, 1]), torch.tensor([4, 7]))
    positives = torch.tensor([0, 1]), torch.tensor([2, 3])
    _, scores, *found = score_batch(trainer_of(50), (rows, history, *positives))
    out = torch.nonzero(scores == -torch.inf).tolist()
    assert out == [[0, 0], [0, 4], [1, 0], [1, 7]]
    assert all(torch.equal(a, b) for a, b in zip(found, positives, strict=True))


def test_what_fits_into_memory() -> None:
    assert users_in_memory(None, 10) is None
    assert users_in_memory(16, 2**20) == 1
    assert users_in_memory(1024, 10**6) == 89
    assert users_in_memory(16, 10**9) == 1
    row = Interaction({"user_id": torch.ones(3), "item_id_list": torch.ones(3, 50)})
    item = Interaction({"item_id": torch.ones(7)})
    # 52 numbers a pair, each read and looked up
    assert pairs_in_memory(16, row, item, 64) == 16 * 2**20 // (52 * (8 + 4 * 64 * 8))
    assert pairs_in_memory(16, row, item, 10**9) == 1
