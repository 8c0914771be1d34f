"""The sizes and strengths of a planted world."""

from dataclasses import dataclass, fields
from itertools import pairwise

from recbole_invariant.errors import InputError, suggest

STYLE_SIGNS = {"train": 1.0, "valid": 1.0, "iid": 1.0, "ood_flip": -1.0, "ood_remove": 0.0}
"""File -> how style acts on its clicks: as in training, turned round, or not at all."""

CLICK, USER = "click", "user"
"""Values of `environment_level`: what a hidden environment belongs to."""


def share_problems(shares: tuple[float, ...]) -> list[str]:
    """Say what is wrong with the shares of hidden environments; nothing where they are shares."""
    if shares and min(shares) > 0 and abs(sum(shares) - 1) < 1e-9:
        return []
    return [f"shares: expected numbers > 0 that sum to 1, not {list(shares)}."]


@dataclass(frozen=True)
class PlantedOptions:
    """Every number of the law; the defaults are the reference world.

    Attributes:
        users: number of users.
        items: number of items.
        shares: probability of each hidden environment; they sum to 1.
        environment_level: `click`, every click has an environment of its own; or `user`, a user
            has one for all clicks, those of the tests too.
        tastes: independent tastes of a user; each click follows one of them, all equally likely.
        content_dim: causes that act in every environment.
        style_dim: causes that act in one environment only, for each environment.
        modalities: names of the feature matrices.
        invariant_dims: dimensions a modality that are made of content.
        spurious_dims: dimensions a modality that are made of style.
        noise_dims: dimensions a modality that are made of nothing.
        feature_noise: standard deviation of what is added to the former two.
        content_strength: factor of <taste, content> in the utility.
        style_strength: factor of <reaction, style> in the utility.
        style_spread: how far users' reactions to the style of an environment differ; 0: not.
        train: rows a user in the training file.
        valid: rows a user in the validation file.
        iid: rows a user in the test file of the same law.
        ood: rows a user in each of the two shifted test files.
    """

    users: int = 800
    items: int = 800
    shares: tuple[float, ...] = (0.5, 0.3, 0.2)
    environment_level: str = CLICK
    tastes: int = 1
    content_dim: int = 8
    style_dim: int = 3
    modalities: tuple[str, ...] = ("visual", "acoustic", "textual")
    invariant_dims: int = 10
    spurious_dims: int = 10
    noise_dims: int = 12
    feature_noise: float = 0.5
    content_strength: float = 4.0
    style_strength: float = 1.5
    style_spread: float = 1.0
    train: int = 20
    valid: int = 4
    iid: int = 6
    ood: int = 6

    @property
    def n_environments(self) -> int:
        """Number of hidden environments."""
        return len(self.shares)

    @property
    def dims(self) -> int:
        """Dimensions of a modality."""
        return self.invariant_dims + self.spurious_dims + self.noise_dims

    @property
    def past(self) -> int:
        """Rows a user that follow the law of training."""
        return self.train + self.valid + self.iid

    def __post_init__(self) -> None:
        problems = [*self._size_problems(), *share_problems(self.shares), *self._level_problems()]
        if problems:
            raise InputError(problems)

    def _size_problems(self) -> list[str]:
        whole = [f.name for f in fields(self) if f.type is int]
        low = {"invariant_dims": 0, "spurious_dims": 0, "noise_dims": 0}
        problems = [
            f"{name}: must be a whole number >= {low.get(name, 1)}; it is {getattr(self, name)}."
            for name in whole
            if getattr(self, name) < low.get(name, 1)
        ]
        problems += [
            f"{f.name}: must be a number >= 0; it is {getattr(self, f.name)}."
            for f in fields(self)
            if f.type is float and not 0 <= getattr(self, f.name) < float("inf")
        ]
        if self.dims < 1:
            problems.append("invariant_dims, spurious_dims, noise_dims: a modality needs one.")
        if not self.modalities or len(set(self.modalities)) < len(self.modalities):
            problems.append(f"modalities: expected different names, not {list(self.modalities)}.")
        needed = self.past + self.ood
        if self.items < needed:
            problems.append(
                f"items: a user clicks {needed} different items (train + valid + iid + ood), and "
                f"there are {self.items}; take more items or fewer rows a user."
            )
        return problems

    def _level_problems(self) -> list[str]:
        levels = (CLICK, USER)
        if self.environment_level in levels:
            return []
        return [
            f"environment_level: expected {' or '.join(levels)}, not '{self.environment_level}'."
            f"{suggest(self.environment_level, levels)}"
        ]

    def file_edges(self) -> list[tuple[str, int, int]]:
        """Return each in-distribution file with where its rows begin and end in a user's rows."""
        edges = [0, self.train, self.train + self.valid, self.past]
        return [
            (name, *edge)
            for name, edge in zip(("train", "valid", "iid"), pairwise(edges), strict=True)
        ]
