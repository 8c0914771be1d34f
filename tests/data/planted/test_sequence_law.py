"""The law of planted sequences, by statistics that a wrong law would not pass."""

import time
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import chisquare

from recbole_invariant.data.planted.sequence_law import (
    TESTS,
    PlantedSequences,
    SequenceWorld,
    _ItemDraw,
    generate_sequences,
)
from recbole_invariant.data.planted.sequence_options import PRESETS, SequenceOptions, preset
from recbole_invariant.errors import InputError

USERS = 20_000
PLAUSIBLE = 1e-4
"""Least p-value; the seeds are fixed, so that a right law passes always."""


@cache
def drawn(name: str = "M", seed: int = 0, cue: str = "environments") -> PlantedSequences:
    return generate_sequences(preset(name, users=USERS, training_cue=cue), seed)


def cues(data: PlantedSequences) -> np.ndarray:
    """Cue before each item of the history and before the target; -1 before the first item."""
    if data.options.banners:
        return data.world.banner_attributes[data.banners]
    shown = data.world.attributes[data.history]
    return np.concatenate([np.full((len(shown), 1), -1), shown], axis=1)


def match_chance(data: PlantedSequences, groups: np.ndarray, cue: np.ndarray, b: np.ndarray):
    """P(the item repeats the cue | its group), by adding up the items one by one."""
    world = data.world
    weight = np.exp(world.log_popularity)
    mass = np.zeros((data.options.groups, data.options.attributes))
    for item, (group, attribute) in enumerate(zip(world.groups, world.attributes, strict=True)):
        mass[group, attribute] += weight[item]
    favoured = mass[groups, cue] * np.exp(b)
    return favoured / (favoured + mass[groups].sum(axis=1) - mass[groups, cue])


def test_items_are_crossed_evenly_and_users_have_two_favourites() -> None:
    world, options = drawn().world, drawn().options
    cells = np.zeros((options.groups, options.attributes), dtype=int)
    np.add.at(cells, (world.groups, world.attributes), 1)
    assert (cells == 10).all()
    assert sorted(world.next_group) == list(range(10))
    assert world.log_popularity.std() == pytest.approx(0.7, abs=0.1)
    assert world.interests.sum(axis=1) == pytest.approx(1)
    ordered = np.sort(world.interests, axis=1)
    assert ordered[:, :8] == pytest.approx(0.005)
    # Dirichlet(2, 2) has variance .05 on each share
    shares = (ordered[:, 8:] - 0.005) / 0.95
    assert shares.sum(axis=1) == pytest.approx(1)
    assert ((shares[:, 0] - 0.5) ** 2).mean() == pytest.approx(0.05, rel=0.05)
    assert np.bincount(world.interests.argmax(axis=1)).min() > USERS / 13


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_environments_have_their_shares(name: str) -> None:
    options = preset(name, users=USERS)
    found = np.bincount(drawn(name).world.environments, minlength=3)
    assert chisquare(found, np.array(options.shares) * USERS).pvalue > PLAUSIBLE


@pytest.mark.parametrize(
    ("name", "strengths"),
    [("M", (2, 0.5, -1)), ("S", (2, 1, -0.5)), ("W", (1.5, 0.5, -1)), ("Q", (2, 0.5, -1))],
)
def test_the_cue_is_repeated_as_often_as_its_strength_says(
    name: str, strengths: tuple[float, ...]
) -> None:
    data = drawn(name)
    world, cue = data.world, cues(data)
    for environment, strength in enumerate(strengths):
        of_it = world.environments == environment
        for k in (1, 5, 10):
            items = data.history[of_it, k]
            expected = match_chance(data, world.groups[items], cue[of_it, k], np.array(strength))
            matches = world.attributes[items] == cue[of_it, k]
            deviation = np.sqrt((expected * (1 - expected)).sum()) / len(items)
            assert matches.mean() == pytest.approx(expected.mean(), abs=4 * deviation)
        # with equal popularity: e^b / (e^b + 2)
        assert matches.mean() == pytest.approx(np.exp(strength) / (np.exp(strength) + 2), abs=0.04)
    for test, by_environment in enumerate((strengths, (0, 0, 0), (-2, -2, -2))):
        items = data.targets[:, test]
        b = np.array(by_environment)[world.environments]
        expected = match_chance(data, world.groups[items], cue[:, -1], b)
        matches = world.attributes[items] == cue[:, -1]
        assert matches.mean() == pytest.approx(expected.mean(), abs=4 * 0.5 / np.sqrt(USERS))


def test_banners_cut_the_tie_between_neighbouring_items() -> None:
    data = drawn("Q")
    last, next_ = (data.world.attributes[data.history[:, k]] for k in (4, 5))
    assert (last == next_).mean() == pytest.approx(1 / 3, abs=0.02)
    assert np.bincount(data.world.banner_attributes).tolist() == [10, 10, 10]
    assert chisquare(np.bincount(data.banners.reshape(-1), minlength=30)).pvalue > PLAUSIBLE


