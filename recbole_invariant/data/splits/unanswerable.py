"""Held-out rows that no ranking could answer for, or that it would answer without effort."""

import numpy as np

from recbole_invariant.data.splits.base import DROPPED, Interactions, Split


def drop_unseen(split: Split, interactions: Interactions) -> Split:
    """Move held-out rows whose user or item has no training row to the part `dropped`.

    A cold item or user is a question of its own (protocol `cold`); here it would only blur the
    comparison, since no model can answer it. In `cold_parts`, which ask that question, rows are
    dropped where neither user nor item is known. `notes["dropped"]` counts them by part, and under
    `protocol` the rows that the protocol itself dropped, if any; its notes say why.
    """
    train = split.parts["train"]
    users = np.isin(interactions.users, interactions.users[train])
    items = np.isin(interactions.items, interactions.items[train])
    known, partly = users & items, users | items
    by_protocol = split.parts.get(DROPPED, train[:0])
    parts, dropped, counts = {"train": train}, [by_protocol], {}
    for name, rows in split.parts.items():
        if name in ("train", DROPPED):
            continue
        kept = rows[(partly if name in split.cold_parts else known)[rows]]
        parts[name] = kept
        dropped.append(np.setdiff1d(rows, kept, assume_unique=True))
        counts[name] = len(rows) - len(kept)
    if len(by_protocol):
        counts["protocol"] = len(by_protocol)
    parts[DROPPED] = np.sort(np.concatenate(dropped))
    return Split(parts, {**split.notes, DROPPED: counts}, split.cold_parts)


def seen_before(interactions: Interactions, rows: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Say of each row `(k,)` whether its user-item pair is among the training rows, `(k,)` bool."""
    width = int(interactions.items.max(initial=0)) + 1
    pair = interactions.users * width + interactions.items
    return np.isin(pair[rows], pair[train])


def drop_repeats(split: Split, interactions: Interactions) -> Split:
    """Move held-out rows whose user-item pair is in training as well to the part `dropped`.

    A ranking leaves out what a user has seen in training, so such a row would be found without
    competition by a model that memorises. `notes["dropped"]["repeats"]` counts them, if any.
    """
    train = split.parts["train"]
    parts, repeats = {}, [train[:0]]
    for name, rows in split.parts.items():
        if name in ("train", DROPPED):
            parts[name] = rows
            continue
        seen = seen_before(interactions, rows, train)
        parts[name] = rows[~seen]
        repeats.append(rows[seen])
    moved = np.concatenate(repeats)
    if not len(moved):
        return split
    parts[DROPPED] = np.sort(np.concatenate([parts.get(DROPPED, train[:0]), moved]))
    counts = {**split.notes.get(DROPPED, {}), "repeats": len(moved)}
    return Split(parts, {**split.notes, DROPPED: counts}, split.cold_parts)
