"""Which rows choose the weights that a run keeps: a named rule, written into every record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recbole_invariant.errors import InputError

REFIT = "refit"
"""Name of the rule where the epochs are given (`refit_epochs`) and nothing selects."""

RULES = {
    "valid": "validation rows of the training distribution, tests opened afterwards",
    "ood_valid": "shifted validation rows cut from training data, tests opened afterwards",
    "oracle": "the rows of the test {test} itself: an upper bound, not a result",
    REFIT: "trained on training and validation rows together for given epochs ({epochs}), the last "
    "weights kept, tests opened afterwards",
}


@dataclass(frozen=True)
class SelectionRule:
    """How the weights of a run are selected.

    Attributes:
        name: `valid`, `ood_valid`, `oracle`, or `refit` where nothing does.
        metric: e.g. `ndcg@10`.
        bigger: whether a higher value is better.
        epochs: of `refit`, stage -> epochs.
    """

    name: str
    metric: str
    bigger: bool
    epochs: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Any) -> "SelectionRule":
        """Read `selection`, `valid_metric`, `valid_metric_bigger` and `refit_epochs`."""
        epochs = config["refit_epochs"] or {}
        return cls(
            REFIT if epochs else config["selection"] or "valid",
            config["valid_metric"].lower(),
            bool(config["valid_metric_bigger"]),
            epochs,
        )

    def split(self, loaders: Any) -> str | None:
        """Return the name of the rows that select; for `oracle` the first shifted test.

        None where no rows do (`refit`).

        Args:
            loaders: of the run's parts.

        Raises:
            InputError: the run has no such rows.
        """
        if self.name == REFIT:
            return None
        if self.name == "valid":
            return "valid"
        if self.name == "ood_valid":
            if loaders.ood_valid is None:
                raise InputError(
                    "selection: ood_valid: this split has no shifted validation rows; choose a "
                    "protocol with --ood, or selection: valid."
                )
            return "ood_valid"
        shifted = [name for name in loaders.tests.names if name != "iid"]
        if not shifted:
            raise InputError("selection: oracle: there is no shifted test; choose one with --ood.")
        return str(shifted[0])

    def loader(self, loaders: Any) -> Any:
        """Return the loader of the rows that select, None where none do."""
        split = self.split(loaders)
        if self.name == "oracle":
            return loaders.tests.peek(split)
        return {"valid": loaders.valid, "ood_valid": loaders.ood_valid, None: None}[split]

    def describe(self, loaders: Any) -> str:
        """Say the rule in words, e.g. for the line below a table."""
        if self.name == REFIT:
            epochs = ", ".join(f"{stage} {number}" for stage, number in self.epochs.items())
            return f"none: {RULES[REFIT].format(epochs=epochs)}"
        split = self.split(loaders)
        source = "oracle" if self.name == "oracle" else split
        best = "highest" if self.bigger else "lowest"
        return f"{best} {source}:{self.metric}, {RULES[self.name].format(test=split)}"
