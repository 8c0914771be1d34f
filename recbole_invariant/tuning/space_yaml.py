"""Read the dimensions of a search space from what a YAML file holds.

    learning_rate: {loguniform: [1.0e-4, 1.0e-2]}
    dropout_prob: {uniform: [0, 0.5], step: 0.1}
    n_layers: {int: [1, 4]}
    embedding_size: [32, 64, 128]
    independence_weight: {loguniform: [0.1, 10], when: {independence: [xcov, hsic]}}

What reads as a dimension may still make no sense for a model: `space_checks.py`.
"""

from collections.abc import Mapping
from typing import Any

from recbole_invariant.errors import InputError, suggest
from recbole_invariant.tuning.dimension import KINDS, STEPPED, Dimension, is_number

FORM = "expected a list of choices, or e.g. {loguniform: [0.001, 0.1]}, {int: [1, 4]}"


def parse_dimensions(mapping: Mapping[str, Any], source: str) -> tuple[Dimension, ...]:
    """Read dimensions.

    Args:
        mapping: option -> a list of choices or `{kind: [low, high], step: s, when: {...}}`.
        source: the file, for messages.

    Raises:
        InputError: everything that does not read as one, at once.
    """
    problems: list[str] = []
    found: list[Dimension] = []
    for name, given in mapping.items():
        spec = {"choice": given} if isinstance(given, list) else given
        wrong = _problems(spec)
        problems += [f"{source}: {name}: {problem}" for problem in wrong]
        if not wrong:
            found.append(_dimension(name, spec))
    if problems:
        raise InputError(problems)
    return tuple(found)


def _problems(spec: Any) -> list[str]:
    if not isinstance(spec, dict):
        return [f"{FORM}; it is {spec!r}."]
    unknown = [key for key in spec if key not in (*KINDS, "step", "when")]
    if unknown:
        near = [suggest(str(key), (*KINDS, "step", "when")) for key in unknown]
        return [
            f"there is no '{key}' in a space.{hint} Known: {', '.join(KINDS)}, step, when."
            for key, hint in zip(unknown, near, strict=True)
        ]
    kinds = [kind for kind in KINDS if kind in spec]
    if len(kinds) != 1:
        said = f"it has {' and '.join(kinds)}" if kinds else "it says of no kind"
        return [f"{FORM}; {said}."]
    kind = kinds[0]
    wrong = _choice_problem(spec[kind]) if kind == "choice" else _range_problem(kind, spec[kind])
    return [
        problem
        for problem in (wrong, _step_problem(kind, spec), _when_problem(spec))
        if problem is not None
    ]


def _choice_problem(values: Any) -> str | None:
    if isinstance(values, list) and values:
        return None
    return f"a choice needs a list of one or more values; it is {values!r}."


def _range_problem(kind: str, values: Any) -> str | None:
    whole = kind in ("int", "logint")
    if (
        isinstance(values, list)
        and len(values) == 2
        and all(is_number(end) and (not whole or isinstance(end, int)) for end in values)
        and all(abs(end) < float("inf") for end in values)
    ):
        return None
    wanted = "whole numbers" if whole else "numbers"
    return f"{kind} needs its two ends, {wanted} [low, high]; it is {values!r}."


def _step_problem(kind: str, spec: Mapping[str, Any]) -> str | None:
    if "step" not in spec:
        return None
    if kind not in STEPPED:
        return f"{kind} takes no step; {' and '.join(STEPPED)} do."
    step = spec["step"]
    whole = kind != "int" or isinstance(step, int)
    if is_number(step) and 0 < step < float("inf") and whole:
        return None
    return f"step must be a {'whole ' if kind == 'int' else ''}number > 0; it is {step!r}."


def _when_problem(spec: Mapping[str, Any]) -> str | None:
    when = spec.get("when", {"": ""})
    if isinstance(when, dict) and when and all(value != [] for value in when.values()):
        return None
    return f"when needs {{option: value or list of values}}; it is {when!r}."


def _dimension(name: str, spec: Mapping[str, Any]) -> Dimension:
    kind = next(kind for kind in KINDS if kind in spec)
    when = {
        other: tuple(value) if isinstance(value, list) else (value,)
        for other, value in spec.get("when", {}).items()
    }
    if kind == "choice":
        return Dimension(name, kind, tuple(spec[kind]), when=when)
    low, high = spec[kind]
    return Dimension(name, kind, low=low, high=high, step=spec.get("step"), when=when)
