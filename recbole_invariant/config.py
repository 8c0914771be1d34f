"""From what the user gave to a RecBole Config, every mistake reported at once.

Nothing the user writes is evaluated, `sys.argv` is not read, and RecBole's own lists stay as they
are. Layers, later wins: RecBole's defaults, properties/overall.yaml, properties/model/<Model>.yaml,
its variant, dataset_configs/<dataset>.yaml, config files, command line and `config=`. Where a model
wraps another, that one's own options are among them: configuration/wrapped.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from recbole_invariant.configuration.attribute_checks import (
    attribute_problems,
    balancing_problems,
)
from recbole_invariant.configuration.dataset_files import dataset_problems, name_problem
from recbole_invariant.configuration.idle_options import without_effect
from recbole_invariant.configuration.irl4rec_checks import contradictions
from recbole_invariant.configuration.layers import (
    HostHooks,
    Layer,
    default_layers,
    merged,
    origins,
    section_for,
)
from recbole_invariant.configuration.option_checks import COMMAND_LINE, check_options
from recbole_invariant.configuration.refit_checks import refit_problems
from recbole_invariant.configuration.refused_keys import (
    REFUSED,
    file_problems,
    refused_problems,
)
from recbole_invariant.configuration.value_checks import (
    metric_problems,
    negatives_of_sequences,
    sequence_problems,
)
from recbole_invariant.configuration.wrapped import (
    find_wrapped,
    misnamed_problems,
    wrapped_problems,
    wrapping_option,
)
from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import InputError
from recbole_invariant.registry import ModelEntry, resolve

CONFIG_ARGUMENT = "config="
CONFIG_FILE = "config file"
USER_LAYERS = (COMMAND_LINE, CONFIG_ARGUMENT, CONFIG_FILE)
"""How the names of the user's own layers begin; all others are files of RecBole or ours."""

GIVEN_APART = frozenset({"model", "dataset", *REFUSED})
"""Keys that are decided elsewhere."""


class RunConfig(HostHooks):
    """RecBole's Config of one run.

    Attributes:
        layers: option -> name of the layer that set it.
        warnings: what the user set without effect.

    Args:
        entry: the model.
        dataset: name of the dataset.
        layers: every layer, the lowest first.
        warnings: see above.
    """

    def __init__(
        self, entry: ModelEntry, dataset: str, layers: Sequence[Layer], warnings: Sequence[str] = ()
    ) -> None:
        self._merged = merged(layers)
        if not self._merged.get("use_gpu", True):
            # RecBole leaves the GPU alone only where gpu_id is empty.
            self._merged["gpu_id"] = ""
        self.layers = origins(layers)
        self.warnings = list(warnings)
        super().__init__(model=entry.model_class, dataset=dataset)

    def _load_internal_config_dict(self, model: str, model_class: type[Any], dataset: str) -> None:
        self.internal_config_dict = self._merged


def user_layers(
    model: str,
    config_files: Sequence[str],
    overrides: Mapping[str, Any] | None,
    command_line: Mapping[str, str] | None,
    wrapped: type[Any] | None = None,
) -> tuple[list[Layer], list[str]]:
    """Return the user's layers, the lowest first, and what is wrong with the files.

    Args:
        model: name of the model, for the section `models` of a file.
        config_files: YAML files; later ones win.
        overrides: Python's `config=`.
        command_line: options as text.
        wrapped: the model that this one wraps, whose section counts too.
    """
    layers: list[Layer] = []
    problems: list[str] = []
    for path in config_files:
        try:
            name, values = f"{CONFIG_FILE} {path}", read_yaml_mapping(path)
            problems += file_problems(name, values, model)
            layers += section_for(name, values, model, wrapped)
        except InputError as error:
            problems += error.problems
    layers += [Layer(CONFIG_ARGUMENT, dict(overrides))] if overrides else []
    layers += [Layer(COMMAND_LINE, dict(command_line))] if command_line else []
    problems += refused_problems(layers)
    return [_without_given_apart(layer) for layer in layers], problems


