"""What an option needs of another one to have an effect."""

from collections.abc import Mapping
from typing import Any

ReadWith = Mapping[str, tuple[str, tuple[Any, ...]]]
"""Option -> another option, and the values of that with which the first is read."""


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
    if values[other] in needed:
        return lacks(values, other, read_with)
    wanted = " or ".join(map(_as_yaml, needed))
    return f"has an effect with {other}: {wanted} only; it is {_as_yaml(values[other])}."


def _as_yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
