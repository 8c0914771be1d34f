"""Popularity shift: tests in which items are nearly equally popular, whatever training says.

After the sampler of InvCF (anzhang314/InvCF, `sample_data.ipynb`), restated: items stand in 50
chunks of equally many items from most to least popular, i = 0..49, and an item of chunk i gives
the test an expected `n_max * gamma^(-i/49)` of its interactions. gamma = 1 asks the same number
of every item: the flattest test and, since training is long-tailed, the strongest shift. Larger
gamma leaves the tail its rarity, so the test is nearer to training.

The notebook edits a list while walking over it and protects only items with one interaction;
here rows are drawn once without replacement, and no item gives more than all but one of its
rows.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from recbole_invariant.data.splits.base import Interactions, Split, keep_a_row_of_each_user
from recbole_invariant.data.splits.ratio import (
    position_in_group,
    round_at_random,
    split_users_by_ratio,
)
from recbole_invariant.errors import InputError
from recbole_invariant.seeding import numpy_generator

N_CHUNKS = 50


def split(
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None = None,
) -> Split:
    """Draw the shifted tests, then cut the rest into train, valid and iid for each user.

    Several strengths share one training set: each asks for `n_max / strengths` rows of an item,
    so that the training set is as large as with one, and the tests are disjoint.

    Options read: `popularity_gamma` (list of numbers >= 1), `popularity_n_max`, `pool_ratio`.

    Returns:
        train, valid, iid and `ood_popularity`, or `ood_popularity_1`, `_2`, ... in the order of
        `popularity_gamma`.

    Raises:
        InputError: an option is out of range.
    """
    gammas, n_max = _read(options)
    rng = numpy_generator(seed, "data")
    expected = expected_test_rows(interactions.items, gammas, n_max)
    taken_by = draw_rows(interactions.items, expected, rng)
    back = keep_a_row_of_each_user(taken_by >= 0, interactions.users, rng)
    taken_by[back] = -1
    pool = np.flatnonzero(taken_by < 0)
    train, valid, iid = split_users_by_ratio(interactions.users, pool, options["pool_ratio"], rng)
    parts = {"train": train, "valid": valid, "iid": iid}
    for strength in range(len(gammas)):
        name = "ood_popularity" + (f"_{strength + 1}" if len(gammas) > 1 else "")
        parts[name] = np.flatnonzero(taken_by == strength)
    notes = {"gamma": gammas, "n_max": n_max, "given_back_to_users": len(back)}
    return Split(parts, notes)


def options_for_share(
    interactions: Interactions, options: Mapping[str, Any], share: float
) -> dict[str, Any]:
    """Give the options under which about this share of the rows is held out.

    The expected number of test rows grows with `popularity_n_max` up to where every item has
    given all but one; it is found by halving.
    """
    gammas, _ = _read(options)
    low, high = 0.0, float(np.bincount(interactions.items).max()) * len(gammas) * max(gammas)
    for _ in range(50):
        middle = (low + high) / 2
        expected = expected_test_rows(interactions.items, gammas, middle).sum()
        low, high = (middle, high) if expected < share * len(interactions) else (low, middle)
    return {"popularity_n_max": high}


def _read(options: Mapping[str, Any]) -> tuple[list[float], float]:
    """Check the protocol's options."""
    gammas, n_max = options["popularity_gamma"], options["popularity_n_max"]
    gammas = list(gammas) if isinstance(gammas, list | tuple) else [gammas]
    if not gammas or not all(isinstance(g, int | float) and g >= 1 for g in gammas):
        raise InputError(
            f"popularity_gamma: expected a list of numbers >= 1, e.g. [1, 3, 10], not {gammas}"
        )
    if not n_max > 0:
        raise InputError(f"popularity_n_max: expected a number > 0, not {n_max}")
    return [float(g) for g in gammas], float(n_max)


def popularity_chunk(items: np.ndarray) -> np.ndarray:
    """Put items into 50 chunks of equally many, from most popular (0) to least (49).

    Args:
        items: item of every interaction, `(n,)`.

    Returns:
        Chunk of every item id, `(max id + 1,)`; -1 for ids without interactions. Items equally
        popular stand in the order of their ids.
    """
    counts = np.bincount(items)
    present = np.flatnonzero(counts)
    ranked = present[np.argsort(-counts[present], kind="stable")]
    chunk = np.full(len(counts), -1, dtype=np.int64)
    chunk[ranked] = np.arange(len(ranked)) * N_CHUNKS // max(len(ranked), 1)
    return chunk


def expected_test_rows(items: np.ndarray, gammas: list[float], n_max: float) -> np.ndarray:
    """Say how many rows of each item each test should get.

    Args:
        items: item of every interaction, `(n,)`.
        gammas: one a test, >= 1.
        n_max: rows that all tests together ask of an item of the first chunk.

    Returns:
        `(tests, max id + 1)`; an item's sum over tests is at most its count - 1, tests giving
        way in proportion.
    """
    chunk, counts = popularity_chunk(items), np.bincount(items)
    decay = np.asarray(gammas)[:, None] ** (-chunk[None, :] / (N_CHUNKS - 1))
    wanted = np.where(chunk >= 0, n_max / len(gammas) * decay, 0.0)
    asked, ceiling = wanted.sum(axis=0), np.maximum(counts - 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.where(asked > ceiling, ceiling / asked, 1.0)
    return wanted * scale


def draw_rows(items: np.ndarray, expected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw each test's rows, every row at most once.

    Args:
        items: item of every interaction, `(n,)`.
        expected: `(tests, max id + 1)`, see `expected_test_rows`.
        rng: source of randomness.

    Returns:
        The test that takes each row, `(n,)`, -1 for none.
    """
    last = round_at_random(np.cumsum(expected, axis=0), rng)
    order = rng.permutation(len(items))
    owner = items[order]
    position = position_in_group(owner)
    # tests whose last position is not beyond this one have been served already
    served = (position >= last[:, owner]).sum(axis=0)
    taken_by = np.empty(len(items), dtype=np.int64)
    taken_by[order] = np.where(served < len(expected), served, -1)
    return taken_by
