"""Scores of all items from a RecBole model, for users or for histories, without a loader."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from recbole.data.transform import InverseItemSequence
from recbole.utils import ModelType
from torch import Tensor

from recbole_invariant.evaluation.loader import RowItems
from recbole_invariant.evaluation.memory import users_in_memory
from recbole_invariant.evaluation.tiles import score_batch

DEFAULT_BATCH = 256


@dataclass
class Scorer:
    """Asks a model as an evaluation does: `full_sort_predict`, or pair by pair where it has none.

    Attributes:
        model: a RecBole model, in the mode of evaluation.
        dataset: its data set, or the stand-in of one.
        config: the run's options.
        test_batch_size: pairs at a time without `eval_memory_mb`.
    """

    model: Any
    dataset: Any
    config: Any
    test_batch_size: int = 4096
    item_tensor: Any = field(init=False)

    def __post_init__(self) -> None:
        self.device = torch.device(self.config["device"])
        self.tot_item_num = int(self.dataset.item_num)
        self.is_sequential = self.config["MODEL_TYPE"] == ModelType.SEQUENTIAL
        self.item_tensor = self.dataset.get_item_feature().to(self.device)
        inverted = self.config["transform"] == "inverse_itemseq"
        # the other transformations are of training, and draw
        self._transform = InverseItemSequence(self.config) if inverted else None

    @property
    def batch(self) -> int:
        """Rows scored at a time, so that `eval_memory_mb` suffices."""
        users = self.config["eval_users_per_batch"] or DEFAULT_BATCH
        limit = users_in_memory(self.config["eval_memory_mb"], self.tot_item_num)
        return min(users, limit or users)

    @torch.no_grad()
    def score(self, rows: Interaction) -> Tensor:
        """Score all items: `(n_rows, n_items)`, minus infinity for padding.

        Args:
            rows: from `user_rows` or `history_rows`.
        """
        # shaped as a trainer for the evaluation's own function
        return score_batch(self, (rows, None, None, None))[1]

    def reads_users(self) -> bool:
        """Whether a sequential model reads the user beside the history."""
        one = RowItems(np.array([0, 1]), np.array([1]))
        try:
            self.score(self.history_rows(None, one))
        except KeyError as error:
            if error.args[:1] == (self.dataset.uid_field,):
                return True
            raise
        return False

    def user_rows(self, users: np.ndarray) -> Interaction:
        """Return rows of users `(n,)` with their columns."""
        rows = Interaction({self.dataset.uid_field: torch.from_numpy(users)})
        joined: Interaction = self.dataset.join(rows)
        return joined

    def history_rows(self, users: np.ndarray | None, histories: RowItems) -> Interaction:
        """Return rows of histories, none of which is empty.

        Args:
            users: of the rows; None where nobody knows.
            histories: one a row; the latest `MAX_ITEM_LIST_LENGTH` are read.
        """
        length = int(self.config["MAX_ITEM_LIST_LENGTH"])
        table, lengths = latest(histories, length)
        item_field = f"{self.dataset.iid_field}{self.config['LIST_SUFFIX']}"
        columns = {
            item_field: torch.from_numpy(table),
            self.config["ITEM_LIST_LENGTH_FIELD"]: torch.from_numpy(lengths),
            # in the place of a target: RecBole's CPR models compute a loss beside the scores
            self.dataset.iid_field: torch.from_numpy(histories.items[histories.starts[1:] - 1]),
        }
        if users is not None:
            columns[self.dataset.uid_field] = torch.from_numpy(users)
        rows = (
            self.dataset.join(Interaction(columns)) if users is not None else Interaction(columns)
        )
        made: Interaction = rows if self._transform is None else self._transform(self.dataset, rows)
        return made


def latest(histories: RowItems, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the last items of each row `(n, length)`, zeros behind, and how many they are."""
    counts = np.diff(histories.starts)
    lengths = np.minimum(counts, length)
    at = (histories.starts[1:] - lengths)[:, None] + np.arange(length)
    inside = np.arange(length) < lengths[:, None]
    padded = np.append(histories.items, 0)
    return padded[np.where(inside, at, len(histories.items))], lengths
