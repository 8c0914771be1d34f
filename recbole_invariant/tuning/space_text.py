"""RecBole's text format of search spaces: its `.test` and `hyper.test` files.

One option a line, `name type values`:

    learning_rate choice [0.01,0.005,0.001]
    dropout_prob uniform 0.0,0.5
    embedding_size quniform 32,128,32
    weight_decay loguniform -12,-4

`loguniform` takes the natural logarithms of its ends, as HyperOpt does. RecBole evaluates what
stands in a choice; here it is read as YAML, which reads the same lists.
"""

import math
from typing import Any

from recbole_invariant.configuration.yaml_text import parse_value
from recbole_invariant.errors import InputError, suggest
from recbole_invariant.tuning.dimension import Dimension, is_number

TYPES = {"choice": 0, "uniform": 2, "quniform": 3, "loguniform": 2}
"""Type -> how many numbers it takes; a choice takes a list."""


def parse_text(text: str, source: str) -> tuple[Dimension, ...]:
    """Read the dimensions of a file.

    Args:
        text: its content; empty lines and those that begin with `#` are passed over.
        source: its name, for messages.

    Raises:
        InputError: everything that does not read as an option, with its line, at once.
    """
    problems: list[str] = []
    found: dict[str, Dimension] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            dimension = _dimension(line)
            if dimension.name in found:
                raise InputError(f"'{dimension.name}' stands in it twice.")
            found[dimension.name] = dimension
        except InputError as error:
            problems += [f"{source} line {number}: {problem}" for problem in error.problems]
    if problems:
        raise InputError(problems)
    return tuple(found.values())


def _dimension(line: str) -> Dimension:
    words = line.split()
    if len(words) < 3:
        raise InputError(
            f"expected `option type values`, e.g. `learning_rate choice [0.01, 0.001]`; it is "
            f"'{line.strip()}'."
        )
    name, kind, values = words[0], words[1], " ".join(words[2:])
    if kind not in TYPES:
        raise InputError(f"there is no type '{kind}'.{suggest(kind, TYPES)} Known: {_known()}.")
    if kind == "choice":
        return Dimension(name, kind, _choices(values))
    numbers = [parse_value(part.strip()) for part in values.split(",")]
    if len(numbers) != TYPES[kind] or not all(map(_is_finite, numbers)):
        wanted = "low,high,step" if kind == "quniform" else "low,high"
        raise InputError(f"{kind} needs numbers {wanted}; it is '{values}'.")
    if kind == "loguniform":
        if max(map(abs, numbers)) > 700:
            raise InputError(
                f"loguniform takes the natural logarithms of its ends, and e to the {values} is no "
                "number that a computer has; a range from 0.001 to 0.1 is -6.9,-2.3."
            )
        low, high = (math.exp(end) for end in numbers)
        return Dimension(name, kind, low=low, high=high)
    if kind == "uniform":
        return Dimension(name, kind, low=numbers[0], high=numbers[1])
    return _steps(name, *numbers)


def _steps(name: str, low: float, high: float, step: float) -> Dimension:
    """Return a range with steps, of whole numbers where all three are."""
    if step <= 0:
        raise InputError(f"quniform needs a step > 0; it is {step}.")
    whole = all(isinstance(number, int) for number in (low, high, step))
    return Dimension(name, "int" if whole else "uniform", low=low, high=high, step=step)


def _choices(text: str) -> tuple[Any, ...]:
    values = parse_value(text)
    if not isinstance(values, list) or not values:
        raise InputError(f"a choice needs a list, e.g. [32, 64]; it is '{text}'.")
    return tuple(_unquoted(value) for value in values)


def _unquoted(value: Any) -> Any:
    """Return a list that stands in quotes, as RecBole's files have them: `['[64,64]', '[128]']`."""
    inner = parse_value(value) if isinstance(value, str) else value
    return inner if isinstance(inner, list | dict) else value


def _is_finite(value: Any) -> bool:
    return is_number(value) and math.isfinite(value)


def _known() -> str:
    return ", ".join(TYPES)
