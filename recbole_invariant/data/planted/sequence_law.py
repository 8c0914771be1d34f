"""The law of planted sequences: what is clicked next, for a stable and for a spurious reason."""

from dataclasses import dataclass

import numpy as np

from recbole_invariant.data.planted.sequence_options import NONE, SequenceOptions
from recbole_invariant.seeding import numpy_generator

TESTS = ("iid", "ood_remove", "ood_flip")
"""Three next items after the same history, in the order of `PlantedSequences.targets`."""


@dataclass(frozen=True)
class SequenceWorld:
    """What moves the clicks.

    Attributes:
        groups: group of each item `(items,)` int64 from 0.
        attributes: attribute of each item `(items,)` int64 from 0.
        log_popularity: `(items,)`.
        next_group: group that follows each group `(groups,)`.
        interests: probability of each group for each user `(users, groups)`.
        environments: hidden environment of each user `(users,)` int64 from 0.
        banner_attributes: attribute of each banner `(banners,)` int64 from 0.
    """

    groups: np.ndarray
    attributes: np.ndarray
    log_popularity: np.ndarray
    next_group: np.ndarray
    interests: np.ndarray
    environments: np.ndarray
    banner_attributes: np.ndarray


@dataclass(frozen=True)
class PlantedSequences:
    """Drawn sequences.

    Attributes:
        options: their sizes and strengths.
        seed: what they were drawn with.
        world: what moved the clicks.
        history: items of each user in order, training and then one validation item,
            `(users, train + 1)` int64 from 0.
        targets: next items by the tests' laws `(users, 3)`, in the order of `TESTS`.
        banners: banner before each item of the history and before the target,
            `(users, train + 2)` int64 from 0; `(users, 0)` without banners.
    """

    options: SequenceOptions
    seed: int
    world: SequenceWorld
    history: np.ndarray
    targets: np.ndarray
    banners: np.ndarray

    @property
    def cue_strengths(self) -> np.ndarray:
        """Return b of each user's environment `(users,)`."""
        return np.asarray(self.options.cue_strengths)[self.world.environments]

    @property
    def training_strengths(self) -> np.ndarray:
        """Return b in each user's training and validation rows `(users,)`."""
        return self.cue_strengths * (self.options.training_cue != NONE)


def generate_sequences(options: SequenceOptions, seed: int) -> PlantedSequences:
    """Draw sequences.

    The group of the next item is the user's interest with probability `1 - markov` and follows
    from the last item's group else; within it

        P(i | group) ~ exp(log_popularity_i + b [attribute_i = cue])

    with the last item's attribute as the cue (with banners: the banner's right before), and b of
    the user's environment. The first item's group is the user's interest and its attribute, where
    there is no banner, uniform. The tests `iid`, `ood_remove` and `ood_flip` draw one more item
    each after the same history, with b, 0 and `flip_strength`.

    Every draw has uniform numbers of its own, made beforehand: what b changes is the item within
    the group and nothing else, between the three tests as between `training_cue` and its control.

    Args:
        options: sizes and strengths.
        seed: >= 0; the same seed gives the same arrays.
    """
    world = _draw_world(options, seed)
    steps = options.train + 1
    rng = numpy_generator(seed, "planted-sequences/steps")
    chances = rng.random((steps + 1, 2, options.users))
    first_cue = rng.integers(0, options.attributes, options.users)
    rng = numpy_generator(seed, "planted-sequences/banners")
    shown = rng.integers(0, options.banners or 1, (options.users, steps + 1))
    strengths = np.asarray(options.cue_strengths)[world.environments]
    acting = strengths * (options.training_cue != NONE)
    draw = _ItemDraw(options, world)
    cues = world.banner_attributes[shown] if options.banners else None
    history = np.empty((options.users, steps), dtype=np.int64)
    for k in range(steps):
        group = _next_groups(options, world, history[:, k - 1] if k else None, chances[k, 0])
        if cues is not None:
            history[:, k] = draw(group, cues[:, k], acting, chances[k, 1])
        elif k == 0:
            history[:, k] = draw.with_attribute(group, first_cue, chances[k, 1])
        else:
            cue = world.attributes[history[:, k - 1]]
            history[:, k] = draw(group, cue, acting, chances[k, 1])
    group = _next_groups(options, world, history[:, -1], chances[-1, 0])
    cue = world.attributes[history[:, -1]] if cues is None else cues[:, -1]
    laws = (strengths, np.zeros(options.users), np.full(options.users, options.flip_strength))
    targets = np.stack([draw(group, cue, b, chances[-1, 1]) for b in laws], axis=1)
    banners = shown if options.banners else shown[:, :0]
    return PlantedSequences(options, seed, world, history, targets, banners)


