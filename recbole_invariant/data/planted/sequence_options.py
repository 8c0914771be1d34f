"""The sizes and strengths of planted sequences, and their presets."""

from dataclasses import dataclass, fields, replace
from typing import Any

from recbole_invariant.data.planted.options import share_problems
from recbole_invariant.errors import InputError, suggest

ENVIRONMENTS, NONE = "environments", "none"
"""Values of `training_cue`: the cue acts in training as each user's environment says, or not."""


@dataclass(frozen=True)
class SequenceOptions:
    """Every number of the law; the defaults are preset M.

    Attributes:
        users: number of users.
        items: number of items, without banners.
        groups: number of groups of items, the stable cause.
        attributes: number of values of the attribute, the cue; every group has items of each.
        shares: share of the users in each hidden environment; they sum to 1.
        cue_strengths: logit b that an item gains in each environment where it repeats the cue.
        flip_strength: b in the test `ood_flip`.
        training_cue: `environments`, or `none` for the clean control: b is 0 in the training and
            validation rows, all else is drawn alike.
        markov: probability that the next group follows from the last item's; else interest.
        favourites: groups that a user likes.
        favourite_spread: parameter of the Dirichlet distribution over these.
        favourite_share: of a user's interest; the rest is spread over all groups.
        popularity_spread: standard deviation of the items' log-popularity.
        train: items a user in the training file; validation and each test have one.
        banners: ids that show a cue and are never a target; 0 is none, the cue is the last item's.
    """

    users: int = 2000
    items: int = 300
    groups: int = 10
    attributes: int = 3
    shares: tuple[float, ...] = (0.5, 0.3, 0.2)
    cue_strengths: tuple[float, ...] = (2.0, 0.5, -1.0)
    flip_strength: float = -2.0
    training_cue: str = ENVIRONMENTS
    markov: float = 0.2
    favourites: int = 2
    favourite_spread: float = 2.0
    favourite_share: float = 0.95
    popularity_spread: float = 0.7
    train: int = 10
    banners: int = 0

    @property
    def longest_history(self) -> int:
        """Rows before a test's target."""
        rows = self.train + 1
        return 2 * rows + 1 if self.banners else rows

    def __post_init__(self) -> None:
        problems = [*self._size_problems(), *self._number_problems(), *self._list_problems()]
        if problems:
            raise InputError(problems)

    def _size_problems(self) -> list[str]:
        low = {"banners": 0, "train": 2, "attributes": 2}
        problems = [
            f"{f.name}: must be a whole number >= {low.get(f.name, 1)}; it is "
            f"{getattr(self, f.name)}."
            for f in fields(self)
            if f.type is int and getattr(self, f.name) < low.get(f.name, 1)
        ]
        if self.items < self.groups * self.attributes:
            problems.append(
                f"items: every group needs an item of each attribute, {self.groups} x "
                f"{self.attributes} at least; there are {self.items}."
            )
        if 0 < self.banners < self.attributes:
            problems.append(
                f"banners: one of each attribute is needed, {self.attributes}; or 0 for none."
            )
        if self.favourites > self.groups:
            problems.append(f"favourites: there are {self.groups} groups, not {self.favourites}.")
        return problems

    def _number_problems(self) -> list[str]:
        problems = [
            f"{name}: must be a number in [0, 1]; it is {getattr(self, name)}."
            for name in ("markov", "favourite_share")
            if not 0 <= getattr(self, name) <= 1
        ]
        if not 0 <= self.popularity_spread < float("inf"):
            problems.append(f"popularity_spread: must be >= 0; it is {self.popularity_spread}.")
        if not 0 < self.favourite_spread < float("inf"):
            problems.append(f"favourite_spread: must be > 0; it is {self.favourite_spread}.")
        strengths = {"cue_strengths": self.cue_strengths, "flip_strength": [self.flip_strength]}
        problems += [
            f"{name}: expected numbers in [-50, 50], not {value}."
            for name, values in strengths.items()
            for value in values
            if not -50 <= value <= 50
        ]
        return problems

    def _list_problems(self) -> list[str]:
        problems = share_problems(self.shares)
        if len(self.shares) != len(self.cue_strengths):
            problems.append(
                f"cue_strengths: expected one for each of the {len(self.shares)} shares, not "
                f"{list(self.cue_strengths)}."
            )
        if self.training_cue not in (ENVIRONMENTS, NONE):
            hint = suggest(self.training_cue, (ENVIRONMENTS, NONE))
            problems.append(
                f"training_cue: expected {ENVIRONMENTS} or {NONE}, not '{self.training_cue}'.{hint}"
            )
        return problems


PRESETS: dict[str, SequenceOptions] = {
    "M": SequenceOptions(),
    "S": SequenceOptions(cue_strengths=(2.0, 1.0, -0.5)),
    "W": SequenceOptions(cue_strengths=(1.5, 0.5, -1.0)),
    "Q": SequenceOptions(banners=30),
}
"""M: the default. S: a stronger cue. W: a weaker one. Q: the cue stands in a row of its own."""


def preset(name: str, **changes: Any) -> SequenceOptions:
    """Return a preset with some options changed.

    Raises:
        InputError: there is no such preset, or a value is impossible.
    """
    if name not in PRESETS:
        raise InputError(
            f"--preset: expected one of {', '.join(PRESETS)}, not '{name}'.{suggest(name, PRESETS)}"
        )
    return replace(PRESETS[name], **changes)
