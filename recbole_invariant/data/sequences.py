"""Histories of sequential models over a split that was cut before any history was made.

RecBole turns every prefix of a user's sequence into a row and splits afterwards, so that rows of
a random split would carry test items in their histories. Here single interactions are cut first;
histories are then made of training rows alone (for `temporal`, of all rows before the boundary;
with `test_history: train_and_valid`, those of tests of validation rows as well).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np
import torch
from recbole.data.dataset import SequentialDataset
from recbole.data.interaction import Interaction

from recbole_invariant.data.splits.base import Interactions, is_test
from recbole_invariant.errors import InputError

BEFORE_BOUNDARY = ("train", "valid", "ood_valid", "iid")
"""Parts of the protocol `temporal` that lie before its boundary."""

NO_SEQUENCES = (
    "a user's first interaction is history only, so that a sequential model needs users with two "
    "training interactions or more (user_inter_num_interval leaves others out)"
)

TRAIN_AND_VALID = "train_and_valid"
"""Value of `test_history`: validation rows stand in the histories of tests, too."""


@dataclass(frozen=True)
class Windows:
    """Targets, each with the rows of its history.

    Attributes:
        targets: row of every target, `(n,)`.
        history: rows of its history in time order, `(n, length)`, -1 behind its end.
    """

    targets: np.ndarray
    history: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Number of rows in every history, `(n,)`."""
        return np.asarray((self.history >= 0).sum(axis=1))


def prefix_windows(users: np.ndarray, times: np.ndarray, length: int) -> Windows:
    """Make a target of every row but each user's first, with the rows before it as history.

    Args:
        users: `(n,)`.
        times: `(n,)`; rows of equal time keep their order.
        length: of a history at most; the latest rows are kept.
    """
    order = np.lexsort((np.arange(len(users)), times, users))
    ordered = users[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)]
    start = np.maximum.accumulate(np.where(first, np.arange(len(ordered)), 0))
    ends = np.flatnonzero(~first)
    return Windows(order[ends], _rows_before(order, start[ends], ends, length))


def last_windows(
    users: np.ndarray, times: np.ndarray, past: np.ndarray, asked: np.ndarray, length: int
) -> np.ndarray:
    """Collect the latest rows of some users.

    Args:
        users: user of every row, `(n,)`.
        times: `(n,)`.
        past: rows that may stand in a history.
        asked: users, `(m,)`.
        length: of a history at most.

    Returns:
        Rows in time order, `(m, length)`, -1 behind the end; none for a user without a past.
    """
    order = past[np.lexsort((past, times[past], users[past]))]
    owner = users[order]
    start = np.searchsorted(owner, asked, side="left")
    end = np.searchsorted(owner, asked, side="right")
    return _rows_before(order, start, end, length)


def _rows_before(order: np.ndarray, start: np.ndarray, end: np.ndarray, length: int) -> np.ndarray:
    """Take the last `length` entries of each `order[start:end]`, -1 behind their end."""
    begin = np.maximum(start, end - length)
    at = begin[:, None] + np.arange(length)
    inside = at < end[:, None]
    rows = order[np.where(inside, at, 0)] if len(order) else np.full(at.shape, -1)
    return np.where(inside, rows, -1)


def require_sequences(dataset: Any) -> None:
    """Make sure that histories can be attached to this dataset.

    Raises:
        InputError: there is no time to order them by, or its class makes histories its own way.
    """
    name = dataset.config["model"]
    host = SequentialDataset.data_augmentation
    if getattr(type(dataset), "data_augmentation", host) is not host:
        raise InputError(
            f"ood: {name} draws its histories in a data set class of its own "
            f"({type(dataset).__name__}), which cannot be cut first; leave --ood away."
        )
    if dataset.time_field is None or dataset.time_field not in dataset.inter_feat:
        raise InputError(
            f"TIME_FIELD: {name} is a sequential model and needs the order of the interactions; "
            f"dataset '{dataset.dataset_name}' loads no column '{dataset.config['TIME_FIELD']}'. "
            "Name the time column in TIME_FIELD and in load_col: {inter: [...]}."
        )


def has_histories(dataset: Any) -> bool:
    """Whether a dataset's benchmark files already hold histories in columns of their own."""
    config = dataset.config
    return f"{dataset.iid_field}{config['LIST_SUFFIX']}" in dataset.inter_feat


