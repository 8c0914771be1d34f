"""Check a search space against the options of its model, before anything is trained."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from recbole_invariant.config import user_layers
from recbole_invariant.configuration.folders import properties_folder
from recbole_invariant.configuration.known_keys import Schema, schema_of
from recbole_invariant.configuration.wrapped import find_wrapped, wrapping_option
from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import InputError, suggest
from recbole_invariant.options import Constraint, Option, type_name, value_problem
from recbole_invariant.registry import resolve
from recbole_invariant.tuning.dimension import Dimension, same
from recbole_invariant.tuning.space import Space

SEARCHABLE = ("MAX_ITEM_LIST_LENGTH", "balanced_attribute")
"""Options of the data or of every run that only change what a model trains on."""

USUAL = (
    (re.compile(r"(prob|dropout)s?(_rate|_ratio)?$"), Constraint("in [0, 1]", 0, 1)),
    (
        re.compile(r"(weight|weights|decay|learning_rate|embedding_size|n_layers|num_layers)$"),
        Constraint(">= 0", 0),
    ),
)
"""Ends of names -> what values they have in all models, for options that declare a type only."""

ALSO_SHARED = (
    "MODEL_INPUT_TYPE", "MODEL_TYPE", "dataset", "device", "entity_kg_num_interval", "eval_step",
    "eval_type", "ip", "kg_reverse_r", "local_rank", "loss_decimal_place", "model", "nproc",
    "offset", "port", "relation_kg_num_interval", "single_spec", "test_neg_sample_args",
    "valid_neg_sample_args", "verbose", "wandb_project", "worker", "world_size",
)  # fmt: skip
"""Options that all trials share besides those that RecBole lists; `eval_step` because validations
are what a scheduler counts."""


def check_space(
    space: Space,
    model: str | type,
    dataset: str,
    overrides: Mapping[str, Any] | None = None,
    config_files: Sequence[str] = (),
    command_line: Mapping[str, str] | None = None,
) -> None:
    """Check a space: every option, its values and its conditions.

    Args:
        space: less what the user fixed.
        model: name, dotted path or class of the model.
        dataset: name of the dataset, whose YAML may name the model that this one wraps.
        overrides: the user's options from Python.
        config_files: YAML files of the user's; these three may name the wrapped model, and
            `config.build_config` checks them.
        command_line: the user's options as text.

    Raises:
        InputError: everything that is wrong, at once.
    """
    if not space.dimensions:
        raise InputError(
            f"{space.source}: the space has no options to search: none stands in it, or all are "
            "fixed by the user. Name some in a --space FILE, or fix fewer."
        )
    schema = _schema(space, model, dataset, overrides, config_files, command_line)
    reader = resolve(model).name
    problems = []
    for one in space.dimensions:
        found = _name_problem(one.name, schema, reader)
        wrong = [found] if found else _value_problems(one, schema.options[one.name])
        wrong += _when_problems(one, space, schema, reader)
        problems += [f"{space.source}: {problem}" for problem in wrong]
    problems += _circle_problems(space)
    if problems:
        raise InputError(problems)


def _schema(
    space: Space,
    model: str | type,
    dataset: str,
    overrides: Mapping[str, Any] | None,
    config_files: Sequence[str],
    command_line: Mapping[str, str] | None,
) -> Schema:
    """Return the options of the model and of every model it can wrap in this search."""
    from recbole_invariant.host_models import host_model_class
    from recbole_invariant.model.sequence_encoder import SUPPORTED

    entry = resolve(model)
    given = (entry.name, config_files, overrides, command_line)
    wrapped, _ = find_wrapped(entry.name, entry.model_class, dataset, user_layers(*given)[0])
    option = wrapping_option(entry.model_class)
    searched = [one for one in space.dimensions if one.name == option]
    names = [name for one in searched for name in one.values if name in SUPPORTED]
    schema = schema_of(entry.model_class, wrapped)
    options = dict(schema.options)
    for name in names:
        for key, declared in schema_of(entry.model_class, host_model_class(name)).options.items():
            options.setdefault(key, declared)
    return Schema(options, schema.known)


@lru_cache(maxsize=1)
def shared_options() -> frozenset[str]:
    """Return the options that every trial of a search shares.

    They say what is measured, on which rows, where and by what machine: RecBole's general,
    evaluation and dataset options and those of properties/overall.yaml.
    """
    from recbole.utils import argument_list

    lists = ("general_arguments", "evaluation_arguments", "dataset_arguments")
    names = {name for each in lists for name in getattr(argument_list, each)}
    names |= read_yaml_mapping(properties_folder() / "overall.yaml").keys()
    return frozenset(names | set(ALSO_SHARED)) - frozenset(SEARCHABLE)


def _name_problem(name: str, schema: Schema, reader: str) -> str | None:
    if name in shared_options():
        return (
            f"option '{name}' cannot be searched: all trials share it, or their results would not "
            "compare. Leave it out of the space and set it as an ordinary option."
        )
    if name not in schema.known:
        near = suggest(name, schema.options) or suggest(name, schema.known)
        return f"there is no option '{name}'.{near}"
    if name not in schema.options:
        near = suggest(name, schema.options)
        return f"option '{name}' belongs to other models; {reader} does not read it.{near}"
    return None


def _value_problems(one: Dimension, option: Option) -> list[str]:
    """Check what can be drawn, by its ends or one by one."""
    option = with_usual_range(option)
    if one.kind == "choice":
        wrong = [value_problem(option, value) for value in one.values]
        twice = [
            f"option '{one.name}': {value!r} stands twice among its choices."
            for n, value in enumerate(one.values)
            if any(same(value, other) for other in one.values[:n])
        ]
        return [f"option '{one.name}' {problem}" for problem in wrong if problem] + twice
    if problem := range_problem(one):
        return [f"option '{one.name}': {problem}"]
    kinds = (int,) if one.kind in ("int", "logint") else (float,)
    wrong = [value_problem(option, kinds[0](end)) for end in one.ends]
    first = next((problem for problem in wrong if problem), None)
    if first is None:
        return []
    whole = one.kind in ("uniform", "loguniform") and value_problem(option, 1.5) is not None
    is_int = "int" in option.types and "float" not in option.types
    hint = f" Whole numbers are {{{_whole_kind(one)}: [low, high]}}." if whole and is_int else ""
    return [f"option '{one.name}' {first}{hint}"]


def with_usual_range(option: Option) -> Option:
    """Return an option with the range that its name says, where it declares none.

    A default outside shows that the name means something else there.
    """
    if option.constraint is not None or not option.types:
        return option
    for ending, usual in USUAL:
        if ending.search(option.name) and usual.allows(option.default):
            return replace(option, constraint=usual)
    return option


def range_problem(one: Dimension) -> str | None:
    """Say what is wrong with the ends of a range, whatever its option, or return None."""
    low, high = one.ends
    if low >= high:
        return f"the low end must be below the high one; it is [{low:g}, {high:g}]."
    if one.kind in ("loguniform", "logint") and low <= 0:
        return f"{one.kind} needs a low end > 0; it is {low:g}."
    if one.step is not None and one.step > high - low:
        return f"the step must fit into the range; it is {one.step:g} in [{low:g}, {high:g}]."
    return None


def _whole_kind(one: Dimension) -> str:
    return "logint" if one.kind == "loguniform" else "int"


def _when_problems(one: Dimension, space: Space, schema: Schema, reader: str) -> list[str]:
    """Check the options and values that a condition names."""
    by_name = {dimension.name: dimension for dimension in space.dimensions}
    problems = []
    for other, allowed in one.when.items():
        said = f"option '{one.name}', when: "
        if other == one.name:
            problems.append(f"{said}it cannot depend on itself.")
        elif other not in schema.options:
            near = suggest(other, schema.options)
            what = "is not read by" if other in schema.known else "is no option of"
            problems.append(f"{said}'{other}' {what} {reader}.{near}")
        elif other in by_name and not any(_can_be(by_name[other], value) for value in allowed):
            listed = ", ".join(map(str, allowed))
            problems.append(
                f"{said}{other} is never {listed} in this space ({by_name[other].describe()})."
            )
        else:
            wrong = (value_problem(schema.options[other], value) for value in allowed)
            problems += [f"{said}{other} {problem}" for problem in wrong if problem]
    return problems


def _circle_problems(space: Space) -> list[str]:
    """Say whether conditions go round; one on its own option is said where it stands."""
    others = (
        replace(one, when={key: one.when[key] for key in one.when if key != one.name})
        for one in space.dimensions
    )
    try:
        Space(tuple(others), space.source).ordered()
    except InputError as error:
        return error.problems
    return []


def _can_be(one: Dimension, value: Any) -> bool:
    """Say whether a dimension can take a value."""
    if one.kind == "choice":
        return any(same(value, choice) for choice in one.values)
    if type_name(value) not in ("int", "float"):
        return False
    low, high = one.ends
    return low <= value <= high