def _without_given_apart(layer: Layer) -> Layer:
    kept = {key: value for key, value in layer.values.items() if key not in GIVEN_APART}
    return Layer(layer.name, kept)


def build_config(
    model: str | type,
    dataset: str,
    overrides: Mapping[str, object] | None = None,
    config_files: Sequence[str] = (),
    command_line: Mapping[str, str] | None = None,
    stored: str | None = None,
) -> RunConfig:
    """Resolve and check all options of a run, before any data is loaded.

    Args:
        model: name, dotted path or class of the model.
        dataset: name of the dataset.
        overrides: options from Python.
        config_files: YAML files of options; later ones win.
        command_line: options as text; they win over `overrides`.
        stored: the one among `config_files` that a run wrote, of which nothing is a user's word.

    Returns:
        The Config; `layers` says what set each option. Nothing is logged: whoever starts the run
        shows its `warnings`.

    Raises:
        InputError: everything that is wrong, at once.
    """
    if problem := name_problem(dataset):
        raise InputError(problem)
    problems: list[str] = []
    entry = None
    try:
        entry = resolve(model)
    except InputError as error:
        problems += error.problems
    name = entry.name if entry else str(model)
    given = (name, config_files, overrides, command_line)
    layers, file_problems = user_layers(*given)
    wrapped = None
    if entry is not None:
        wrapped, more = find_wrapped(name, entry.model_class, dataset, layers)
        layers, file_problems = user_layers(*given, wrapped)
        problems += [*more, *misnamed_problems(layers, name, entry.model_class)]
    model_class = entry.model_class if entry else None
    checked = check_options(layers, model_class, wrapped=wrapped)
    problems += file_problems + checked.problems
    if entry is None:
        raise InputError(problems)
    file = f"{CONFIG_FILE} {stored}"
    said = origins(layer for layer in checked.layers if layer.name != file)
    all_layers, more = _resolve_layers(entry, dataset, checked.layers, wrapped, said)
    if problems or more:
        raise InputError([*problems, *more])
    warnings = [warning for warning in checked.warnings if not warning.startswith(f"{file}: ")]
    idle = without_effect(merged(all_layers), said, entry.model_class)
    try:
        return RunConfig(entry, dataset, all_layers, [*warnings, *idle])
    except (ValueError, TypeError, NotImplementedError) as error:
        raise InputError(f"RecBole refuses these options: {error}") from error


def _resolve_layers(
    entry: ModelEntry,
    dataset: str,
    user: list[Layer],
    wrapped: type[Any] | None,
    said: Mapping[str, str],
) -> tuple[list[Layer], list[str]]:
    """Put the defaults under the user's layers and check what they give together.

    `said` is the layer of each option that the user set; those that a run stored are not.
    """
    problems: list[str] = []
    variant = merged(user).get("variant")
    try:
        defaults = default_layers(entry.name, entry.model_class, dataset, variant, wrapped)
    except InputError as error:
        problems += error.problems
        defaults = default_layers(entry.name, entry.model_class, dataset, wrapped=wrapped)
    layers = [*defaults, *user]
    values, origin = merged(layers), origins(layers)
    settled = negatives_of_sequences(values, origin, entry.model_class, set(merged(user)))
    if isinstance(settled, Layer):
        layers.append(settled)
    elif settled is not None:
        problems.append(settled)
    problems += wrapped_problems(layers, entry.name, entry.model_class, wrapped)
    problems += metric_problems(values, origin)
    problems += sequence_problems(user, merged(defaults), entry.name)
    problems += dataset_problems(values, dataset, entry.name)
    problems += attribute_problems(values, origin, dataset, entry.model_class, said)
    wrapping = wrapping_option(entry.model_class)
    problems += balancing_problems(values, dataset, entry.name, wrapping, said)
    problems += contradictions(values, entry.model_class, wrapped)
    problems += refit_problems(values, origin)
    layers.append(Layer("given", {"model": entry.name, "dataset": dataset}))
    return layers, problems
