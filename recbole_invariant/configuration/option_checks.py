"""Check the user's options against the schema: names, types, ranges."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from recbole_invariant.configuration.known_keys import Schema, schema_of
from recbole_invariant.configuration.layers import MODEL_SECTIONS, Layer
from recbole_invariant.configuration.nested_values import nested_problem
from recbole_invariant.errors import suggest
from recbole_invariant.options import Option, parse_value, value_problem

COMMAND_LINE = "command line"
"""Name of the layer of what stands on the command line."""

COMMAND_WORDS = ("config_files", "output_dir", "run_name", "resume")
"""What the command line takes beside options of the run."""

NO_VALUE = "true"
"""What the command line gives for an option without a value."""

UNREAD = re.compile(r"; (\S.*) does not read it\..*$")
"""The end of a warning of `check_options`, which names the model."""


@dataclass
class Checked:
    """The user's layers after the checks.

    Attributes:
        layers: the layers with what is wrong left out, values converted.
        problems: what is wrong, one message each.
        warnings: what has no effect.
    """

    layers: list[Layer] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def convert_text(schema: Schema, key: str, text: str) -> Any:
    """Turn text into the value of an option.

    Text that reads as a value of the right type is that value; otherwise it stays text where
    text is allowed. Where a list is allowed, words between commas are one: `Pop,BPR`.
    """
    value = parse_value(text)
    option = schema.options.get(key)
    if option is None or not option.types:
        return value
    if isinstance(value, str) and "list" in option.types:
        words = [parse_value(word.strip()) for word in text.split(",")]
        value = words if len(words) > 1 or "str" not in option.types else value
    if value_problem(option, value) is None:
        return value
    return text if {"str", "path"} & set(option.types) else value


def _host_value(key: str, value: Any) -> Any:
    """Undo what RecBole makes of `train_neg_sample_args: null`, which it does not read itself."""
    if key != "train_neg_sample_args" or not isinstance(value, dict):
        return value
    if str(value.get("distribution", "uniform")).lower() == "none":
        return None
    return value


def check_options(
    layers: Sequence[Layer],
    model_class: type[Any] | None = None,
    schema: Schema | None = None,
    wrapped: type[Any] | None = None,
) -> Checked:
    """Check what the user set, and report everything at once.

    Args:
        layers: the user's layers; text in them is converted by `convert_text`.
        model_class: the model, for its own options; None checks what every model has.
        schema: instead of that of the model.
        wrapped: the model that it wraps, whose options it reads too.

    Returns:
        The layers that remain, problems and warnings.
    """
    schema = schema or schema_of(model_class, wrapped)
    reader = "this model" if model_class is None else model_class.__name__
    reader += f" over {wrapped.__name__}" if wrapped else ""
    checked = Checked()
    for layer in layers:
        good: dict[str, Any] = {}
        for key, given in layer.values.items():
            value = convert_text(schema, key, given) if isinstance(given, str) else given
            value = _host_value(key, value)
            if problem := _problem(schema, layer.name, key, value):
                checked.problems.append(f"{layer.name}: {problem}")
                continue
            if key not in schema.options:
                checked.warnings.append(_no_effect(schema, layer.name, key, reader))
            good[key] = value
        checked.layers.append(Layer(layer.name, good))
    return checked


def _problem(schema: Schema, layer: str, key: str, value: Any) -> str | None:
    """Say what is wrong with an option, its name or its value."""
    if key not in schema.known:
        return f"there is no option '{key}'.{_near(schema, key, layer)}"
    option = schema.options.get(key)
    if option is None:
        return None
    if layer == COMMAND_LINE and value == NO_VALUE and _is_place(option):
        return f"--{key} has no value."
    problem = value_problem(option, value)
    if problem and layer == COMMAND_LINE and value is True:
        return f"option '{key}' {problem} On the command line it has no value, or true."
    return f"option '{key}' {problem}" if problem else nested_problem(key, value)


def _is_place(option: Option) -> bool:
    """Say whether an option is text that names a file, a folder or a column."""
    ending = option.name.rsplit("_", 1)[-1]
    return "path" in option.types or ending in ("path", "dir", "FIELD", "field", "SUFFIX")


def _near(schema: Schema, key: str, layer: str) -> str:
    """Suggest options of this model, and others that a single edit leads to."""
    words = COMMAND_WORDS if layer == COMMAND_LINE else (MODEL_SECTIONS,)
    return suggest(key, schema.options, others=[*words, *sorted(schema.known)])


def _no_effect(schema: Schema, layer: str, key: str, model: str) -> str:
    near = suggest(key, schema.options)
    return f"{layer}: option '{key}' belongs to other models; {model} does not read it.{near}"


def joined(warnings: Iterable[str]) -> list[str]:
    """Say once of several models what is the same of each: that it does not read an option.

    Args:
        warnings: those of `check_options` for each of the models.
    """
    alike: dict[str, list[str]] = {}
    for warning in dict.fromkeys(warnings):
        alike.setdefault(UNREAD.sub("", warning), []).append(warning)
    return [
        f"{same}; {', '.join(_reader(warning) for warning in several)} do not read it."
        if len(several) > 1
        else several[0]
        for same, several in alike.items()
    ]


def _reader(warning: str) -> str:
    found = UNREAD.search(warning)
    return found[1] if found else warning
