"""Loaders of a run's parts, with tests sealed until selection is over.

Every test set has a sampler of its own, over training, validation and that test alone. One
sampler over all of them would take an earlier test's items for the user's history and leave them
out of the ranking of a later one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from recbole.data.dataset import Dataset
from recbole.data.utils import create_samplers, get_dataloader
from recbole.sampler import KGSampler
from recbole.utils import EvaluatorType, ModelType

from recbole_invariant.data.balanced_rows import balance_rows
from recbole_invariant.data.sequences import CutSequences
from recbole_invariant.data.splits.base import is_test
from recbole_invariant.data.splits.parts import Parts
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.loader import UserRankingLoader, rank_users
from recbole_invariant.evaluation.memory import users_in_memory

LoaderMaker = Callable[[], Any]
RANKED_BY_USER = (ModelType.GENERAL, ModelType.TRADITIONAL, ModelType.KNOWLEDGE, ModelType.CONTEXT)
"""Models to whom a ranking is a question about a user; RecBole's loaders for them agree."""


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

    def peek(self, name: str) -> Any:
        """Make the loader of one test set for the oracle selection, and for nothing else."""
        return self._makers[name]()

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


@dataclass(frozen=True)
class Loaders:
    """Loaders of a run's parts.

    Attributes:
        train: RecBole's training loader.
        valid: validation loader; None where nothing is validated (`refit_epochs`).
        tests: loaders of the test sets, sealed.
        ood_valid: loader of the shifted validation rows, or None.
    """

    train: Any
    valid: Any
    tests: SealedTests
    ood_valid: Any = None


def make_loaders(config: Any, whole: Dataset, parts: Parts) -> Loaders:
    """Make the loaders for training and validation, and sealed ones for the tests.

    Args:
        config: the run's options.
        whole: the dataset that was cut; RecBole's samplers for repeated items ask for it.
        parts: its parts.

    Raises:
        InputError: a sequential model under a protocol is to rank sampled items only, or
            `balanced_attribute` cannot serve.
    """
    if parts.sequences is not None:
        whole = parts.fitted
        _require_full_ranking(config)
    # no other row may reach training, not even as a count in popularity-weighted negatives
    nothing = parts.train.copy(parts.train.inter_feat[:0])
    built = [parts.fitted, nothing, nothing]
    train = _train_loader(config, whole, parts.fitted, _samplers(config, whole, built)[0])
    balance_rows(train, config)

    def maker(name: str, part: Dataset) -> LoaderMaker:
        return lambda: _evaluation_loader(config, whole, parts, name, part)

    tests = SealedTests({name: maker(name, test) for name, test in parts.tests.items()})
    selecting = {"valid": parts.valid, "ood_valid": parts.ood_valid}
    made = {name: maker(name, part)() for name, part in selecting.items() if part is not None}
    return Loaders(train, made.get("valid"), tests, made.get("ood_valid"))


def _require_full_ranking(config: Any) -> None:
    """Refuse sampled candidates where a user's history is made once for all of its test rows.

    Raises:
        InputError: the mode is not `full`.
    """
    if set(config["eval_args"]["mode"].values()) != {"full"}:
        raise InputError(
            f"eval_args: mode {config['eval_args']['mode']}: under a protocol sequential models "
            "rank all items; set mode: full."
        )


def _samplers(config: Any, whole: Dataset, built: list[Dataset]) -> Any:
    """Make RecBole's samplers.

    Raises:
        InputError: a user has every item, so that nothing is left to rank or to sample.
    """
    try:
        return create_samplers(config, whole, built)
    except ValueError as error:
        n_items = whole.item_num - 1
        raise InputError(
            f"dataset '{config['dataset']}': a user has interactions with all {n_items} items, and "
            "nothing is left to sample negatives from. Leave such users out, e.g. by "
            f"user_inter_num_interval: '[0,{n_items})', or take more items. RecBole says: {error}"
        ) from error


def _train_loader(config: Any, whole: Dataset, train: Dataset, sampler: Any) -> Any:
    """Make the training loader; models over a knowledge graph sample its triples as well."""
    loader = get_dataloader(config, "train")
    if config["MODEL_TYPE"] != ModelType.KNOWLEDGE:
        return loader(config, train, sampler, shuffle=config["shuffle"])
    negatives = config["train_neg_sample_args"]
    graph_sampler = KGSampler(whole, negatives["distribution"], negatives["alpha"])
    return loader(config, train, sampler, graph_sampler, shuffle=True)


