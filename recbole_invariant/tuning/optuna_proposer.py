"""Optuna's tree-structured Parzen estimator through Ray's adapter."""

from collections.abc import Mapping, Sequence
from typing import Any

from recbole_invariant.tuning.dimension import Dimension
from recbole_invariant.tuning.proposals import is_usable, missing_library
from recbole_invariant.tuning.space import Space


class OptunaProposer:
    """Optuna's guess: one objective or several.

    Conditional options are asked for only where they are read, so that the estimator of each sees
    its own values alone. Trials that are open count as bad ones (Optuna's constant liar), which
    keeps those that run side by side apart.

    Raises:
        InputError: Ray or Optuna is missing.
    """

    def __init__(
        self, space: Space, fixed: Mapping[str, Any], bigger: Sequence[bool], seed: int
    ) -> None:
        try:
            import optuna
        except ImportError as error:
            raise missing_library("optuna", "optuna", error) from error
        try:
            from ray.tune.search.optuna import OptunaSearch
        except ImportError as error:
            raise missing_library("optuna", "ray", error) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.space, self.fixed, self.proposed = space, dict(fixed), set[int]()
        self.metrics = [f"objective_{n}" for n in range(len(bigger))]
        modes = ["max" if more else "min" for more in bigger]
        several = len(bigger) > 1
        self.search = OptunaSearch(
            space=self._ask,
            metric=self.metrics if several else self.metrics[0],
            mode=modes if several else modes[0],
            sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True),
        )

    def propose(self, number: int) -> dict[str, Any] | None:
        """Return Optuna's next guess."""
        drawn = self.search.suggest(str(number))
        if drawn is None:
            return None
        self.proposed.add(number)
        asked = [one for one in self.space.dimensions if one.name in drawn]
        return {one.name: _value(one, drawn[one.name]) for one in asked}

    def learn(self, number: int, values: Sequence[float] | None) -> None:
        """Tell Optuna the values of a trial, or that it failed."""
        if number not in self.proposed:
            return
        self.proposed.remove(number)
        if values is None or not is_usable(values):
            self.search.on_trial_complete(str(number), error=True)
        else:
            result = dict(zip(self.metrics, map(float, values), strict=True))
            self.search.on_trial_complete(str(number), result)

    def _ask(self, trial: Any) -> None:
        """Ask an Optuna trial for every option that is read, given those before it."""
        kept: dict[str, Any] = {}
        for dimension in self.space.ordered():
            if self.space.holds(dimension, kept, self.fixed):
                kept[dimension.name] = _value(dimension, _suggest(trial, dimension))


def _suggest(trial: Any, dimension: Dimension) -> Any:
    """Ask for a value, or its index where the values are finitely many."""
    if dimension.kind == "choice":
        return trial.suggest_categorical(dimension.name, list(range(len(dimension.values))))
    if dimension.size is not None:
        return trial.suggest_int(dimension.name, 0, dimension.size - 1)
    low, high = dimension.ends
    if dimension.kind == "logint":
        return trial.suggest_int(dimension.name, int(low), int(high), log=True)
    return trial.suggest_float(dimension.name, low, high, log=dimension.kind == "loguniform")


def _value(dimension: Dimension, drawn: Any) -> Any:
    """Return the option's value for what `_suggest` gave."""
    if dimension.size is not None:
        return dimension.nth(int(drawn))
    return int(drawn) if dimension.kind == "logint" else dimension.rounded(drawn)
