"""One shifted test as a race: who takes part, who wins it, and what else has to be said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recbole_invariant.report.standing import Standing
from recbole_invariant.report.wording import listed, number


@dataclass(frozen=True)
class Race:
    """The models on one shifted test.

    Attributes:
        means: label -> mean of the metric, of all models.
        standings: label -> its standing beside the baseline.
        baseline: label of the baseline, or None.
        barred: labels that see the truth or the test; they are never named.
        smaller: whether a lower mean is better.
        n_seeds: how many trainings the means are over.
    """

    means: Mapping[str, float]
    standings: Mapping[str, Standing]
    baseline: str | None
    barred: frozenset[str] = field(default_factory=frozenset)
    smaller: bool = False
    n_seeds: int = 1

    @property
    def order(self) -> list[str]:
        """Labels of those who take part, the best mean first."""
        able = [label for label in self.means if label not in self.barred]
        return sorted(able, key=lambda label: self.means[label], reverse=not self.smaller)

    @property
    def winner(self) -> str | None:
        """The best of the models that are clearly better than a baseline that takes part."""
        if self.baseline in self.barred:
            return None
        return next((x for x in self.order if self.standings[x] is Standing.BETTER), None)

    @property
    def baseline_leads(self) -> bool:
        """Whether the baseline has the best mean of all who take part."""
        return bool(self.order) and self.order[0] == self.baseline

    def level_with_baseline(self) -> list[str]:
        """List the models that are not clearly worse than the baseline."""
        rest = [label for label in self.order if label != self.baseline]
        return [label for label in rest if self.standings[label] is not Standing.WORSE]

    def sentences(self) -> list[str]:
        """Say who has a better mean than the winner, and what the controls reach."""
        return [*self._unproven(), *self._controls()]

    def _unproven(self) -> list[str]:
        """Say who leads by the mean without a proven lead over the baseline."""
        if self.baseline is None or self.baseline in self.barred or not self.order:
            return []
        if self.winner is None and self.baseline_leads:
            return []  # said by `baseline_lead`
        said = []
        for label in self.order[: self.order.index(self.winner)] if self.winner else self.order[:1]:
            others = "all others that do not see the truth" if self.barred else "all others"
            than = self.winner or others
            if label == self.baseline:
                said.append(f"{label}, the baseline, has a better mean than {than}.")
                continue
            said.append(f"{label} has a better mean than {than}, but {self._proof(label)}.")
        return said

    def _proof(self, label: str) -> str:
        """Say why a better mean does not name a model; a lead is spoken of only if there is one."""
        kind = self.standings[label]
        if kind is Standing.UNTESTED:
            return "could not be tested in pairs"
        if kind is Standing.PARTLY_BETTER:
            return f"its lead over {self.baseline} is significant in one kind of paired test only"
        if self._ahead(label, self.baseline):
            return f"its lead over {self.baseline} is within chance"
        return f"it is not ahead of {self.baseline}"

    def _ahead(self, one: str, other: str | None) -> bool:
        if other is None or other not in self.means:
            return False
        difference = self.means[one] - self.means[other]
        return difference < 0 if self.smaller else difference > 0

    def _controls(self) -> list[str]:
        """Set the best of the models beside what those who see the truth reach."""
        controls = [label for label in self.means if label in self.barred]
        if not controls or not self.order:
            return []
        best = self.order[0]
        top = (min if self.smaller else max)(controls, key=lambda label: self.means[label])
        word = "the control" if len(controls) == 1 else "of the controls"
        return [
            f"Best of the models that do not see the truth: {best} "
            f"({number(self.means[best], 3)}); {word} {top} reaches {number(self.means[top], 3)}."
        ]


def baseline_lead(races: Sequence[Race], title: str, where: str = "") -> str:
    """Say in one sentence that the baseline itself leads on shifted tests.

    Args:
        races: of these tests; in each the baseline has the best mean and nobody wins.
        title: of the metric.
        where: said of the place, with a blank before it.
    """
    first = races[0]
    level = list(dict.fromkeys(label for race in races for label in race.level_with_baseline()))
    others = [label for label in first.order if label != first.baseline]
    if not level:
        return (
            f"Stay with {first.baseline}, the baseline: all others are clearly worse{where} "
            f"({title})."
        )
    over = "" if len(level) == len(others) or len(level) > 3 else f" over {listed(level)}"
    seeds = f"{first.n_seeds} seed{'s' if first.n_seeds > 1 else ''}"
    return (
        f"{first.baseline}, the baseline, has the best mean{where}; with {seeds} its lead{over} "
        f"is not proven ({title})."
    )
