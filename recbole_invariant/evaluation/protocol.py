"""Loaders of a run's parts, with tests sealed until selection is over.

Every test set has a sampler of its own, over training, validation and that test alone. One
sampler over all of them would take an earlier test's items for the user's history and leave them
out of the ranking of a later one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from recbole.data.dataset import Dataset
from recbole.data.utils import create_samplers, get_dataloader
from recbole.model.abstract_recommender import AbstractRecommender
from recbole.sampler import KGSampler
from recbole.utils import EvaluatorType, ModelType

from recbole_invariant.data.splits.apply import Parts

LoaderMaker = Callable[[], Any]


class SealedError(RuntimeError):
    """A test set was touched before selection was over."""


class SealedTests:
    """Test loaders by name, made when `open` is called and not before.

    Names may be read at any time. Anything else raises `SealedError` until then.

    Args:
        makers: a function for each test set that makes its loader.
    """

    def __init__(self, makers: Mapping[str, LoaderMaker]) -> None:
        self._makers = dict(makers)
        self._loaders: dict[str, Any] | None = None

    @property
    def names(self) -> list[str]:
        """Names of the test sets."""
        return list(self._makers)

    @property
    def is_open(self) -> bool:
        """Whether selection is over."""
        return self._loaders is not None

    def open(self) -> dict[str, Any]:
        """Declare selection over and return the loaders by name; later calls return the same."""
        if self._loaders is None:
            self._loaders = {name: make() for name, make in self._makers.items()}
        return self._loaders

    def _opened(self) -> dict[str, Any]:
        """Return the loaders.

        Raises:
            SealedError: the tests are not open yet.
        """
        if self._loaders is None:
            raise SealedError(
                f"the test sets {self.names} are sealed until training and selection are over"
            )
        return self._loaders

    def __getitem__(self, name: str) -> Any:
        return self._opened()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._opened())

    def __len__(self) -> int:
        return len(self._opened())


def make_loaders(config: Any, whole: Dataset, parts: Parts) -> tuple[Any, Any, SealedTests]:
    """Make RecBole's loaders for training and validation, and sealed ones for the tests.

    Args:
        config: the run's options.
        whole: the dataset that was cut; RecBole's samplers for repeated items ask for it.
        parts: its parts.

    Returns:
        Training loader, validation loader, tests.
    """
    # no test row may reach these two, not even as a count in popularity-weighted negatives
    nothing = parts.train.copy(parts.train.inter_feat[:0])
    built = [parts.train, parts.valid, nothing]
    train_sampler, valid_sampler, _ = create_samplers(config, whole, built)
    train = _train_loader(config, whole, parts.train, train_sampler)
    valid = get_dataloader(config, "valid")(config, parts.valid, valid_sampler, shuffle=False)

    def maker(test: Dataset) -> LoaderMaker:
        return lambda: _test_loader(config, whole, [parts.train, parts.valid, test])

    return train, valid, SealedTests({name: maker(test) for name, test in parts.tests.items()})


def _train_loader(config: Any, whole: Dataset, train: Dataset, sampler: Any) -> Any:
    """Make the training loader; models over a knowledge graph sample its triples as well."""
    loader = get_dataloader(config, "train")
    if config["MODEL_TYPE"] != ModelType.KNOWLEDGE:
        return loader(config, train, sampler, shuffle=config["shuffle"])
    negatives = config["train_neg_sample_args"]
    graph_sampler = KGSampler(whole, negatives["distribution"], negatives["alpha"])
    return loader(config, train, sampler, graph_sampler, shuffle=True)


def _test_loader(config: Any, whole: Dataset, built: list[Dataset]) -> Any:
    """Make a test's loader; its history is training and validation, never another test."""
    sampler = create_samplers(config, whole, built)[2]
    return get_dataloader(config, "test")(config, built[2], sampler, shuffle=False)


def set_eval_batch(config: Any, layer: str, model_class: type, n_items: int) -> None:
    """Let `eval_users_per_batch` decide how many users are ranked at once.

    RecBole divides `eval_batch_size` by the size of the catalogue, so that its default ranks one
    user at a time on 20,000 items. Left alone where the user set `eval_batch_size`, where a
    batch is not of users, and for models that score all items pair by pair, whose batch needs
    memory for every pair.

    Args:
        config: `eval_batch_size` is changed.
        layer: the layer that set `eval_batch_size`.
        model_class: RecBole model.
        n_items: catalogue, padding included.
    """
    users = config["eval_users_per_batch"]
    ranks_at_once = (
        getattr(model_class, "full_sort_predict", None) is not AbstractRecommender.full_sort_predict
    )
    if (
        users
        and layer.startswith(("RecBole", "properties/"))
        and ranks_at_once
        and config["MODEL_TYPE"] != ModelType.SEQUENTIAL
        and config["eval_type"] == EvaluatorType.RANKING
        and set(config["eval_args"]["mode"].values()) == {"full"}
    ):
        config["eval_batch_size"] = users * n_items
