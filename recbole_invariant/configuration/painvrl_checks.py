"""Options of PaInvRL and InvRL that others leave without effect."""

from collections.abc import Mapping
from typing import Any

from recbole_invariant.configuration.read_with import Above, ReadWith, idle, lacks

HIM = (
    "him_epochs",
    "him_rounds",
    "him_changed_fraction",
    "him_min_share",
    "him_scratch",
    "him_mode",
    "him_center_logits",
    "him_learning_rate",
)

IN_OUTER_ITERATIONS = ("outer_iterations", Above(0))

READ_WITH: ReadWith = {
    "pareto_norm": ("pareto", ("adaptive",)),
    "erm_weight": ("pareto", ("fixed",)),
    "irm_weight": ("pareto", ("fixed",)),
    "irm_weight_growth": ("pareto", ("fixed",)),
    "attention_hidden": ("attention", (True,)),
    "attention_output": ("attention", (True,)),
    "gate_floor": ("stability_gate", (True,)),
    **dict.fromkeys(HIM, ("identification", ("models",))),
    "identification": ("environment_source", ("inferred",)),
    **dict.fromkeys(("environment_source", "pareto", "attention"), IN_OUTER_ITERATIONS),
}
"""Option -> another option and its values with which the first has an effect."""


def without_effect(values: Mapping[str, Any], user: Mapping[str, str]) -> list[str]:
    """Name options of PaInvRL that the user set and that nothing reads, given the others.

    Args:
        values: all options.
        user: option -> the layer of the user's that set it.
    """
    return idle(user, READ_WITH, lambda key: _lacks(values, key))


def _lacks(values: Mapping[str, Any], key: str) -> str | None:
    """Say what an option needs to have an effect, None if it has one."""
    if key == "irm_weight" and values[key] == 0:
        return None  # switches the penalty off, however it is weighed
    return lacks(values, key, READ_WITH)
