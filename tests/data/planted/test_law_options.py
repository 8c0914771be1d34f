"""What the options of the law change: environments of users, several tastes; and nothing else."""

import hashlib

import numpy as np
import pytest
from scipy.stats import chisquare

from recbole_invariant.data.planted.law import generate
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.data.planted.world import PlantedData

DEFAULT_ROWS = "4787e8a4c79f57c4c77f2236f9f17702cfd4dea6d6dffcc10b3f8abeb111f89f"
NO_STYLE = {"users": 300, "items": 400, "style_strength": 0.0}


@pytest.fixture(scope="module")
def two_tastes() -> PlantedData:
    return generate(PlantedOptions(tastes=2, **NO_STYLE), seed=0)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def one_taste() -> PlantedData:
    return generate(PlantedOptions(**NO_STYLE), seed=0)  # type: ignore[arg-type]


def in_order(data: PlantedData, name: str, values: np.ndarray) -> np.ndarray:
    """Give a file's values `(n, ...)` one row a user: `(users, clicks, ...)`."""
    order = np.argsort(data.clicks[name].users, kind="stable")
    return values[order].reshape(data.options.users, -1, *values.shape[1:])


def spread(data: PlantedData, name: str = "train") -> float:
    """Compute the variance of the content of a user's clicks, summed over causes."""
    content = in_order(data, name, data.causes.content[data.clicks[name].items])
    return float(content.var(axis=1, ddof=1).sum(axis=1).mean())


def test_the_default_world_is_the_one_of_the_first_version() -> None:
    world = generate(PlantedOptions(users=40, items=50), 0)
    digest = hashlib.sha256()
    for rows in world.clicks.values():
        for values in (rows.users, rows.items, rows.environments):
            digest.update(values.astype("<i8").tobytes())
    assert digest.hexdigest() == DEFAULT_ROWS
    sums = [float(np.abs(values).sum(dtype=float)) for values in world.features.values()]
    assert sums == pytest.approx([1297.15661, 1294.53487, 1289.97838], abs=1e-3)


def test_a_user_has_one_environment_in_all_files() -> None:
    options = PlantedOptions(users=300, items=400, environment_level="user")
    world = generate(options, 0)
    tables = [in_order(world, name, rows.environments) for name, rows in world.clicks.items()]
    of_users = np.concatenate(tables, axis=1)
    assert (of_users == of_users[:, :1]).all()
    counts = np.bincount(of_users[:, 0], minlength=3)
    assert chisquare(counts, np.array(options.shares) * 300).pvalue > 1e-4
    reaction = world.causes.reaction[world.clicks["iid"].environments, world.clicks["iid"].users]
    style = world.causes.style[world.clicks["iid"].environments, world.clicks["iid"].items]
    assert (reaction * style).sum(axis=1).mean() > 0.5


def test_a_click_follows_one_taste_and_all_are_as_likely(two_tastes: PlantedData) -> None:
    causes, pairs = two_tastes.causes, []
    for rows in two_tastes.clicks.values():
        assert chisquare(np.bincount(rows.tastes, minlength=2)).pvalue > 1e-4
        content = causes.content[rows.items]
        followed = (causes.taste[rows.tastes, rows.users] * content).sum(axis=1)
        other = (causes.taste[1 - rows.tastes, rows.users] * content).sum(axis=1)
        assert followed.mean() > 1.2
        assert abs(other.mean()) < 0.25
        pairs += list(zip(rows.users.tolist(), rows.items.tolist(), strict=True))
    assert len(set(pairs[: 30 * 300])) == 30 * 300


def test_clicks_of_a_user_with_two_tastes_differ_more(
    one_taste: PlantedData, two_tastes: PlantedData
) -> None:
    between = spread(two_tastes) - spread(one_taste)
    taste, mean = two_tastes.causes.taste, 1.5
    apart = mean**2 * ((taste[0] - taste[1]) ** 2).sum(axis=1).mean() / 4
    assert between > 0.5 * apart
    assert spread(two_tastes, "ood_flip") == pytest.approx(spread(two_tastes), rel=0.15)


def test_more_tastes_leave_the_other_causes_alone(
    one_taste: PlantedData, two_tastes: PlantedData
) -> None:
    for name in ("content", "style", "reaction"):
        assert np.array_equal(getattr(one_taste.causes, name), getattr(two_tastes.causes, name))
    assert np.array_equal(one_taste.causes.taste[0], two_tastes.causes.taste[0])
    agreement = (two_tastes.causes.taste[0] * two_tastes.causes.taste[1]).sum(axis=1)
    assert abs(agreement.mean()) < 0.1
    assert np.linalg.norm(two_tastes.causes.taste, axis=2) == pytest.approx(1)
    for modality, values in one_taste.features.items():
        assert np.array_equal(values, two_tastes.features[modality])
    assert not any(rows.tastes.any() for rows in one_taste.clicks.values())
