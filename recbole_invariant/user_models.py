"""A user's own model class, found by dotted path."""

from importlib import import_module
from types import ModuleType
from typing import Any

from recbole_invariant.errors import InputError, suggest


def import_model(path: str) -> type[Any]:
    """Import a class by dotted path, e.g. `my_package.MyModel` or `my_package.module.MyModel`.

    Raises:
        InputError: if the module or the class in it is not there, or it is not a class.
    """
    module_name, _, class_name = path.rpartition(".")
    module = _import(path, module_name)
    found = getattr(module, class_name, None)
    if isinstance(found, type):
        return found
    classes = [name for name, value in vars(module).items() if isinstance(value, type)]
    if isinstance(found, ModuleType) or found is not None:
        problem = f"'{class_name}' in '{module_name}' is a {type(found).__name__}, not a class."
    else:
        problem = f"the module '{module_name}' has no class '{class_name}'."
    raise InputError(f"model '{path}': {problem}{suggest(class_name, classes)}")


def _import(path: str, module_name: str) -> ModuleType:
    parts = module_name.split(".")
    if not all(part.isidentifier() for part in parts):
        raise InputError(f"model '{path}': '{module_name}' cannot be the name of a module.")
    try:
        return import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name + ".").startswith(error.name + "."):
            raise InputError(
                f"model '{path}': there is no module '{error.name}'. Run from the folder that "
                "holds it, or put that folder on PYTHONPATH."
            ) from None
        raise InputError(
            f"model '{path}': its module needs '{error.name}', which is not installed."
        ) from error


def refusal(model_class: type[Any]) -> str | None:
    """Say why RecBole could not run a class as a model, or return None."""
    from recbole.model.abstract_recommender import AbstractRecommender
    from recbole.utils import ModelType

    name = f"{model_class.__module__}.{model_class.__qualname__}"
    if not issubclass(model_class, AbstractRecommender):
        return (
            f"model '{name}' must be a subclass of RecBole's AbstractRecommender, e.g. of "
            "recbole.model.abstract_recommender.GeneralRecommender."
        )
    if not isinstance(getattr(model_class, "type", None), ModelType):
        return (
            f"model '{name}' must say its kind: derive it from GeneralRecommender, "
            "SequentialRecommender, ContextRecommender or KnowledgeRecommender, or set the class "
            "attribute `type` to a recbole.utils.ModelType."
        )
    defaults = getattr(model_class, "default_options", {})
    if not isinstance(defaults, dict) or not all(isinstance(key, str) for key in defaults):
        return f"model '{name}': `default_options` must be a dict of option names to defaults."
    return None
