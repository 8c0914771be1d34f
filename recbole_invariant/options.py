"""The option schema: it is read from the comments of the YAML files, the YAML is the schema.

A line `key: value  # (type, constraint) effect` declares an option. Types are `int float bool str
list dict path none`, joined by ` or `, a list also `list of int`; a constraint is `>= x`, `> x`,
`in [a, b]` (or with round brackets) or `one of a | b | c`. RecBole's comments, `# (int) effect`,
are read by the same parser.
"""

import math
import re
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from reprlib import Repr
from typing import Any

from recbole_invariant.configuration.yaml_text import parse_value, read_yaml_mapping
from recbole_invariant.errors import suggest

__all__ = ["Constraint", "Option", "parse_comment", "parse_value", "read_options", "value_problem"]

_TYPES = {
    "int": "int", "float": "float", "bool": "bool", "str": "str", "string": "str",
    "list": "list", "dict": "dict", "path": "path", "none": "none", "optional": "none",
}  # fmt: skip
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?inf"
_TYPE = r"[A-Za-z]+(?:\ of\ \w+)?"
_COMMENT = re.compile(
    rf"""^\(\s*(?P<types>{_TYPE}(?:(?:\ or\ |,\s*(?=optional)){_TYPE})*)
        (?:\s*,\s*(?P<constraint>
            (?P<bound>>=?)\s*(?P<above>{_NUMBER})
          | in\s*(?P<open>[\[(])\s*(?P<low>{_NUMBER})\s*,\s*(?P<high>{_NUMBER})\s*(?P<close>[\])])
          | one\ of\s+(?P<choices>[^)]+)
        ))?\s*\)\s*(?P<help>.*)$""",
    re.X,
)
_LINE = re.compile(r"^(?P<key>[A-Za-z_][\w-]*)\s*:(?:\s.*?)?\s#\s*(?P<comment>\(.*)$")


_LARGEST = 2**63 - 1
"""The largest whole number that an array of numbers holds."""

_EMPTY_IS_A_VALUE = ("gpu_id",)
"""Options of text that says something where it is empty: no GPU."""

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60
_SHORT.maxlevel = 3


def shown(value: Any) -> str:
    """Return a value as a message quotes it: cut where it is long or deep."""
    return _SHORT.repr(value)


@dataclass(frozen=True)
class Constraint:
    """What a value must satisfy besides its type.

    Attributes:
        text: as written, for messages.
        low, high: bounds of a number.
        low_open, high_open: whether the bound itself is left out.
        choices: the allowed words; empty if it is about numbers.
    """

    text: str
    low: float = float("-inf")
    high: float = float("inf")
    low_open: bool = False
    high_open: bool = False
    choices: tuple[str, ...] = ()

    def allows(self, value: Any) -> bool:
        """Say whether a value is allowed; a list is where each of its items is."""
        if isinstance(value, list | tuple):
            return all(self.allows(item) for item in value)
        if self.choices:
            return not isinstance(value, str) or value in self.choices
        if isinstance(value, bool) or not isinstance(value, Real):
            return True
        number = float(value)
        above = number > self.low if self.low_open else number >= self.low
        below = number < self.high if self.high_open else number <= self.high
        return above and below


@dataclass(frozen=True)
class Option:
    """One option as its YAML line declares it.

    Attributes:
        name: the key.
        types: names of the allowed types; empty if the comment names none that is known.
        constraint: further condition, or None.
        help: the effect, for `--help`.
        source_file: the file that declares it.
        default: the value on that line.
        items: name of the type of a list's items; empty if the comment names none.
    """

    name: str
    types: tuple[str, ...] = ()
    constraint: Constraint | None = None
    help: str = ""
    source_file: str = ""
    default: Any = field(default=None, compare=False)
    items: str = ""


def _constraint(match: re.Match[str]) -> Constraint | None:
    text = match["constraint"]
    if text is None:
        return None
    if match["bound"]:
        return Constraint(text.strip(), low=float(match["above"]), low_open=match["bound"] == ">")
    if match["open"]:
        return Constraint(
            text.strip(), float(match["low"]), float(match["high"]),
            match["open"] == "(", match["close"] == ")",
        )  # fmt: skip
    return Constraint(
        text.strip(), choices=tuple(word.strip() for word in match["choices"].split("|"))
    )