@contextmanager
def plain_benchmark_files() -> Iterator[None]:
    """Let RecBole's sequential datasets load benchmark files of single interactions.

    RecBole takes for granted that such files hold histories and fails where they do not.
    """
    host = SequentialDataset._benchmark_presets

    @wraps(host)
    def presets(self: Any) -> None:
        if has_histories(self):
            host(self)

    SequentialDataset._benchmark_presets = presets
    try:
        yield
    finally:
        SequentialDataset._benchmark_presets = host


def attach_histories(dataset: Any, table: Interaction, windows: Windows) -> Interaction:
    """Give target rows the list columns that RecBole's sequential models read.

    Args:
        dataset: a RecBole sequential dataset; the list columns are declared on it.
        table: all rows.
        windows: targets and histories as rows of the table.

    Returns:
        One row a target: the target's own columns, `<field>_list` `(n, length, ...)` padded with
        zeros, and the history's length.
    """
    dataset._aug_presets()
    made = table[torch.from_numpy(windows.targets)]
    rows = torch.from_numpy(np.maximum(windows.history, 0))
    padding = torch.from_numpy(windows.history < 0)
    lists = {dataset.item_list_length_field: torch.from_numpy(windows.lengths)}
    for field in table.columns:
        if field == dataset.uid_field:
            continue
        values = table[field][rows]
        values[padding] = 0
        lists[getattr(dataset, f"{field}_list_field")] = values
    made.update(Interaction(lists))
    return made


class CutSequences:
    """The rows of a split, and the examples that sequential models get from them.

    Args:
        whole: dataset of all rows, single interactions.
        data: the same rows with unscaled times.
        parts: rows of each part.
        protocol: what cut them; None for the data's own files.
        targets: rows that may be targets, `(n_rows,)` bool; None is every row. The others stand
            in histories only.
    """

    def __init__(
        self,
        whole: Any,
        data: Interactions,
        parts: Mapping[str, np.ndarray],
        protocol: str | None = None,
        targets: np.ndarray | None = None,
    ) -> None:
        require_sequences(whole)
        self.whole, self.parts, self.protocol = whole, parts, protocol
        self.users = data.users
        self.times = np.asarray(data.times)
        self.length = int(whole.config["MAX_ITEM_LIST_LENGTH"])
        self.targets = np.ones(len(data), dtype=bool) if targets is None else targets
        self.valid_is_past = whole.config["test_history"] == TRAIN_AND_VALID

    def training_set(self) -> Any:
        """Return a dataset of every training prefix with the item that follows it.

        Raises:
            InputError: there is none.
        """
        rows = self.parts["train"]
        windows = prefix_windows(self.users[rows], self.times[rows], self.length)
        history = np.where(windows.history >= 0, rows[windows.history], -1)
        wanted = self.targets[rows[windows.targets]]
        if not wanted.any():
            raise InputError(
                f"the split 'train' of {len(rows)} rows has nothing to learn sequences from: "
                f"{NO_SEQUENCES}"
            )
        targets = Windows(rows[windows.targets][wanted], history[wanted])
        return self.whole.copy(attach_histories(self.whole, self.whole.inter_feat, targets))

    def past_of(self, part: str) -> np.ndarray:
        """Return the rows that may stand in a history when a part is ranked."""
        names: tuple[str, ...] = ("train",)
        if self.protocol == "temporal" and part == "ood_temporal":
            names = BEFORE_BOUNDARY
        elif self.valid_is_past and is_test(part):
            names = ("train", "valid")
        return np.concatenate([self.parts[name] for name in names if name in self.parts])

    def questions(self, part: str) -> tuple[Interaction, np.ndarray]:
        """Ask one ranking a user of a part.

        Returns:
            One row a user with history, and the users `(n,)` in the same order. The columns of
            the target are those of the user's first row of the part; no model may read them.
            Users without any history are left out: there is nothing to rank by.
        """
        rows = self.parts[part]
        rows = rows[self.targets[rows]]
        rows = rows[np.lexsort((rows, self.times[rows], self.users[rows]))]
        users, first = np.unique(self.users[rows], return_index=True)
        past = self.past_of(part)
        history = last_windows(self.users, self.times, past, users, self.length)
        known = history[:, 0] >= 0
        windows = Windows(rows[first][known], history[known])
        return attach_histories(self.whole, self.whole.inter_feat, windows), users[known]
