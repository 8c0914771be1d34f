"""Every user's latest items, by which a sequential model recommends without its data."""

import numpy as np

from recbole_invariant.data.sequences import last_windows
from recbole_invariant.data.splits.base import is_test
from recbole_invariant.data.splits.parts import Parts
from recbole_invariant.evaluation.loader import RowItems


def collect_histories(parts: Parts) -> RowItems:
    """Collect every user's items in time order, as the tests read them.

    Returns:
        Items by internal user id, the latest `MAX_ITEM_LIST_LENGTH` of them.
    """
    dataset = parts.fitted
    n_users, length = dataset.user_num, int(dataset.config["MAX_ITEM_LIST_LENGTH"])
    if parts.sequences is None:
        return _host_histories(parts, n_users, length)
    cut = parts.sequences
    everyone = np.arange(n_users)
    rows = last_windows(cut.users, cut.times, cut.past_of("iid"), everyone, length)
    items = np.asarray(cut.whole.inter_feat[dataset.iid_field])
    return _compressed(np.where(rows >= 0, items[np.maximum(rows, 0)], 0))


def _host_histories(parts: Parts, n_users: int, length: int) -> RowItems:
    """Take the longest history of RecBole's rows of each user, with its target at the end."""
    dataset = parts.fitted
    lists = f"{dataset.iid_field}{dataset.config['LIST_SUFFIX']}"
    table = np.zeros((n_users, length), dtype=np.int64)
    latest = np.full(n_users, -np.inf)
    for name, part in parts.by_name.items():
        if is_test(name):
            continue
        columns = part.inter_feat
        users, targets = (np.asarray(columns[f]) for f in (part.uid_field, part.iid_field))
        past = np.asarray(columns[lists])
        lengths = np.asarray(columns[dataset.item_list_length_field])
        times = np.asarray(columns[part.time_field], dtype=np.float64)
        # of equal times, the later row has the longer history
        order = np.lexsort((np.arange(len(users)), lengths, times, users))
        last = order[np.flatnonzero(np.diff(users[order], append=-1))]
        last = last[times[last] >= latest[users[last]]]
        latest[users[last]] = times[last]
        table[users[last]] = _appended(past[last], lengths[last], targets[last], length)
    return _compressed(table)


def _appended(past: np.ndarray, lengths: np.ndarray, items: np.ndarray, length: int) -> np.ndarray:
    """Put an item behind each history `(n, width)`, and keep the last `length`, zeros behind."""
    wide = np.zeros((len(past), max(past.shape[1], length) + 1), dtype=np.int64)
    wide[:, : past.shape[1]] = past
    wide[np.arange(len(past)), lengths] = items
    begin = np.maximum(lengths + 1 - length, 0)
    return np.take_along_axis(wide, begin[:, None] + np.arange(length), axis=1)


def _compressed(table: np.ndarray) -> RowItems:
    """Leave the padding zeros of `(n_users, length)` out."""
    lengths = (table > 0).sum(axis=1)
    return RowItems(np.concatenate([[0], np.cumsum(lengths)]), table[table > 0])
