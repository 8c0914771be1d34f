"""What a run is made of, for its line in a table: its method and the model that it wraps."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from recbole_invariant.config import USER_LAYERS
from recbole_invariant.configuration.folders import properties_folder
from recbole_invariant.configuration.yaml_text import read_yaml_mapping

METHODS = ("variant", "balanced_attribute")
"""Options that make a run another method: a named set of options, balanced training rows."""


@cache
def structural_options() -> tuple[str, ...]:
    """Return the options that make a run another model: what any YAML `wraps`, and the methods."""
    files = sorted((properties_folder() / "model").glob("*.yaml"))
    wrapping = (read_yaml_mapping(file).get("wraps") for file in files)
    return (*dict.fromkeys(str(option) for option in wrapping if option), *METHODS)


def set_by_user(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run that the user set, with their values."""
    return {
        key: option.get("value")
        for key, option in (record.get("options") or {}).items()
        if str(option.get("layer", "")).startswith(USER_LAYERS)
    }


def structural_label(record: Mapping[str, Any], also: Collection[str] = ()) -> str:
    """Name a run by its model and the structural options that the user set.

    Without them unlike runs, such as IDEA over two backbones, would be averaged as one line.

    Args:
        record: the content of `run.json`.
        also: further options that are named where the user set them.

    Returns:
        E.g. `IDEA[backbone=SASRec,variant=cue_adjusted]`, or the model's name alone.
    """
    given = set_by_user(record)
    said = [f"{key}={given[key]}" for key in (*structural_options(), *also) if key in given]
    model = str(record["model"])
    return f"{model}[{','.join(said)}]" if said else model
