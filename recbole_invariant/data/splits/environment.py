"""The shift of PaInvRL 4.2.2: two inferred environments, trained on one and tested on the other.

The identification of `environment.inferred` with two environments cuts all interactions; the
larger is the pool for training, the smaller the shifted test. Since PaInvRL finds its
environments by the same procedure, the split favours it; and identification from scratch may
only memorise its random start, in which case this is no shift at all. Hence the control: the
protocol `random` with the same sizes.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from recbole_invariant.data.interaction_graph import InteractionGraph
from recbole_invariant.data.sampling import ShuffledBatches, UniformNegatives
from recbole_invariant.data.splits.base import Interactions, Split
from recbole_invariant.data.splits.ratio import split_users_by_ratio
from recbole_invariant.environment.inferred import (
    EnvironmentIdentifier,
    IdentificationOptions,
    identify,
)
from recbole_invariant.environment.models import EnvironmentModels, FrozenTables
from recbole_invariant.errors import InputError
from recbole_invariant.objective.ranking import RankingWeights
from recbole_invariant.seeding import numpy_generator, torch_generator

OPTIONS = (
    "environment_epochs",
    "environment_rounds",
    "environment_frozen",
    "environment_batch_size",
)
N_NEIGHBOURS = 10
N_NEGATIVES = 50
INITIAL_MASK = 0.5
KEPT = 4

_found: dict[str, tuple[np.ndarray, list[int]]] = {}
"""The last few results: a run and its baselines ask for the same one, and it takes a minute."""


def split(
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None = None,
) -> Split:
    """Infer two environments; the smaller becomes `ood_environment`.

    Options read: `environment_epochs` (a round), `environment_rounds` (at most),
    `environment_frozen` (learn projections only, on pretrained embeddings),
    `environment_batch_size`, `pool_ratio`. The other settings are the paper's defaults.

    Returns:
        train, valid, iid (from the larger environment, by `pool_ratio` for each user) and
        `ood_environment`; the notes hold both sizes, the rounds and the divergence of their item
        popularities.

    Raises:
        InputError: the frozen variant is asked for and the dataset has no item features.
    """
    if options["environment_frozen"] and features is None:
        raise InputError(
            "environment_frozen: true learns a projection of the item features, and this dataset "
            "has none; give some under 'modalities' or set environment_frozen: false."
        )
    key = _fingerprint(interactions, options, seed, features)
    if key not in _found:
        for old in list(_found)[: len(_found) + 1 - KEPT]:
            del _found[old]
        _found[key] = _labels(interactions, options, seed, features)
    labels, rounds = _found[key]
    smaller = labels == int(np.bincount(labels, minlength=2).argmin())
    train, valid, iid = split_users_by_ratio(
        interactions.users,
        np.flatnonzero(~smaller),
        options["pool_ratio"],
        numpy_generator(seed, "data"),
    )
    ood = np.flatnonzero(smaller)
    notes = {
        "larger": int((~smaller).sum()),
        "smaller": len(ood),
        "labels_changed": rounds,
        "popularity_divergence": popularity_divergence(
            interactions.items[smaller], interactions.items[~smaller]
        ),
    }
    return Split({"train": train, "valid": valid, "iid": iid, "ood_environment": ood}, notes)


def popularity_divergence(some: np.ndarray, others: np.ndarray) -> float:
    """Kullback-Leibler divergence, in nats, of one item distribution from another.

    Args:
        some: item ids `(n,)`.
        others: item ids `(m,)`; one is added to every count, so that it is finite.
    """
    size = int(max(some.max(initial=0), others.max(initial=0))) + 1
    counts = [np.bincount(items, minlength=size)[1:] + 1.0 for items in (some, others)]
    p, q = (count / count.sum() for count in counts)
    return float((p * np.log(p / q)).sum())


def _fingerprint(
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None,
) -> str:
    """Hash everything that the labels depend on."""
    hashed = hashlib.sha256(repr([seed, *(options[name] for name in OPTIONS)]).encode())
    arrays = [interactions.users, interactions.items]
    for array in arrays if features is None else [*arrays, features.numpy()]:
        hashed.update(np.ascontiguousarray(array).tobytes())
    return hashed.hexdigest()


def _labels(
    interactions: Interactions,
    options: Mapping[str, Any],
    seed: int,
    features: torch.Tensor | None,
) -> tuple[np.ndarray, list[int]]:
    """Infer the environment of every row; also say how many labels each round changed."""
    users, items = torch.from_numpy(interactions.users), torch.from_numpy(interactions.items)
    n_items = int(items.max()) + 1 if features is None else len(features)
    if features is None:
        features = torch.zeros(n_items, 0)
    shape = (int(users.max()) + 1, n_items)
    graph = InteractionGraph(interactions.users, interactions.items, shape, N_NEIGHBOURS)
    generator = torch_generator(seed, "environments")
    batches = ShuffledBatches(len(users), options["environment_batch_size"], generator)
    negatives = UniformNegatives(n_items, N_NEGATIVES, generator)

    def identifier(n_environments: int, tables: FrozenTables | None) -> EnvironmentIdentifier:
        return EnvironmentIdentifier(
            users,
            items,
            features,
            torch.full((features.shape[1],), INITIAL_MASK),
            graph,
            RankingWeights(),
            negatives,
            IdentificationOptions(n_environments),
            tables,
            generator,
        )

    tables = None
    if options["environment_frozen"]:
        single = identifier(1, None)
        identify(single, batches, options["environment_epochs"], rounds=1)
        tables = _tables(single.models)
    both = identifier(2, tables)
    reports = identify(both, batches, options["environment_epochs"], options["environment_rounds"])
    return both.labels.numpy(), [report.changed for report in reports]


def _tables(models: EnvironmentModels) -> FrozenTables:
    """Take the embeddings of a single environment's model: a pretrained UltraGCN."""
    return FrozenTables(models.user.detach(), models.user_content.detach(), models.item.detach())
