"""What a run is made of, for its line in a table: its method and the model that it wraps."""

from collections.abc import Mapping
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


def structural_label(record: Mapping[str, Any]) -> str:
    """Name a run by its model and the structural options that the user set.

    Without them unlike runs, such as IDEA over two backbones, would be averaged as one line.

    Args:
        record: the content of `run.json`.

    Returns:
        E.g. `IDEA[backbone=SASRec,variant=cue_adjusted]`, or the model's name alone.
    """
    options = record.get("options") or {}
    said = [
        f"{key}={options[key].get('value')}"
        for key in structural_options()
        if key in options and str(options[key].get("layer", "")).startswith(USER_LAYERS)
    ]
    model = str(record["model"])
    return f"{model}[{','.join(said)}]" if said else model
