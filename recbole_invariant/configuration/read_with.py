"""What an option needs of another one to have an effect."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Above:
    """Numbers larger than one."""

    low: int


ReadWith = Mapping[str, tuple[str, tuple[Any, ...] | Above]]
"""Option -> another option, and the values of that with which the first is read."""


def idle(
    user: Mapping[str, str], keys: Iterable[str], lack: Callable[[str], str | None]
) -> list[str]:
    """Say of options that the user set what they need to have an effect.

    Args:
        user: option -> the layer of the user's that set it.
        keys: the options to look at.
        lack: what an option needs, None if it has it.
    """
    found = ((key, lack(key)) for key in keys if key in user)
    return [f"{user[key]}: option '{key}' {said}" for key, said in found if said]


def lacks(values: Mapping[str, Any], key: str, read_with: ReadWith) -> str | None:
    """Say what an option needs to have an effect, None if it has one.

    Args:
        values: all options.
        key: the option.
        read_with: what is known of such options; one that is needed may need another itself.
    """
    if key not in read_with:
        return None
    other, needed = read_with[key]
    if isinstance(needed, Above):
        met, wanted = values[other] > needed.low, f" above {needed.low}"
    else:
        met, wanted = values[other] in needed, f": {' or '.join(map(_as_yaml, needed))}"
    if met:
        return lacks(values, other, read_with)
    return f"has an effect with {other}{wanted} only; it is {_as_yaml(values[other])}."


def _as_yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
