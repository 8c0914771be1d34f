"""Models that wrap another one, such as IDEA over several sequential models of RecBole.

The structure key `wraps` of a model's YAML names the option that says which model is wrapped, e.g.
`wraps: backbone`. Any layer may set that option, and the options of the model it names are then
options of the wrapping model too.
"""

from collections.abc import Sequence
from typing import Any

from recbole_invariant.configuration.known_keys import our_yaml_files, schema_of
from recbole_invariant.configuration.layers import (
    Layer,
    merged,
    model_yaml_chain,
    origins,
    our_layers,
    yaml_owner,
)
from recbole_invariant.configuration.yaml_text import parse_value, read_yaml_mapping
from recbole_invariant.errors import InputError
from recbole_invariant.host_models import host_model_class
from recbole_invariant.options import value_problem


def wrapping_option(model_class: type[Any]) -> str | None:
    """Return the option that names the model wrapped by this one, None if it wraps none."""
    found: str | None = None
    for _, values in model_yaml_chain(yaml_owner(model_class)):
        found = values.get("wraps", found)
    return found


def misnamed_problems(user: Sequence[Layer], model: str, model_class: type[Any]) -> list[str]:
    """Refuse the option by which another model names what it wraps, such as IDEA's `backbone`.

    Nothing would read it, and the model would wrap its default. Whoever sets the right option too,
    as in a comparison of both models, is not mistaken.

    Args:
        user: the user's layers.
        model: name of the model.
        model_class: the model; nothing is said of one that wraps none.
    """
    option = wrapping_option(model_class)
    given = origins(user)
    if option is None or option in given:
        return []
    declared = schema_of(model_class).options
    values = merged(user)
    return [
        f"{given[other]}: '{other}' is the option of {' and '.join(owners)}; {model} names the "
        f"model that it wraps by '{option}': {option}={values[other]}."
        for other, owners in _wrapping_options().items()
        if other in given and other not in declared
    ]


def _wrapping_options() -> dict[str, list[str]]:
    """Return every option that names a wrapped model, with the models whose option it is."""
    found: dict[str, list[str]] = {}
    for path in our_yaml_files():
        option = read_yaml_mapping(path).get("wraps") if path.parent.name == "model" else None
        if option is not None:
            found.setdefault(option, []).append(path.stem)
    return found


def find_wrapped(
    model: str, model_class: type[Any], dataset: str, user: Sequence[Layer]
) -> tuple[type[Any] | None, list[str]]:
    """Find the model that a model wraps.

    Args:
        model: name of the wrapping model.
        model_class: the wrapping model.
        dataset: name of the dataset, whose YAML may name the wrapped model.
        user: the user's layers; what they name may be text.

    Returns:
        The wrapped model, None if there is none; and what is wrong with the one that was named, in
        whose stead the default is returned.
    """
    from recbole_invariant.model.sequence_encoder import SUPPORTED, refusal

    option = wrapping_option(model_class)
    if option is None:
        return None, []
    try:
        defaults = our_layers(model, model_class, dataset, merged(user).get("variant"))
    except InputError:  # A wrong variant, which is reported where the layers are put together.
        defaults = our_layers(model, model_class, dataset)
    layers = [*defaults, *user]
    value = merged(layers)[option]
    named = parse_value(value) if isinstance(value, str) else value
    named = value if isinstance(value, str) and not isinstance(named, str) else named
    if isinstance(named, str):
        problem = refusal(named, option, model)
        if problem is None:
            return host_model_class(named), []
        problems = [f"{origins(layers)[option]}: {problem}"]
    elif option in merged(user):
        problems = []  # Not even text: the check against the schema says so.
    else:
        problems = [f"{origins(layers)[option]}: {option}: expected a model, not {value!r}."]
    names = (layer.values.get(option) for layer in reversed(defaults))
    return host_model_class(next(name for name in names if name in SUPPORTED)), problems


def wrapped_problems(
    layers: Sequence[Layer], model: str, model_class: type[Any], wrapped: type[Any] | None
) -> list[str]:
    """Check what the wrapped model's sections `models: {<wrapped>: ...}` set in the end.

    They are written for the model alone, and the wrapping model may allow less. One also must not
    name another model to wrap.

    Args:
        layers: all layers, the lowest first.
        model: name of the wrapping model.
        model_class: the wrapping model.
        wrapped: the model that it wraps.
    """
    option = wrapping_option(model_class)
    if wrapped is None or option is None:
        return []
    values, origin = merged(layers), origins(layers)
    section = f" models.{wrapped.__name__}"
    declared = schema_of(model_class, wrapped).options
    problems = [
        f"{origin[key]}: option '{key}' {problem} Set it for {model} under `models: {model}`."
        for key, value in values.items()
        if origin[key].endswith(section)
        and key in declared
        and (problem := value_problem(declared[key], value)) is not None
    ]
    if origin[option].endswith(section):
        problems.append(
            f"{origin[option]}: '{option}' cannot be set among the options of a {option}; set it "
            f"under `models: {model}`."
        )
    return problems
