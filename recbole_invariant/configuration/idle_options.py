"""Options that a user set and that nothing reads, given the values of others."""

from collections.abc import Mapping
from typing import Any

from recbole_invariant.configuration import irl4rec_checks, painvrl_checks


def without_effect(
    values: Mapping[str, Any], user: Mapping[str, str], model_class: type[Any]
) -> list[str]:
    """Name options that the user set without effect.

    Args:
        values: all options.
        user: option -> the layer of the user's that set it.
        model_class: the model; Irl4Rec and PaInvRL have such options, and their subclasses.

    Returns:
        One message an option.
    """
    names = {cls.__name__ for cls in model_class.__mro__}
    if "Irl4Rec" in names:
        return irl4rec_checks.without_effect(values, user)
    if "PaInvRL" in names:
        return painvrl_checks.without_effect(values, user)
    return []
