"""Read YAML without running anything that stands in it.

PyYAML's SafeLoader with two changes: numbers such as `1e-3` are floats, as in RecBole, and
Python's `None` is null. Dates stay text, since no option is a date.
"""

import re
from collections.abc import Hashable
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from recbole_invariant.errors import InputError

# RecBole's pattern (config/configurator.py, _build_yaml_loader) without base-60 numbers.
_FLOAT = re.compile(
    r"""^(?:
     [-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)
    |[-+]?\.[0-9_]+(?:[eE][-+]?[0-9]+)?
    |[-+]?\.(?:inf|Inf|INF)
    |\.(?:nan|NaN|NAN))$""",
    re.X,
)
_INT = re.compile(
    r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$"
)
"""PyYAML's whole numbers without those of base 60, such as 1:30."""

LARGEST = 100_000
"""Values in a file at most, those behind references counted each time."""

DEEPEST = 100
"""Levels of brackets in a value at most; what PyYAML takes for more grows with their square."""

_OWN = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int")
"""PyYAML's readings that are not taken, or by a pattern of ours."""


class OptionLoader(yaml.SafeLoader):
    """SafeLoader that reads option values as RecBole does; a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping.

        Raises:
            yaml.constructor.ConstructorError: if a key stands in it twice.
        """
        seen: set[str] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag != "tag:yaml.org,2002:merge":
                if key_node.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None,
                        None,
                        f"the key '{key_node.value}' stands here twice",
                        key_node.start_mark,
                    )
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


OptionLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _OWN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
OptionLoader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))
OptionLoader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
OptionLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^None$"), ["N"])


def parse_value(text: str) -> Any:
    """Turn the text of a command-line option into a value; nothing in it is ever run.

    Args:
        text: a scalar, or a list or mapping in YAML's flow style, which reads most Python lists
            and dicts, e.g. `3`, `1e-3`, `true`, `None`, `[10, 20]`, `{'RS': [0.8, 0.1, 0.1]}`.

    Returns:
        int, float, bool, None, str, list or dict. What YAML cannot read, e.g. `[5,inf)`, stays
        the text it is.
    """
    if _too_deep(text):
        return text
    try:
        return yaml.load(text, Loader=OptionLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text


def _too_deep(text: str) -> bool:
    """Say whether brackets are nested beyond `DEEPEST`, those in quotes counted too."""
    depth = 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        if depth > DEEPEST:
            return True
    return False


def read_yaml_mapping(path: str | Path) -> dict[str, Any]:
    """Read a YAML file of options.

    Args:
        path: the file; an empty one has no options.

    Raises:
        InputError: if it is missing, not YAML or not a mapping of option names to values.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"config file '{path}': there is no such file.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"config file '{path}' cannot be read: {error}") from error
    if _too_deep(text):
        raise InputError(f"config file '{path}' nests more than {DEEPEST} brackets.")
    try:
        values = deepcopy(_parsed(text))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"config file '{path}' is not valid YAML: {error}") from error
    if _size(values, {}) > LARGEST:
        raise InputError(f"config file '{path}': its references hold more than {LARGEST} values.")
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise InputError(
            f"config file '{path}' must hold lines of `option: value`; "
            f"it holds a {type(values).__name__}"
            + (" with keys that are not text." if isinstance(values, dict) else ".")
        )
    return values


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    """Parse YAML; the files of this package are read several times a run, and parsing is slow."""
    return yaml.load(text, Loader=OptionLoader)


def _size(value: Any, known: dict[int, float]) -> float:
    """Count the values in a value, those behind a reference each time; infinite inside itself."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = float("inf")
        items = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(item, known) for item in items)
    return known[id(value)]
