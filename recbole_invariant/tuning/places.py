"""Where a search lies, and whether a search lies there already."""

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import PurePath
from typing import Any

from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.tuning.plan import PLAN_FILE, SearchPlan, read_plan
from recbole_invariant.tuning.storage import Storage

MAY_DIFFER = ("max_validations", "max_concurrent", "address", "version", "space_source")
"""Of a plan: what does not change what a search finds."""


def make_place(storage: Storage, run_name: str | None, plan: SearchPlan) -> Storage:
    """Return the folder of a new search; it is not made yet.

    Args:
        storage: in which it is to lie.
        run_name: its name; by default `tune-`, model, dataset and time, with a number if taken.
        plan: of the search.

    Raises:
        InputError: the name has folders in it, or is that of one with something in it; or the
            storage is this process's own.
    """
    if not storage.is_shared:
        raise InputError(
            f"storage: {storage.place}: a trial is a process of its own and would not see it; name "
            "a folder or a URL that other processes see."
        )
    if run_name is None:
        return next(one for one in _candidates(storage, plan) if not one.names(""))
    require_name(run_name)
    place = storage.child(run_name)
    require_free(place)
    return place


def require_free(place: Storage) -> None:
    """Make sure that nothing lies in a place but the lock of who asks.

    Raises:
        InputError: a search does, or something else.
    """
    if place.exists(PLAN_FILE):
        raise InputError(
            f"run_name: {place.place} holds a search already; go on with it by tune --resume "
            f"{place.place}, or choose another name."
        )
    if place.names(""):
        raise InputError(
            f"run_name: {place.place} is there already; choose another name or remove it."
        )


def known_plan(place: Storage, plan: SearchPlan) -> SearchPlan | None:
    """Return the plan of the search that lies in a place, if it is the same search.

    Raises:
        InputError: it is another one.
    """
    if not place.exists(PLAN_FILE):
        return None
    there = read_plan(place)
    ours, theirs = _identity(plan), _identity(there)
    differ = [key for key in ours if ours[key] != theirs[key]]
    if differ:
        raise InputError(
            f"{place.place} holds a search with another {', '.join(differ)}; choose another folder "
            "or remove it."
        )
    return there


def _identity(plan: SearchPlan) -> dict[str, Any]:
    """Return what makes a search this one; its data's folder stands in it once, as a whole path."""
    record = records.plain(plan.record())
    for options in (record["options"], record["fixed"]):
        options.pop("data_path", None)
    return {key: value for key, value in record.items() if key not in MAY_DIFFER}


def require_name(run_name: str) -> None:
    """Make sure that a name is one of a folder, without others before it.

    Raises:
        InputError: it is not.
    """
    if not run_name or PurePath(run_name).name != run_name:
        raise InputError(f"run_name: expected a name without folders, not '{run_name}'.")


def _candidates(storage: Storage, plan: SearchPlan) -> Iterator[Storage]:
    model = plan.model.rpartition(".")[2]
    name = f"tune-{model}-{plan.dataset}-{datetime.now():%Y%m%d-%H%M%S}"
    for number in count(1):
        yield storage.child(name if number == 1 else f"{name}-{number}")
