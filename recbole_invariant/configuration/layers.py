"""Layers of options below the user's own, each with the name of what set it.

Later wins: RecBole's defaults, properties/overall.yaml, properties/model/<Model>.yaml, its variant,
dataset_configs/<dataset>.yaml with its section for the model. A model that wraps another one
(`wraps`, see wrapped.py) has that one's defaults from RecBole, and its section below its own.
"""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole.config import Config

from recbole_invariant.configuration.folders import (
    dataset_yaml,
    host_folder,
    host_model_yaml,
    model_yaml,
    properties_folder,
)
from recbole_invariant.configuration.yaml_text import OptionLoader, read_yaml_mapping
from recbole_invariant.errors import InputError, suggest

MODEL_SECTIONS = "models"
"""Key of a file's sections for single models; the one structure key that a user's file may have."""

STRUCTURE_KEYS = ("base", "variants", MODEL_SECTIONS, "wraps")
"""Keys of our YAML files that arrange options and are none themselves."""


@dataclass(frozen=True)
class Layer:
    """Options that one source sets.

    Attributes:
        name: the file, `command line` or another source, as `run.json` shows it.
        values: option -> value.
    """

    name: str
    values: dict[str, Any]


def merged(layers: Iterable[Layer]) -> dict[str, Any]:
    """Return the options of all layers, later ones winning; values are copies."""
    values: dict[str, Any] = {}
    for layer in layers:
        values.update(layer.values)
    return deepcopy(values)


def origins(layers: Iterable[Layer]) -> dict[str, str]:
    """Return for each option the name of the layer that set it."""
    return {key: layer.name for layer in layers for key in layer.values}


class HostHooks(Config):
    """RecBole's Config without its `eval`, `sys.argv` and shared lists."""

    layers_itself = True
    parameters: dict[str, list[str]]

    def _init_parameters_category(self) -> None:
        super()._init_parameters_category()
        # RecBole appends to these lists, which are its module globals.
        self.parameters = {name: list(keys) for name, keys in self.parameters.items()}

    def _build_yaml_loader(self) -> type[OptionLoader]:
        return OptionLoader

    def _convert_config_dict(self, config_dict: dict[str, Any]) -> dict[str, Any]:
        return config_dict

    def _load_cmd_line(self) -> dict[str, Any]:
        return {}


class _HostDefaults(HostHooks):
    """Reads the YAML files that RecBole picks for a model and dataset, one layer each."""

    def __init__(self, model: str, model_class: type[Any], dataset: str) -> None:
        self._init_parameters_category()
        self.yaml_loader = self._build_yaml_loader()
        self.read: list[Layer] = []
        self._load_internal_config_dict(model, model_class, dataset)

    def _update_internal_config_dict(self, file: str) -> dict[str, Any]:
        values = read_yaml_mapping(file)  # as RecBole would, but parsed once a process
        self.internal_config_dict.update(values)
        path = Path(file).resolve().relative_to(host_folder().resolve() / "properties")
        self.read.append(Layer(f"RecBole {path.as_posix()}", values))
        return values


def yaml_owner(model_class: type[Any]) -> str:
    """Return the nearest class in the family of a model that has a YAML file, or its own name.

    A subclass of a stock model thus keeps that model's options.
    """
    names = [cls.__name__ for cls in model_class.__mro__]
    for name in names:
        if model_yaml(name).is_file() or host_model_yaml(name) is not None:
            return name
    return names[0]


def host_layers(
    model: str, model_class: type[Any], dataset: str, wrapped: type[Any] | None = None
) -> list[Layer]:
    """Return RecBole's own defaults, in its order, with the type of the model.

    They are those of the wrapped model where there is one.
    """
    source = wrapped or model_class
    name = model if wrapped is None else wrapped.__name__
    layers = _HostDefaults(name, source, dataset).read
    path = host_model_yaml(yaml_owner(source))
    if path is not None and not any(layer.name.endswith(f"/{path.name}") for layer in layers):
        layers.insert(1, Layer(f"RecBole model/{path.name}", read_yaml_mapping(path)))
    return [*layers, Layer("RecBole", {"MODEL_TYPE": model_class.type})]


