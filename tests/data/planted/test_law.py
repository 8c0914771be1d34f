"""The law of the planted world, by statistics that a wrong law would not pass."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import chisquare

from recbole_invariant.data.planted import clicks as clicks_module
from recbole_invariant.data.planted.clicks import draw_without_replacement
from recbole_invariant.data.planted.law import generate
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.data.planted.world import PlantedData
from recbole_invariant.errors import InputError

OPTIONS = PlantedOptions(users=300, items=400)
PAST = ("train", "valid", "iid")


@pytest.fixture(scope="module")
def world() -> PlantedData:
    return generate(OPTIONS, seed=3)


def explained(causes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Share of each column's variance that a linear fit on the causes explains."""
    fitted = causes @ np.linalg.lstsq(causes, values, rcond=None)[0]
    return 1 - (values - fitted).var(axis=0) / values.var(axis=0)


def test_tastes_and_reactions_have_length_1(world: PlantedData) -> None:
    assert np.linalg.norm(world.causes.taste, axis=2) == pytest.approx(1)
    assert np.linalg.norm(world.causes.reaction, axis=2) == pytest.approx(1)


def test_users_react_alike_but_not_the_same_within_an_environment(world: PlantedData) -> None:
    for reaction in world.causes.reaction:
        agreement = np.linalg.norm(reaction.mean(axis=0))
        assert 0.5 < agreement < 0.9
    same = generate(PlantedOptions(users=60, items=60, style_spread=0.0), 0).causes.reaction
    assert same == pytest.approx(np.broadcast_to(same[:, :1], same.shape))


def test_each_kind_of_dimension_is_made_of_its_causes(world: PlantedData) -> None:
    content, style = world.causes.content, np.concatenate(list(world.causes.style), axis=1)
    orders = []
    for modality, values in world.features.items():
        kinds = world.kinds[modality]
        orders.append(tuple(kinds))
        assert values.mean(axis=0) == pytest.approx(0, abs=1e-6)
        assert values.std(axis=0) == pytest.approx(1, abs=1e-5)
        counts = {kind: int((kinds == kind).sum()) for kind in set(kinds)}
        assert counts == {"invariant": 10, "spurious": 10, "noise": 12}
        by_content, by_style = explained(content, values), explained(style, values)
        # variance 1 of the causes, .25 of the noise: 80 % explained
        assert by_content[kinds == "invariant"] == pytest.approx(0.8, abs=0.12)
        assert by_style[kinds == "spurious"] == pytest.approx(0.8, abs=0.12)
        assert by_content[kinds != "invariant"].max() < 0.12
        assert by_style[kinds != "spurious"].max() < 0.12
    assert len(set(orders)) == 3


def test_interactions_have_the_shares_of_their_environments(world: PlantedData) -> None:
    for rows in world.clicks.values():
        counts = np.bincount(rows.environments, minlength=3)
        assert chisquare(counts, np.array(OPTIONS.shares) * counts.sum()).pvalue > 1e-4


def test_every_user_has_the_rows_asked_for(world: PlantedData) -> None:
    wanted = {"train": 20, "valid": 4, "iid": 6, "ood_flip": 6, "ood_remove": 6}
    assert list(world.clicks) == list(wanted)
    for name, rows in world.clicks.items():
        assert (np.bincount(rows.users, minlength=300) == wanted[name]).all()


def test_no_pair_is_in_two_files_but_for_the_two_futures(world: PlantedData) -> None:
    pairs = {
        name: set(zip(rows.users.tolist(), rows.items.tolist(), strict=True))
        for name, rows in world.clicks.items()
    }
    assert all(len(pairs[name]) == len(rows.users) for name, rows in world.clicks.items())
    past = set().union(*(pairs[name] for name in PAST))
    assert len(past) == 30 * 300
    assert not past & (pairs["ood_flip"] | pairs["ood_remove"])


def test_style_helps_in_training_and_hurts_after_the_flip(world: PlantedData) -> None:
    causes, means = world.causes, {}
    for name, rows in world.clicks.items():
        reaction = causes.reaction[rows.environments, rows.users]
        style = (reaction * causes.style[rows.environments, rows.items]).sum(axis=1)
        content = (causes.taste[0, rows.users] * causes.content[rows.items]).sum(axis=1)
        means[name] = style.mean()
        assert content.mean() > 1.2
        if name in PAST:
            elsewhere = (rows.environments + 1) % 3
            foreign = causes.reaction[elsewhere, rows.users] * causes.style[elsewhere, rows.items]
            assert abs(foreign.sum(axis=1).mean()) < 0.25 * style.mean()
    assert means["iid"] == pytest.approx(means["train"], abs=0.1)
    assert means["valid"] == pytest.approx(means["train"], abs=0.1)
    assert means["train"] > 0.7
    assert means["ood_flip"] < -0.7
    assert abs(means["ood_remove"]) < 0.4


def test_draws_follow_the_softmax_of_what_is_left() -> None:
    """Three clicks in environments 0, 1, 0 among four free items: all 24 probabilities."""
    utility = np.array([[0.5, -1.0, 1.5, 0.0, 9.0], [-0.5, 1.0, 0.3, 0.0, 9.0]])
    n, order = 60_000, (0, 1, 0)
    taken = np.zeros((n, 5), dtype=bool)
    taken[:, 4] = True
    drawn = draw_without_replacement(
        np.broadcast_to(utility, (n, 2, 5)),
        np.broadcast_to(order, (n, 3)),
        taken,
        np.random.default_rng(0),
    )
    observed, expected = [], []
    for items in permutations(range(4), 3):
        probability, left = 1.0, [0, 1, 2, 3]
        for environment, item in zip(order, items, strict=True):
            weights = np.exp(utility[environment, left])
            probability *= weights[left.index(item)] / weights.sum()
            left.remove(item)
        expected.append(n * probability)
        observed.append(int((drawn == items).all(axis=1).sum()))
    assert sum(observed) == n
    assert chisquare(observed, expected).pvalue > 1e-4


def same(one: PlantedData, other: PlantedData) -> bool:
    return all(
        np.array_equal(one.clicks[name].items, other.clicks[name].items)
        and np.array_equal(one.clicks[name].environments, other.clicks[name].environments)
        for name in one.clicks
    ) and all(np.array_equal(one.features[m], other.features[m]) for m in one.features)


def test_a_seed_gives_one_world_whatever_is_held_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = PlantedOptions(users=50, items=60)
    whole, other = generate(options, 1), generate(options, 2)
    monkeypatch.setattr(clicks_module, "CELLS_AT_A_TIME", 7 * 3 * 60)
    assert same(generate(options, 1), whole)
    assert not same(other, whole)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"items": 30}, "a user clicks 36 different items"),
        ({"users": 0}, "users: must be a whole number >= 1"),
        ({"shares": (0.5, 0.2)}, "shares: expected numbers > 0 that sum to 1"),
        ({"tastes": 0}, "tastes: must be a whole number >= 1"),
        (
            {"environment_level": "users"},
            "expected click or user, not 'users'. Did you mean 'user'",
        ),
        ({"style_strength": float("nan")}, "style_strength: must be a number >= 0"),
        ({"modalities": ("a", "a")}, "modalities: expected different names"),
        ({"invariant_dims": 0, "spurious_dims": 0, "noise_dims": 0}, "a modality needs one"),
    ],
)
def test_impossible_worlds_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PlantedOptions(**values)  # type: ignore[arg-type]
