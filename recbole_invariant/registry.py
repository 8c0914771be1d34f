"""Model names and what belongs to each: class, trainer, dataset.

`resolve` is for our own code; `install` makes RecBole's `get_model`, `get_trainer`,
`create_dataset` and `Config` find our names too. Our modules are imported on first use.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from recbole_invariant.errors import InputError, suggest
from recbole_invariant.host_models import host_model_class, host_model_modules
from recbole_invariant.user_models import import_model, refusal


@dataclass(frozen=True)
class ModelSpec:
    """Where the parts of one of our models stand, as `module:name`."""

    model: str
    trainer: str
    dataset: str = "recbole_invariant.data.dataset:MultimodalDataset"

    def load(self, part: str) -> type[Any]:
        """Import `model`, `trainer` or `dataset`."""
        module, _, name = str(getattr(self, part)).partition(":")
        return getattr(import_module(module), name)


SEQUENTIAL_DATASET = "recbole.data.dataset:SequentialDataset"


def _spec(name: str, folder: str = "general_recommender", **parts: str) -> ModelSpec:
    """Return the places of a model whose files share the stem of its name."""
    return ModelSpec(
        f"recbole_invariant.model.{folder}.{name.lower()}:{name}",
        f"recbole_invariant.trainer.{name.lower()}:{name}Trainer",
        **parts,
    )


MODELS: dict[str, ModelSpec] = {
    **{name: _spec(name) for name in ("UltraGCN", "UltraGCNF", "InvRL", "PaInvRL")},
    **{
        name: _spec(name, "sequential_recommender", dataset=SEQUENTIAL_DATASET)
        for name in ("IDEA", "Irl4Rec")
    },
}
"""Our models by name."""


@dataclass(frozen=True)
class ModelEntry:
    """A model with what runs it.

    Attributes:
        name: name of the class.
        model_class: the model.
        trainer_class: its trainer; None leaves the choice to RecBole's rules.
        dataset_class: its dataset; None leaves the choice to RecBole's rules.
    """

    name: str
    model_class: type[Any]
    trainer_class: type[Any] | None = None
    dataset_class: type[Any] | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is a model of this package."""
        return self.name in MODELS and self.model_class.__module__.startswith("recbole_invariant.")


def model_names() -> list[str]:
    """Return the names of our models, then of RecBole's; none is imported."""
    return [*MODELS, *sorted(host_model_modules(), key=str.lower)]


def resolve(name: str | type[Any]) -> ModelEntry:
    """Find a model.

    Args:
        name: the name of one of our models or RecBole's, a dotted path to a class
            (`my_package.MyModel`), or a model class, whose attributes `trainer_class` and
            `dataset_class` say what runs it.

    Raises:
        InputError: if there is no such model, it is no model of RecBole's kind, or a library that
            it needs is missing.
    """
    if isinstance(name, type):
        return _entry_of_class(name)
    if spec := MODELS.get(name):
        return ModelEntry(name, spec.load("model"), spec.load("trainer"), spec.load("dataset"))
    if name in host_model_modules():
        return ModelEntry(name, host_model_class(name))
    if "." in name:
        return _entry_of_class(import_model(name))
    raise InputError(
        f"model '{name}': there is no such model.{suggest(name, model_names())} "
        f"Ours are {', '.join(MODELS)}; a class of your own goes by dotted path, "
        "e.g. my_package.MyModel."
    )


def _entry_of_class(model_class: type[Any]) -> ModelEntry:
    name = model_class.__name__
    spec = MODELS.get(name)
    if spec is not None and model_class is spec.load("model"):
        return ModelEntry(name, model_class, spec.load("trainer"), spec.load("dataset"))
    if model_class.__module__ != host_model_modules().get(name) and (
        problem := refusal(model_class)
    ):
        raise InputError(problem)
    return ModelEntry(
        name,
        model_class,
        getattr(model_class, "trainer_class", None),
        getattr(model_class, "dataset_class", None),
    )


def install() -> None:
    """Make RecBole's own functions find our names; a second call changes nothing."""
    from recbole_invariant.host_names import install_names

    install_names(MODELS)
