"""Make RecBole's own functions find our models by name: `run_recbole(model="PaInvRL")` works.

RecBole looks a model up as the module `recbole.model.<kind>.<name in lower case>`, a trainer and
a dataset as an attribute `<name>Trainer` or `<name>Dataset` of its packages. Nothing of ours is
imported before one of these is asked for.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from types import ModuleType
from typing import Any

from recbole_invariant.compat.after_import import after_import
from recbole_invariant.errors import InputError
from recbole_invariant.registry import ModelEntry, ModelSpec

HOST_PACKAGE = "recbole.model.general_recommender"


class _HostAlias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers imports of `recbole.model.general_recommender.<our name in lower case>`.

    The module so made holds our class under its name and nothing else, so that the module the
    class comes from stays as it is.
    """

    def __init__(self, models: Mapping[str, ModelSpec]) -> None:
        self.models = models
        self.names = {f"{HOST_PACKAGE}.{name.lower()}": name for name in models}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for our names, None for all others."""
        if fullname not in self.names:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        """Put the model class into the module."""
        name = self.names[module.__name__]
        setattr(module, name, self.models[name].load("model"))


def _lazy_attributes(
    models: Mapping[str, ModelSpec], suffix: str, part: str
) -> Callable[[ModuleType], None]:
    """Return a patch that lets a host module answer `<our model><suffix>` on first use."""

    def patch(module: ModuleType) -> None:
        def __getattr__(attribute: str) -> Any:  # noqa: N807 - PEP 562
            spec = models.get(attribute.removesuffix(suffix))
            if spec is None or not attribute.endswith(suffix):
                raise AttributeError(f"module {module.__name__!r} has no attribute {attribute!r}")
            return spec.load(part)

        vars(module)["__getattr__"] = __getattr__

    return patch


def _layer_patch(module: ModuleType) -> None:
    """Let RecBole's Config put our YAML layers under the user's, for our models only.

    Ratings below `positive_threshold` are then no positives there either, and options that
    contradict each other are refused.
    """
    load = module.Config._load_internal_config_dict

    def load_with_our_layers(self: Any, model: str, model_class: type[Any], dataset: str) -> None:
        load(self, model, model_class, dataset)
        if getattr(self, "layers_itself", False) or not ModelEntry(model, model_class).is_ours:
            return
        from recbole_invariant.configuration.layers import Layer, default_layers, merged
        from recbole_invariant.configuration.wrapped import find_wrapped

        given = Layer("RecBole's config", self.external_config_dict)
        wrapped, problems = find_wrapped(model, model_class, dataset, [given])
        if problems:
            raise InputError(problems)
        self.wrapped_model = wrapped
        variant = given.values.get("variant")
        values = merged(default_layers(model, model_class, dataset, variant, wrapped))
        self.internal_config_dict.update(values)

    initialise = module.Config.__init__

    @wraps(initialise)
    def initialise_with_positives(self: Any, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        if getattr(self, "layers_itself", False):
            return
        if ModelEntry(self["model"], self.model_class).is_ours:
            from recbole_invariant.configuration.host_checks import host_problems
            from recbole_invariant.data.positives import request_positives

            if problems := host_problems(self, self.model_class, self.wrapped_model):
                raise InputError(problems)
            request_positives(self)

    module.Config._load_internal_config_dict = load_with_our_layers
    module.Config.__init__ = initialise_with_positives


def install_names(models: Mapping[str, ModelSpec]) -> None:
    """Make RecBole find the names of these models; a second call changes nothing."""
    if any(isinstance(finder, _HostAlias) for finder in sys.meta_path):
        return
    sys.meta_path.append(_HostAlias(models))
    after_import("recbole.trainer", _lazy_attributes(models, "Trainer", "trainer"))
    after_import("recbole.data.dataset", _lazy_attributes(models, "Dataset", "dataset"))
    after_import("recbole.config.configurator", _layer_patch)
