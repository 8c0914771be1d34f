"""Which rows choose the weights that a run keeps: a named rule, written into every record."""

from dataclasses import dataclass
from typing import Any

from recbole_invariant.errors import InputError

RULES = {
    "valid": "validation rows of the training distribution, tests opened afterwards",
    "ood_valid": "shifted validation rows cut from training data, tests opened afterwards",
    "oracle": "the rows of the test {test} itself: an upper bound, not a result",
}


@dataclass(frozen=True)
class SelectionRule:
    """How the weights of a run are selected.

    Attributes:
        name: `valid`, `ood_valid` or `oracle`.
        metric: e.g. `ndcg@10`.
        bigger: whether a higher value is better.
    """

    name: str
    metric: str
    bigger: bool

    @classmethod
    def from_config(cls, config: Any) -> "SelectionRule":
        """Read `selection`, `valid_metric` and `valid_metric_bigger`."""
        return cls(
            config["selection"] or "valid",
            config["valid_metric"].lower(),
            bool(config["valid_metric_bigger"]),
        )

    def split(self, loaders: Any) -> str:
        """Return the name of the rows that select; for `oracle` the first shifted test.

        Args:
            loaders: of the run's parts.

        Raises:
            InputError: the run has no such rows.
        """
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
        """Return the loader of the rows that select."""
        split = self.split(loaders)
        if self.name == "oracle":
            return loaders.tests.peek(split)
        return loaders.valid if split == "valid" else loaders.ood_valid

    def describe(self, loaders: Any) -> str:
        """Say the rule in words, e.g. for the line below a table."""
        split = self.split(loaders)
        source = "oracle" if self.name == "oracle" else split
        best = "highest" if self.bigger else "lowest"
        return f"{best} {source}:{self.metric}, {RULES[self.name].format(test=split)}"
