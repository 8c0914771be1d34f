"""HyperOpt's tree-structured Parzen estimator through Ray's adapter."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from recbole_invariant.tuning.dimension import Dimension
from recbole_invariant.tuning.proposals import is_usable, missing_library
from recbole_invariant.tuning.space import Space

N_RANDOM = 10
"""Trials at random before the estimator guesses, as many as Optuna's; Ray's default is 20, which is
all of a short search."""


class HyperOptProposer:
    """HyperOpt's guess, for one objective.

    It draws every option, and those that are not read are left out of the trial.

    Raises:
        InputError: Ray or HyperOpt is missing.
    """

    def __init__(self, space: Space, fixed: Mapping[str, Any], bigger: bool, seed: int) -> None:
        try:
            import hyperopt
        except ImportError as error:
            raise missing_library("hyperopt", "hyperopt", error) from error
        try:
            from ray.tune.search.hyperopt import HyperOptSearch
        except ImportError as error:
            raise missing_library("hyperopt", "ray", error) from error
        self.space, self.fixed, self.proposed = space, dict(fixed), set[int]()
        self.search = HyperOptSearch(
            space={one.name: _domain(hyperopt.hp, one) for one in space.dimensions},
            metric="objective",
            mode="max" if bigger else "min",
            n_initial_points=N_RANDOM,
            random_state_seed=seed,
        )

    def propose(self, number: int) -> dict[str, Any] | None:
        """Return HyperOpt's next guess."""
        drawn = self.search.suggest(str(number))
        if drawn is None:
            return None
        self.proposed.add(number)
        values = {one.name: _value(one, drawn[one.name]) for one in self.space.dimensions}
        return self.space.active(values, self.fixed)

    def learn(self, number: int, values: Sequence[float] | None) -> None:
        """Tell HyperOpt the value of a trial, or that it failed."""
        if number not in self.proposed:
            return
        self.proposed.remove(number)
        if values is None or not is_usable(values):
            self.search.on_trial_complete(str(number), error=True)
        else:
            self.search.on_trial_complete(str(number), {"objective": float(values[0])})


def _domain(hp: Any, dimension: Dimension) -> Any:
    """Return HyperOpt's own distribution; finitely many values are drawn by their index."""
    if dimension.kind == "choice":
        return hp.randint(dimension.name, dimension.size)
    if dimension.size is not None:
        return hp.uniformint(dimension.name, 0, dimension.size - 1)
    low, high = dimension.ends
    if dimension.kind == "uniform":
        return hp.uniform(dimension.name, low, high)
    above = high + 1 if dimension.kind == "logint" else high
    return hp.loguniform(dimension.name, math.log(low), math.log(above))


def _value(dimension: Dimension, drawn: Any) -> Any:
    """Return the option's value for what HyperOpt drew."""
    if dimension.size is not None:
        return dimension.nth(min(max(int(drawn), 0), dimension.size - 1))
    if dimension.kind == "logint":
        low, high = dimension.ends
        return int(min(max(math.floor(drawn), low), high))
    return dimension.rounded(drawn)
