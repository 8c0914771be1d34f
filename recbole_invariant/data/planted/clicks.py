"""Who clicks what: items drawn from a user's utility in a hidden environment, by a hidden taste."""

from collections.abc import Iterator

import numpy as np

from recbole_invariant.data.planted.options import STYLE_SIGNS, USER, PlantedOptions
from recbole_invariant.data.planted.world import Causes, Clicks
from recbole_invariant.seeding import numpy_generator

PAST = "past"
DRAWS = (PAST, "ood_flip", "ood_remove")
"""What is drawn for each user, in this order: the past is dealt out to three files."""

CELLS_AT_A_TIME = 4_000_000
"""Utilities held in memory at a time: users x states x items."""


def draw_clicks(options: PlantedOptions, causes: Causes, seed: int) -> dict[str, Clicks]:
    """Draw all files' rows, a block of users at a time.

    A click's state is its environment and its taste in one number, `environment * tastes + taste`.
    """
    rng = {name: numpy_generator(seed, f"planted/{name}") for name in ("files", *DRAWS)}
    n_clicks = {draw: options.ood if draw in STYLE_SIGNS else options.past for draw in DRAWS}
    states = _states(options, n_clicks, rng, seed)
    items = {draw: np.empty((options.users, n), dtype=np.int64) for draw, n in n_clicks.items()}
    for users in _blocks(options):
        content, style = _utilities(options, causes, users)
        taken = np.zeros((len(users), options.items), dtype=bool)
        for draw in DRAWS:
            utility = (content + STYLE_SIGNS.get(draw, 1.0) * style).reshape(
                len(users), -1, options.items
            )
            drawn = draw_without_replacement(utility, states[draw][users], taken, rng[draw])
            items[draw][users] = drawn
            if draw == PAST:
                np.put_along_axis(taken, drawn, True, axis=1)
    past = _put_into_files(options, items.pop(PAST), states.pop(PAST), rng["files"])
    rows = past | {name: (items[name], states[name]) for name in items}
    return {name: _rows(options, its, of, rng["files"]) for name, (its, of) in rows.items()}


def _states(
    options: PlantedOptions,
    n_clicks: dict[str, int],
    rng: dict[str, np.random.Generator],
    seed: int,
) -> dict[str, np.ndarray]:
    """Draw the state of each draw's n clicks a user, `(users, n)` int64."""
    if options.environment_level == USER:
        own = _environments(options, 1, numpy_generator(seed, "planted/user_environments"))
        environments = {draw: np.repeat(own, n, axis=1) for draw, n in n_clicks.items()}
    else:
        environments = {draw: _environments(options, n, rng[draw]) for draw, n in n_clicks.items()}
    # a stream of its own: items and environments are drawn as where users have one taste
    of_clicks = numpy_generator(seed, "planted/tastes_of_clicks")
    return {
        draw: labels * options.tastes + of_clicks.integers(options.tastes, size=labels.shape)
        for draw, labels in environments.items()
    }


def _put_into_files(
    options: PlantedOptions, items: np.ndarray, states: np.ndarray, rng: np.random.Generator
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Deal each user's in-distribution clicks out at random; the first drawn are liked most."""
    order = np.argsort(rng.random(items.shape), axis=1)
    items, states = (np.take_along_axis(values, order, axis=1) for values in (items, states))
    return {name: (items[:, a:b], states[:, a:b]) for name, a, b in options.file_edges()}


def _rows(
    options: PlantedOptions, items: np.ndarray, states: np.ndarray, rng: np.random.Generator
) -> Clicks:
    """Make rows in random order of clicks `(users, n)`."""
    order = rng.permutation(items.size)
    users = np.repeat(np.arange(len(items)), items.shape[1])
    environments, tastes = np.divmod(states.reshape(-1)[order], options.tastes)
    return Clicks(users[order], items.reshape(-1)[order], environments, tastes)


def _blocks(options: PlantedOptions) -> Iterator[np.ndarray]:
    size = max(1, CELLS_AT_A_TIME // (options.n_environments * options.tastes * options.items))
    for start in range(0, options.users, size):
        yield np.arange(start, min(start + size, options.users))


def _environments(options: PlantedOptions, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n environments a user, `(users, n)` int64."""
    edges = np.cumsum(options.shares)[:-1]
    return np.searchsorted(edges, rng.random((options.users, n)), side="right")


def _utilities(
    options: PlantedOptions, causes: Causes, users: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return both terms of the utility.

    Returns:
        Of content `(users, 1, tastes, items)` and of style `(users, environments, 1, items)`.
    """
    content = options.content_strength * causes.taste[:, users] @ causes.content.T
    style = np.einsum("eud,eid->uei", causes.reaction[:, users], causes.style)
    return content.swapaxes(0, 1)[:, None], options.style_strength * style[:, :, None]


def draw_without_replacement(
    utility: np.ndarray, states: np.ndarray, taken: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw items one after the other, each from the softmax over those not drawn yet.

    Gumbel noise is drawn once a user and state: the largest sum that is left is then a draw from
    the softmax of what is left (Gumbel top-n), also where states take turns.

    Args:
        utility: `(users, states, items)`; a state is an environment and a taste.
        states: of each click `(users, n)`.
        taken: items that cannot be drawn `(users, items)` bool.
        rng: source of the noise.

    Returns:
        Items `(users, n)` int64, different ones for each user.
    """
    noisy = utility + rng.gumbel(size=utility.shape)
    noisy[np.broadcast_to(taken[:, None], noisy.shape)] = -np.inf
    rows = np.arange(len(noisy))
    items = np.empty(states.shape, dtype=np.int64)
    for k in range(states.shape[1]):
        items[:, k] = noisy[rows, states[:, k]].argmax(axis=1)
        noisy[rows, :, items[:, k]] = -np.inf
    return items
