"""Who clicks what: items drawn from each user's utility, in a hidden environment."""

from collections.abc import Iterator

import numpy as np

from recbole_invariant.data.planted.options import STYLE_SIGNS, PlantedOptions
from recbole_invariant.data.planted.world import Causes, Clicks
from recbole_invariant.seeding import numpy_generator

PAST = "past"
DRAWS = (PAST, "ood_flip", "ood_remove")
"""What is drawn for each user, in this order: the past is dealt out to three files."""

CELLS_AT_A_TIME = 4_000_000
"""Utilities held in memory at a time: users x environments x items."""


def draw_clicks(options: PlantedOptions, causes: Causes, seed: int) -> dict[str, Clicks]:
    """Draw all files' rows, a block of users at a time."""
    rng = {name: numpy_generator(seed, f"planted/{name}") for name in ("files", *DRAWS)}
    n_clicks = {draw: options.ood if draw in STYLE_SIGNS else options.past for draw in DRAWS}
    labels = {draw: _labels(options, n, rng[draw]) for draw, n in n_clicks.items()}
    items = {draw: np.empty((options.users, n), dtype=np.int64) for draw, n in n_clicks.items()}
    for users in _blocks(options):
        content, style = _utilities(options, causes, users)
        taken = np.zeros((len(users), options.items), dtype=bool)
        for draw in DRAWS:
            utility = content + STYLE_SIGNS.get(draw, 1.0) * style
            drawn = draw_without_replacement(utility, labels[draw][users], taken, rng[draw])
            items[draw][users] = drawn
            if draw == PAST:
                np.put_along_axis(taken, drawn, True, axis=1)
    past = _put_into_files(options, items.pop(PAST), labels.pop(PAST), rng["files"])
    rows = past | {name: (items[name], labels[name]) for name in items}
    return {name: _rows(its, of, rng["files"]) for name, (its, of) in rows.items()}


def _put_into_files(
    options: PlantedOptions, items: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Deal each user's in-distribution clicks out at random; the first drawn are liked most."""
    order = np.argsort(rng.random(items.shape), axis=1)
    items, labels = (np.take_along_axis(values, order, axis=1) for values in (items, labels))
    return {name: (items[:, a:b], labels[:, a:b]) for name, a, b in options.file_edges()}


def _rows(items: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Clicks:
    """Make rows in random order of clicks `(users, n)`."""
    order = rng.permutation(items.size)
    users = np.repeat(np.arange(len(items)), items.shape[1])
    return Clicks(users[order], items.reshape(-1)[order], labels.reshape(-1)[order])


def _blocks(options: PlantedOptions) -> Iterator[np.ndarray]:
    size = max(1, CELLS_AT_A_TIME // (options.n_environments * options.items))
    for start in range(0, options.users, size):
        yield np.arange(start, min(start + size, options.users))


def _labels(options: PlantedOptions, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the environment of each of n clicks a user, `(users, n)` int64."""
    edges = np.cumsum(options.shares)[:-1]
    return np.searchsorted(edges, rng.random((options.users, n)), side="right")


def _utilities(
    options: PlantedOptions, causes: Causes, users: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return both terms of the utility: `(users, 1, items)` and `(users, environments, items)`."""
    content = options.content_strength * causes.taste[users] @ causes.content.T
    style = np.einsum("eud,eid->uei", causes.reaction[:, users], causes.style)
    return content[:, None], options.style_strength * style


def draw_without_replacement(
    utility: np.ndarray, environments: np.ndarray, taken: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw items one after the other, each from the softmax over those not drawn yet.

    Gumbel noise is drawn once a user and environment: the largest sum that is left is then a draw
    from the softmax of what is left (Gumbel top-n), also where environments take turns.

    Args:
        utility: `(users, environments, items)`.
        environments: of each click `(users, n)`.
        taken: items that cannot be drawn `(users, items)` bool.
        rng: source of the noise.

    Returns:
        Items `(users, n)` int64, different ones for each user.
    """
    noisy = utility + rng.gumbel(size=utility.shape)
    noisy[np.broadcast_to(taken[:, None], noisy.shape)] = -np.inf
    rows = np.arange(len(noisy))
    items = np.empty(environments.shape, dtype=np.int64)
    for k in range(environments.shape[1]):
        items[:, k] = noisy[rows, environments[:, k]].argmax(axis=1)
        noisy[rows, :, items[:, k]] = -np.inf
    return items
