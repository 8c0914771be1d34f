"""What the next trial tries: at random, a grid, or Optuna's or HyperOpt's guess.

A proposer is deterministic given the order of its calls, so that a search goes on after it was
killed by calling again what was called before: no state of a library is read from a file.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from recbole_invariant.errors import InputError, suggest
from recbole_invariant.tuning.space import Space

SEARCHERS = ("random", "grid", "optuna", "hyperopt")


class Proposer(Protocol):
    """What proposes the options of trials; several may be open at once."""

    def propose(self, number: int) -> dict[str, Any] | None:
        """Return the active options of a trial, None where nothing is left to try."""
        ...

    def learn(self, number: int, values: Sequence[float] | None) -> None:
        """Take in how a trial ended.

        Args:
            number: a trial; what this proposer did not propose teaches it nothing.
            values: one an objective; None where it failed.
        """
        ...


class RandomProposer:
    """Draws each option by itself: a function of seed and number alone."""

    def __init__(self, space: Space, fixed: Mapping[str, Any], seed: int) -> None:
        self.space, self.fixed, self.seed = space, dict(fixed), seed

    def propose(self, number: int) -> dict[str, Any] | None:
        """Return a draw; options that are not read are drawn too, and left out."""
        shares = np.random.default_rng([self.seed, number]).random(len(self.space.dimensions))
        drawn = {
            dimension.name: dimension.at(float(share))
            for dimension, share in zip(self.space.dimensions, shares, strict=True)
        }
        return self.space.active(drawn, self.fixed)

    def learn(self, number: int, values: Sequence[float] | None) -> None:
        """Learn nothing."""


class GridProposer:
    """Every combination once, in the order of the space."""

    def __init__(self, space: Space, fixed: Mapping[str, Any]) -> None:
        self.combinations = space.grid(fixed)

    def propose(self, number: int) -> dict[str, Any] | None:
        """Return the next combination, whatever the number."""
        return next(self.combinations, None)

    def learn(self, number: int, values: Sequence[float] | None) -> None:
        """Learn nothing."""


def make_proposer(
    searcher: str,
    space: Space,
    fixed: Mapping[str, Any],
    bigger: Sequence[bool],
    seed: int,
) -> Proposer:
    """Return the proposer of a search.

    Args:
        searcher: one of `SEARCHERS`.
        space: what is searched, checked (`space_checks.check_space`).
        fixed: resolved options outside the space, which its conditions may name.
        bigger: whether more is better, one an objective.
        seed: of the draws, >= 0 and < 2^32.

    Raises:
        InputError: there is no such searcher, its library is missing, or it cannot search this
            space or so many objectives.
    """
    if searcher == "random":
        return RandomProposer(space, fixed, seed)
    if searcher == "grid":
        return GridProposer(space, fixed)
    if searcher == "optuna":
        from recbole_invariant.tuning.optuna_proposer import OptunaProposer

        return OptunaProposer(space, fixed, bigger, seed)
    if searcher == "hyperopt":
        if len(bigger) > 1:
            raise InputError(
                f"searcher hyperopt takes one objective, not {len(bigger)}; optuna takes several."
            )
        from recbole_invariant.tuning.hyperopt_proposer import HyperOptProposer

        return HyperOptProposer(space, fixed, bigger[0], seed)
    raise InputError(
        f"searcher '{searcher}': there is no such searcher.{suggest(searcher, SEARCHERS)} "
        f"Known: {', '.join(SEARCHERS)}."
    )


def missing_library(searcher: str, library: str, error: ImportError) -> InputError:
    """Say how to get the library of a searcher."""
    extra = searcher if library == searcher else "tune"
    return InputError(
        f"searcher {searcher} needs {library}, which cannot be imported ({error}): "
        f'pip install "recbole_invariant[{extra}]", or take --searcher random.'
    )


def is_usable(values: Sequence[float] | None) -> bool:
    """Say whether the values of a trial are numbers that a searcher can compare."""
    return values is not None and all(math.isfinite(value) for value in values)