@pytest.mark.parametrize("name", ["M", "Q"])
def test_the_next_group_is_interest_or_follows_the_last(name: str) -> None:
    """Observed transitions against the law's, group by group."""
    data = drawn(name)
    world = data.world
    groups = world.groups[data.history]
    rows = np.arange(USERS)
    observed, expected, variance = (np.zeros((10, 10)) for _ in range(3))
    for k in range(1, groups.shape[1]):
        chance = 0.8 * world.interests
        chance[rows, world.next_group[groups[:, k - 1]]] += 0.2
        np.add.at(observed, (groups[:, k - 1], groups[:, k]), 1)
        np.add.at(expected, groups[:, k - 1], chance)
        np.add.at(variance, groups[:, k - 1], chance * (1 - chance))
    z = (observed - expected) / np.sqrt(variance)
    assert np.abs(z).max() < 4.5
    assert z.std() == pytest.approx(1, abs=0.25)
    first = np.bincount(groups[:, 0], minlength=10)
    assert np.abs(first - world.interests.sum(axis=0)).max() < 4 * np.sqrt(USERS / 10)
    # far from what the next group would be without the last one
    follows = (groups[:, 1:] == world.next_group[groups[:, :-1]]).mean()
    assert follows > 0.25


def test_first_items_have_any_attribute() -> None:
    first = drawn().world.attributes[drawn().history[:, 0]]
    assert chisquare(np.bincount(first)).pvalue > PLAUSIBLE


def test_an_item_is_drawn_by_popularity_and_cue() -> None:
    """All probabilities of one draw against the formula, item by item."""
    options = preset("M", users=1)
    world = drawn().world
    n, group, cue, b = 200_000, 3, 1, 0.7
    chance = np.random.default_rng(1).random(n)
    draw = _ItemDraw(options, world)
    found = draw(np.full(n, group), np.full(n, cue), np.full(n, b), chance)
    in_group = world.groups == group
    weight = np.exp(world.log_popularity + b * (world.attributes == cue)) * in_group
    counts = np.bincount(found, minlength=300)
    assert counts[~in_group].sum() == 0
    assert chisquare(counts[in_group], n * (weight / weight.sum())[in_group]).pvalue > PLAUSIBLE
    ends = draw(np.full(2, group), np.full(2, cue), np.full(2, b), np.array([0.0, 1 - 2**-53]))
    assert in_group[ends].all()


@pytest.mark.parametrize("name", ["M", "Q"])
def test_the_three_tests_differ_by_the_cue_alone(name: str) -> None:
    data = drawn(name)
    assert TESTS == ("iid", "ood_remove", "ood_flip")
    assert data.targets.shape == (USERS, 3)
    groups = data.world.groups[data.targets]
    assert (groups == groups[:, :1]).all()
    assert (data.targets[:, 0] != data.targets[:, 2]).mean() > 0.3


@pytest.mark.parametrize("name", ["M", "Q"])
def test_the_clean_control_differs_by_the_cue_alone(name: str) -> None:
    data, clean = drawn(name), drawn(name, cue="none")
    for field in SequenceWorld.__dataclass_fields__:
        assert np.array_equal(getattr(clean.world, field), getattr(data.world, field))
    assert np.array_equal(clean.banners, data.banners)
    groups, shown = data.world.groups, data.world.attributes
    assert np.array_equal(groups[clean.history], groups[data.history])
    assert np.array_equal(groups[clean.targets], groups[data.targets])
    assert not np.array_equal(clean.history, data.history)
    cue = cues(clean)
    repeated = shown[clean.history[:, 1:]] == cue[:, 1:-1]
    assert repeated.mean() == pytest.approx(1 / 3, abs=0.01)
    assert clean.training_strengths.tolist() == [0] * USERS
    # its tests follow the law of the environments all the same
    strong = clean.world.environments == 0
    matches = shown[clean.targets[strong]] == cue[strong, -1:]
    assert matches.mean(axis=0) == pytest.approx([0.787, 1 / 3, 0.063], abs=0.04)


def same(one: PlantedSequences, other: PlantedSequences) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("history", "targets", "banners")
    )


def test_a_seed_gives_one_draw_and_another_seed_others() -> None:
    options = preset("Q", users=50)
    one, again, other = (generate_sequences(options, seed) for seed in (1, 1, 2))
    assert same(one, again)
    for name in ("history", "targets", "banners"):
        assert not np.array_equal(getattr(one, name), getattr(other, name))
    assert not np.array_equal(one.world.groups, other.world.groups)
    assert not np.array_equal(one.world.environments, other.world.environments)


def test_it_is_fast() -> None:
    best = min(_seconds(preset("M")) for _ in range(3))
    assert best < 0.5


def _seconds(options: SequenceOptions) -> float:
    begun = time.process_time()
    generate_sequences(options, 0)
    return time.process_time() - begun


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"items": 20}, "every group needs an item of each attribute, 10 x 3"),
        ({"users": 0}, "users: must be a whole number >= 1"),
        ({"train": 1}, "train: must be a whole number >= 2"),
        ({"banners": 2}, "banners: one of each attribute is needed"),
        ({"favourites": 11}, "favourites: there are 10 groups"),
        ({"markov": 1.5}, r"markov: must be a number in \[0, 1\]"),
        ({"favourite_spread": 0.0}, "favourite_spread: must be > 0"),
        ({"popularity_spread": float("nan")}, "popularity_spread: must be >= 0"),
        ({"shares": (0.5, 0.2)}, "shares: expected numbers > 0 that sum to 1"),
        ({"shares": (0.5, 0.5)}, "cue_strengths: expected one for each of the 2 shares"),
        ({"flip_strength": float("nan")}, "flip_strength: expected numbers in"),
        ({"training_cue": "nune"}, "Did you mean 'none'"),
    ],
)
def test_impossible_sequences_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(PRESETS["M"], **values)  # type: ignore[arg-type]


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(InputError, match="expected one of M, S, W, Q, not 'X'"):
        preset("X")