def _draw_world(options: SequenceOptions, seed: int) -> SequenceWorld:
    """Draw items and users."""
    rng = numpy_generator(seed, "planted-sequences/items")
    # cells of group x attribute in turn, so that they are of equal size; numbers say nothing
    cell = rng.permutation(options.items) % (options.groups * options.attributes)
    log_popularity = options.popularity_spread * rng.standard_normal(options.items)
    next_group = rng.permutation(options.groups)
    banner_attributes = rng.permutation(options.banners) % options.attributes
    rng = numpy_generator(seed, "planted-sequences/users")
    favourites = rng.random((options.users, options.groups)).argsort(axis=1)
    favourites = favourites[:, : options.favourites]
    spread = np.full(options.favourites, options.favourite_spread)
    weights = rng.dirichlet(spread, options.users)
    interests = np.full(
        (options.users, options.groups), (1 - options.favourite_share) / options.groups
    )
    rows = np.arange(options.users)[:, None]
    interests[rows, favourites] += options.favourite_share * weights
    edges = np.cumsum(options.shares)[:-1]
    environments = np.searchsorted(edges, rng.random(options.users), side="right")
    return SequenceWorld(
        groups=cell // options.attributes,
        attributes=cell % options.attributes,
        log_popularity=log_popularity,
        next_group=next_group,
        interests=interests,
        environments=environments,
        banner_attributes=banner_attributes,
    )


def _next_groups(
    options: SequenceOptions, world: SequenceWorld, last: np.ndarray | None, chance: np.ndarray
) -> np.ndarray:
    """Draw each user's next group `(users,)` after the last items, None at the beginning."""
    probability = world.interests
    if last is not None:
        probability = (1 - options.markov) * probability
        rows = np.arange(len(last))
        probability[rows, world.next_group[world.groups[last]]] += options.markov
    edges = probability.cumsum(axis=1)
    return (edges[:, :-1] <= (chance * edges[:, -1])[:, None]).sum(axis=1)


class _ItemDraw:
    """Draws items within groups by inverting their distribution function.

    Items are sorted by group and, in it, by attribute: a group is a run of the sorted items, and
    so is a group's cell of one attribute.
    """

    def __init__(self, options: SequenceOptions, world: SequenceWorld) -> None:
        self.n_attributes = options.attributes
        cell = world.groups * options.attributes + world.attributes
        self.order = np.argsort(cell, kind="stable")
        n_cells = options.groups * options.attributes
        self.cell_starts = np.searchsorted(cell[self.order], np.arange(n_cells + 1))
        # popularity within a cell as a distribution function from 0 to 1, shifted by the cell
        weight = np.exp(world.log_popularity)[self.order]
        sums = np.r_[0.0, weight.cumsum()]
        self.mass = np.diff(sums[self.cell_starts])
        owner = np.repeat(np.arange(n_cells), np.diff(self.cell_starts))
        within = (sums[1:] - sums[self.cell_starts[owner]]) / self.mass[owner]
        self.edges = owner + within

    def __call__(
        self, group: np.ndarray, cue: np.ndarray, strength: np.ndarray, chance: np.ndarray
    ) -> np.ndarray:
        """Draw an item of each group, those with the cue favoured by `exp(strength)`."""
        cells = group[:, None] * self.n_attributes + np.arange(self.n_attributes)
        match = np.arange(self.n_attributes) == cue[:, None]
        weight = self.mass[cells] * np.where(match, np.exp(strength)[:, None], 1.0)
        edges = weight.cumsum(axis=1)
        at = chance * edges[:, -1]
        attribute = (edges[:, :-1] <= at[:, None]).sum(axis=1)
        rows = np.arange(len(group))
        # what is left of the chance is uniform again within the attribute's share
        left = (at - edges[rows, attribute]) / weight[rows, attribute] + 1
        return self.with_attribute(group, attribute, left)

    def with_attribute(
        self, group: np.ndarray, attribute: np.ndarray, chance: np.ndarray
    ) -> np.ndarray:
        """Draw an item of each group and attribute by popularity."""
        cell = group * self.n_attributes + attribute
        found = np.searchsorted(self.edges, cell + chance, side="right")
        first, last = self.cell_starts[cell], self.cell_starts[cell + 1] - 1
        return np.asarray(self.order[np.clip(found, first, last)])
