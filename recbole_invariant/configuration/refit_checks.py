"""What cannot go together with `refit_epochs`, which leaves nothing to validate on."""

from collections.abc import Mapping
from typing import Any

OPTION = "refit_epochs"


def refit_problems(values: Mapping[str, Any], origin: Mapping[str, str]) -> list[str]:
    """Check `refit_epochs`, alone and against options that need a validation.

    Args:
        values: all options.
        origin: option -> the layer that set it.
    """
    given = values.get(OPTION)
    if given is None:
        return []
    source = origin.get(OPTION, OPTION)
    if not isinstance(given, Mapping) or not given or not all(map(_is_number, given.values())):
        return [
            f"{source}: {OPTION} must name stages with their epochs, whole numbers >= 1, e.g. "
            f"{{train: 12}}; it is {given!r}."
        ]
    problems = []
    if values.get("selection") == "oracle":
        problems.append(
            f"{origin['selection']}: selection: oracle asks a test at every validation, and with "
            f"{OPTION} there is none; leave one of them away."
        )
    if values.get("keep") == "better":
        problems.append(
            f"{origin['keep']}: keep: better chooses between the stages by validation, and with "
            f"{OPTION} there is none; say keep: pretrain, best or last."
        )
    return problems


def _is_number(epochs: Any) -> bool:
    return isinstance(epochs, int) and not isinstance(epochs, bool) and epochs >= 1