def model_yaml_chain(name: str) -> list[tuple[Path, dict[str, Any]]]:
    """Return a model's YAML files, the one at the bottom of its `base` chain first.

    Raises:
        InputError: if a base has no file or the chain is a circle.
    """
    chain: list[tuple[Path, dict[str, Any]]] = []
    wanted: str | None = name
    while wanted is not None:
        path = model_yaml(wanted)
        if not path.is_file():
            if chain:
                raise InputError(f"{chain[0][0].name}: its base '{wanted}' has no {path.name}.")
            break
        if any(path == seen for seen, _ in chain):
            raise InputError(f"{path.name}: its chain of `base` comes back to itself.")
        values = read_yaml_mapping(path)
        chain.insert(0, (path, values))
        wanted = values.get("base")
    return chain


def _options(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in STRUCTURE_KEYS}


def _variant_layer(chain: list[tuple[Path, dict[str, Any]]], variant: Any) -> list[Layer]:
    variants: dict[str, Any] = {}
    for _, values in chain:
        variants.update(values.get("variants") or {})
    if variant is None or not chain:
        return []
    if variant not in variants:
        raise InputError(
            f"variant: there is no variant '{variant}'."
            f"{suggest(str(variant), variants)} Known: {', '.join(variants) or 'none'}."
        )
    return [Layer(f"variant {variant}", variants[variant] or {})]


def section_for(
    name: str, values: dict[str, Any], model: str, wrapped: type[Any] | None = None
) -> list[Layer]:
    """Split a file's options from its sections `models: {<model>: {...}}` for one model.

    The section of the model that it wraps comes below its own.

    Raises:
        InputError: `models` or such a section is no dict of options.
    """
    layers = [Layer(name, _options(values))]
    sections = values.get("models") or {}
    for owner in (model,) if wrapped is None else (wrapped.__name__, model):
        section = (sections.get(owner) or {}) if isinstance(sections, dict) else sections
        if not isinstance(section, dict):
            raise InputError(
                f"{name}: models: expected `{owner}: {{option: value, ...}}` below it; "
                f"it is {section!r}."
            )
        if section:
            layers.append(Layer(f"{name} models.{owner}", section))
    return layers


def overall_layer() -> Layer:
    """Return properties/overall.yaml."""
    return Layer("properties/overall.yaml", read_yaml_mapping(properties_folder() / "overall.yaml"))


def our_layers(
    model: str,
    model_class: type[Any],
    dataset: str,
    variant: Any = None,
    wrapped: type[Any] | None = None,
) -> list[Layer]:
    """Return the layers of this package: overall, model, variant, the class's own, dataset.

    Args:
        model: name of the model.
        model_class: the model; its `default_options` are a layer where it has them.
        dataset: name of the dataset.
        variant: the variant that the user asked for; None takes the one of the files.
        wrapped: the model that this one wraps, if any.

    Raises:
        InputError: if there is no such variant.
    """
    chain = model_yaml_chain(yaml_owner(model_class))
    files = [Layer(f"properties/model/{path.name}", _options(values)) for path, values in chain]
    path = dataset_yaml(dataset)
    values = read_yaml_mapping(path) if path.is_file() else {}
    name = f"dataset_configs/{path.name}"
    data = section_for(name, values, model, wrapped) if values else []
    own = getattr(model_class, "default_options", None)
    chosen = variant if variant is not None else merged([*files, *data]).get("variant")
    return [
        overall_layer(),
        *files,
        *_variant_layer(chain, chosen),
        *([Layer(f"{model}.default_options", dict(own))] if own else []),
        *data,
    ]


def default_layers(
    model: str,
    model_class: type[Any],
    dataset: str,
    variant: Any = None,
    wrapped: type[Any] | None = None,
) -> list[Layer]:
    """Return every layer below the user's.

    What RecBole sets for a kind of model (its quick_start_config, e.g. AUC over labelled rows for
    context-aware ones) stands above our overall.yaml, which is for all models.
    """
    host = host_layers(model, model_class, dataset, wrapped)
    overall, *others = our_layers(model, model_class, dataset, variant, wrapped)
    kind = [layer for layer in host if layer.name.startswith("RecBole quick_start_config/")]
    plain = [layer for layer in host if layer not in kind]
    return [*plain, overall, *kind, *others]