def _evaluation_loader(config: Any, whole: Dataset, parts: Parts, name: str, part: Dataset) -> Any:
    """Make a part's loader; what is left out of a test's ranking is training and validation.

    Under validation it is training alone, and never another test; with `rank_seen`, nothing.
    """
    phase = "test" if is_test(name) else "valid"
    seen = [] if config["rank_seen"] else _seen(parts, phase)
    if parts.sequences is not None:
        return _sequence_loader(config, parts, name, part, seen)
    if config["eval_args"]["mode"][phase] == "full" and config["MODEL_TYPE"] in RANKED_BY_USER:
        return rank_users(config, part, seen)
    nothing = parts.train.copy(parts.train.inter_feat[:0])
    valid = nothing if parts.valid is None else parts.valid
    built = [parts.train, part, nothing] if phase == "valid" else [parts.train, valid, part]
    _require_answerable(config, part, phase)
    sampler = _samplers(config, whole, built)[1 if phase == "valid" else 2]
    return get_dataloader(config, phase)(config, part, sampler, shuffle=False)


def _require_answerable(config: Any, part: Dataset, phase: str) -> None:
    """Refuse what RecBole's own loaders cannot ask.

    Raises:
        InputError: values are to be measured on rows without labels, or seen items to be ranked
            among sampled ones.
    """
    mode = config["eval_args"]["mode"][phase]
    if mode == "labeled" and config["LABEL_FIELD"] not in part.inter_feat:
        raise InputError(
            f"eval_args: mode labeled: the rows of '{config['dataset']}' have no column "
            f"'{config['LABEL_FIELD']}' to measure {config['model']} on. Let it rank items: "
            "metrics: [Recall, NDCG], valid_metric: NDCG@10, eval_args: {mode: full}, "
            "train_neg_sample_args: {distribution: uniform, sample_num: 1, alpha: 1.0, dynamic: "
            "false, candidate_num: 0}."
        )
    # RecBole's full rankings of sequential models, the only ones that come here, hold seen items
    if config["rank_seen"] and mode != "full" and config["eval_type"] == EvaluatorType.RANKING:
        raise InputError(
            "rank_seen: only a ranking of all items can hold a user's seen items; set "
            "eval_args: {mode: full}, or rank_seen: false."
        )


def _seen(parts: Parts, phase: str) -> list[Dataset]:
    """Return what is left out of the rankings of a phase, `valid` or `test`."""
    if phase == "valid":
        return [parts.train]
    return [part for part in (parts.train, parts.valid, parts.ood_valid) if part is not None]


def _sequence_loader(
    config: Any, parts: Parts, name: str, part: Dataset, seen: Sequence[Dataset]
) -> UserRankingLoader:
    """Ask a sequential model for one ranking a user, the question that other models answer."""
    rows, users = cast(CutSequences, parts.sequences).questions(name)
    row_of = np.full(part.user_num, -1, dtype=np.int64)
    row_of[users] = np.arange(len(users))

    def pairs(datasets: Sequence[Dataset]) -> tuple[np.ndarray, np.ndarray]:
        nothing = np.empty(0, np.int64)
        at = [row_of[np.asarray(d.inter_feat[d.uid_field])] for d in datasets]
        items = [np.asarray(d.inter_feat[d.iid_field]) for d in datasets]
        rows, found = np.concatenate([nothing, *at]), np.concatenate([nothing, *items])
        return rows[rows >= 0], found[rows >= 0]

    return UserRankingLoader(config, parts.fitted, rows, pairs(seen), pairs([part]))


def set_eval_batch(config: Any, layer: str, n_items: int) -> None:
    """Let `eval_users_per_batch` and `eval_memory_mb` decide how many users are ranked at once.

    RecBole divides `eval_batch_size` by the size of the catalogue, so that its default ranks one
    user at a time on 20,000 items; for sequential models it is the number of users itself. Left
    alone where the user set `eval_batch_size` and where a batch is not of users.

    Args:
        config: `eval_batch_size` is changed.
        layer: the layer that set `eval_batch_size`.
        n_items: catalogue, padding included.
    """
    users = config["eval_users_per_batch"]
    if (
        users
        and layer.startswith(("RecBole", "properties/"))
        and config["eval_type"] == EvaluatorType.RANKING
        and set(config["eval_args"]["mode"].values()) == {"full"}
    ):
        users = min(users, users_in_memory(config["eval_memory_mb"], n_items) or users)
        sequential = config["MODEL_TYPE"] == ModelType.SEQUENTIAL
        config["eval_batch_size"] = users if sequential else users * n_items
