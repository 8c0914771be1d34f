"""Options of PaInvRL and InvRL that others leave without effect."""

from collections.abc import Mapping
from typing import Any

from recbole_invariant.configuration.read_with import lacks

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

READ_WITH = {
    "pareto_norm": ("pareto", ("adaptive",)),
    "erm_weight": ("pareto", ("fixed",)),
    "irm_weight": ("pareto", ("fixed",)),
    "irm_weight_growth": ("pareto", ("fixed",)),
    "attention_hidden": ("attention", (True,)),
    "attention_output": ("attention", (True,)),
    "gate_floor": ("stability_gate", (True,)),
    **dict.fromkeys(HIM, ("identification", ("models",))),
    "identification": ("environment_source", ("inferred",)),
}
"""Option -> another option and its values with which the first has an effect."""

OF_MASK = ("environment_source", "identification", "pareto", "attention")
"""Options of the outer iterations."""


def without_effect(values: Mapping[str, Any], user: Mapping[str, str]) -> list[str]:
    """Name options of PaInvRL that the user set and that nothing reads, given the others.

    Args:
        values: all options.
        user: option -> the layer of the user's that set it.
    """
    idle = ((key, _lack(values, key)) for key in dict.fromkeys((*READ_WITH, *OF_MASK)))
    return [f"{user[key]}: option '{key}' {lack}" for key, lack in idle if key in user and lack]


def _lack(values: Mapping[str, Any], key: str) -> str | None:
    """Say what an option needs to have an effect, None if it has one."""
    if key == "irm_weight" and values[key] == 0:
        return None  # switches the penalty off, however it is weighed
    lack = lacks(values, key, READ_WITH)
    of_mask = key in OF_MASK or READ_WITH.get(key, ("",))[0] in OF_MASK
    if lack is None and of_mask and values["outer_iterations"] == 0:
        return "has an effect with outer_iterations above 0 only; it is 0."
    return lack
