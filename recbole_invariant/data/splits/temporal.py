"""Temporal shift: one boundary in time for everybody; the past is for training, the rest a test.

The boundary is global, on times as they stand in the file: splitting each user's own history (or
sorting after scaling, as RecBole's TS split does under its default order) lets training see what
other users did after a test row. Rows of the boundary's own time all go to the test, so that no
row of train, valid or iid is at or after the boundary.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor
from typing import Any

import numpy as np
import torch

from recbole_invariant.data.splits.base import DROPPED, Interactions, Split
from recbole_invariant.data.splits.held_out import read_share
from recbole_invariant.data.splits.ratio import position_in_group, split_users_by_ratio
from recbole_invariant.errors import InputError
from recbole_invariant.seeding import numpy_generator

UNIX_SECONDS = (10**8, 10**10)
UNIX_MILLISECONDS = (10**11, 10**13)


def split(
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None = None,
) -> Split:
    """Hold out the latest rows, then cut what came before for each user.

    Rows between `boundary - gap` and the boundary are dropped: a gap keeps sessions that cross
    the boundary from being in training and test at once.

    Options read: `temporal_share` (of the rows, in (0, 1); ties may add some), `temporal_gap`
    (in the file's units of time, >= 0), `pool_ratio`.

    Returns:
        train, valid, iid (all strictly before `boundary - gap`) and `ood_temporal` (at or after
        the boundary).

    Raises:
        InputError: there are no times, they are positions within each user, an option is out of
            range, or no row is before the boundary.
    """
    times = _clock_times(interactions)
    share, gap = read_share(options, "temporal_share"), options["temporal_gap"]
    if isinstance(gap, bool) or not isinstance(gap, int | float) or not gap >= 0:
        raise InputError(f"temporal_gap: expected a number >= 0, not {gap}")
    boundary = boundary_time(times, share)
    # whole times are compared as whole numbers, where t < b - g is t < b - floor(g)
    before = times < boundary - (floor(gap) if np.issubdtype(times.dtype, np.integer) else gap)
    if not before.any():
        raise InputError(
            f"temporal_share: {share} of the rows, with those of the same time and the gap {gap}, "
            "leave no row before the boundary: the times are too coarse, or the share or "
            "temporal_gap too large."
        )
    rng = numpy_generator(seed, "data")
    after, pool = np.flatnonzero(times >= boundary), np.flatnonzero(before)
    between = np.flatnonzero(~before & (times < boundary))
    train, valid, iid = split_users_by_ratio(interactions.users, pool, options["pool_ratio"], rng)
    parts = {"train": train, "valid": valid, "iid": iid, "ood_temporal": after, DROPPED: between}
    notes = {
        "boundary": boundary,
        "boundary_in_words": time_in_words(boundary),
        "gap": gap,
        "gap_rows": len(between),
        "rows_at_boundary": int((times == boundary).sum()),
        "period_before": _period(times[pool]),
        "period_after": _period(times[after]),
    }
    return Split(parts, notes)


def options_for_share(
    interactions: Interactions, options: Mapping[str, Any], share: float
) -> dict[str, Any]:
    """Give the options under which about this share of the rows is held out."""
    return {"temporal_share": share}


def _clock_times(interactions: Interactions) -> np.ndarray:
    """Return the times, if they can be compared between users."""
    times = interactions.times
    if times is None:
        raise InputError(
            "ood: temporal: the interactions have no times. Name the column with TIME_FIELD and "
            "load it (load_col: {inter: [user_id, item_id, timestamp]}), or take another protocol."
        )
    if not np.isfinite(times).all():
        raise InputError(
            f"ood: temporal: {int((~np.isfinite(times)).sum())} interactions have no time (NaN); "
            "take these rows out of the .inter file."
        )
    if are_positions(interactions.users, times):
        raise InputError(
            "ood: temporal: the times are positions 1, 2, 3, ... in each user's own history, not "
            "a clock's: they never compare two users, so a global boundary makes no sense. Give "
            "real times, or take another protocol."
        )
    return times


def are_positions(users: np.ndarray, times: np.ndarray) -> bool:
    """Say whether times only number each user's rows.

    They do where more than half of the users with two rows or more have exactly the times
    1..n, or 0..n-1; filters may have made holes in the others'.

    Args:
        users: `(n,)`.
        times: `(n,)`.
    """
    order = np.lexsort((times, users))
    owner = users[order]
    offset = times[order] - position_in_group(owner)
    several = np.bincount(users) >= 2
    if not several.any():
        return False
    for start in (0, 1):
        wrong = np.bincount(owner, weights=offset != start)
        if (wrong[several] == 0).mean() > 0.5:
            return True
    return False


def boundary_time(times: np.ndarray, share: float) -> int | float:
    """Return the earliest time among the latest `round(share * n)` rows, at least one.

    Args:
        times: `(n,)`, n >= 1.
        share: in (0, 1).
    """
    latest = min(max(round(share * len(times)), 1), len(times))
    value: int | float = np.sort(times)[len(times) - latest].item()
    return value


def time_in_words(time: int | float) -> str:
    """Write a time as a date (UTC) where it looks like Unix seconds or milliseconds."""
    low, high = UNIX_MILLISECONDS
    seconds = time / 1000 if low <= time < high else time
    low, high = UNIX_SECONDS
    if not low <= seconds < high:
        return str(time)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _period(times: np.ndarray) -> str:
    """Write the first and last of some times in words."""
    return f"{time_in_words(times.min().item())} to {time_in_words(times.max().item())}"
