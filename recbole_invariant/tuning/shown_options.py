"""The options of a trial as they are shown: those of the defaults' trial are named too."""

from collections.abc import Mapping
from typing import Any

from recbole_invariant.tuning.space import Space


def shown_options(summary: Mapping[str, Any], trial: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the space that a trial had.

    The trial with the defaults sets none of them; it has the defaults of those that the model reads
    with these values. One without a default stays away.
    """
    options: dict[str, Any] = trial["options"]
    if trial["number"] != summary["defaults"]:
        return options
    search = summary["search"]
    defaults = search.get("defaults") or {}
    known = {name: value for name, value in defaults.items() if value is not None}
    space = Space.from_yaml(search.get("space") or {}, "the search's space")
    return {**space.active(known, search.get("fixed") or {}), **options}


def option_names(summary: Mapping[str, Any]) -> list[str]:
    """List the options that any trial had: in the order of the space, others behind."""
    trials = [shown_options(summary, trial) for trial in summary["trials"]]
    drawn = dict.fromkeys(name for options in trials for name in options)
    space = summary["search"].get("space") or {}
    known = [name for name in space if name in drawn]
    return [*known, *(name for name in drawn if name not in space)]