def parse_comment(comment: str) -> tuple[tuple[str, ...], Constraint | None, str]:
    """Read `(type, constraint) effect`.

    Args:
        comment: the comment without its `#`.

    Returns:
        Types, constraint and effect; no types and no constraint where it is not of that form.
    """
    match = _COMMENT.match(comment.strip())
    if match is None:
        return (), None, comment.strip()
    words = [re.sub(r" of \w+$", "", word).strip() for word in re.split(r" or |,", match["types"])]
    if any(word.lower() not in _TYPES for word in words):
        return (), None, comment.strip()
    types = tuple(dict.fromkeys(_TYPES[word.lower()] for word in words))
    return types, _constraint(match), match["help"].strip()


def item_type(comment: str) -> str:
    """Return the type of a list's items that a comment like `(list of int)` names, or nothing."""
    found = re.match(r"\(\s*(?:\w+ or )*list of (\w+)", comment.strip())
    return _TYPES.get(found[1].lower(), "") if found else ""


def type_name(value: Any) -> str:
    """Return the schema's name of a value's type, or Python's where the schema has none."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "bool"
    for python_type, name in (
        (Integral, "int"), (Real, "float"), (str, "str"), (list | tuple, "list"), (dict, "dict"),
        (Path, "path"),
    ):  # fmt: skip
        if isinstance(value, python_type):  # type: ignore[arg-type]
            return name
    return type(value).__name__


def read_options(path: Path) -> dict[str, Option]:
    """Read the options that a YAML file declares, by key.

    The type of the default itself is always allowed where a type is named, because some of
    RecBole's comments name another one than the value beside them has.
    """
    comments = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := _LINE.match(line):
            comments[match["key"]] = match["comment"]
    options = {}
    for name, default in read_yaml_mapping(path).items():
        comment = comments.get(name, "")
        types, constraint, text = parse_comment(comment)
        if types and type_name(default) not in types:
            types = (*types, type_name(default))
        items = item_type(comment)
        options[name] = Option(name, types, constraint, text, path.name, default, items)
    return options


def value_problem(option: Option, value: Any) -> str | None:
    """Say what is wrong with a value, or return None.

    A whole number is fine where a float is wanted and text where a path is; a bool is not a number.

    Returns:
        e.g. `must be float > 0, not 'high' (str)`.
    """
    found = type_name(value)
    wanted = " or ".join(option.types) + (
        f", {option.constraint.text}" if option.constraint else ""
    )
    if option.types and found not in _accepted(option.types):
        return f"must be {wanted}; {shown(value)} is {found}."
    problem = _numbers_problem(option, value) or _text_problem(option, value)
    if problem is not None:
        return problem
    if option.constraint is None or option.constraint.allows(value):
        return None
    near = ""
    if option.constraint.choices and isinstance(value, str):
        near = suggest(value, option.constraint.choices)
    return f"must be {wanted}; it is {shown(value)}.{near}"


def _accepted(types: tuple[str, ...]) -> set[str]:
    """Return the types of values that are fine: a whole number is for a float, text for a path."""
    also = {"float": "int", "path": "str"}
    return {*types, *(also[name] for name in types if name in also)}


def _numbers_problem(option: Option, value: Any) -> str | None:
    """Say what is wrong with numbers, alone or in a list: not finite, or not to be held."""
    for item in value if isinstance(value, list | tuple) else (value,):
        found = type_name(item)
        listed = item is not value
        if listed and option.items and found not in _accepted((option.items,)):
            return f"must be a list of {option.items}; {shown(item)} in it is {found}."
        if found == "float" and not math.isfinite(item):
            return f"must be a finite number; it is {shown(value)}."
        if found == "int" and abs(item) > _LARGEST:
            return f"must be a number below 2**63; it is {shown(value)}."
    return None


def _text_problem(option: Option, value: Any) -> str | None:
    """Say that text is empty where an option cannot do without."""
    if value != "" or not option.types or option.name in _EMPTY_IS_A_VALUE:
        return None
    if option.default in ("", None) or "none" in option.types:
        return None
    return f"must not be empty; leave the option away for its default, {shown(option.default)}."
