"""What a search's section of the page is about: its summary, and how its trials look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from recbole_invariant.comparison.collect import BEST_FOLDER
from recbole_invariant.comparison.write import COMPARISON_FILE
from recbole_invariant.data.splits.base import OOD_VALID
from recbole_invariant.evaluation import records
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.wording import metric_title, protocol_title
from recbole_invariant.tuning.objectives import Objective
from recbole_invariant.tuning.shown_options import shown_options
from recbole_invariant.tuning.summary import (
    find_summaries,
    objectives_of,
    ranked,
    trial_of,
)
from recbole_invariant.tuning.trial_table import remark

N_SHADES = 10
"""`.s0` to `.s9` in style.css, from pale for the worst trials to deep for the best."""

BEST = Style("c1", "diamond")
BASE = Style("ink", "square", dashed=True)
"""The defaults."""

VALUELESS = Style("s0", "cross", dashed=True)

SEARCHERS = {"optuna": "Optuna", "hyperopt": "HyperOpt"}
SCHEDULERS = {
    "asha": "ASHA",
    "median": "median stopping",
    "pbt": "population based training",
    "none": "no scheduler",
}
LEAST_ENDED = 3
"""Trials that ran to their end, from which on those that were stopped need not all be drawn."""

Trial = Mapping[str, Any]


@dataclass(frozen=True)
class Search:
    """One search.

    Attributes:
        folder: where it was found.
        summary: the content of its summary.json.
        record: `run.json` of its best options measured on the tests, None where they were not.
        comparison: name of the folder of the comparison that measured its best options, a search
            of `compare --tune`; None where there is none.
    """

    folder: Path
    summary: Mapping[str, Any]
    record: Mapping[str, Any] | None = None
    comparison: str | None = None

    @cached_property
    def objectives(self) -> list[Objective]:
        """What it selected by, the first one first."""
        return objectives_of(self.summary["search"])

    @property
    def trials(self) -> list[Trial]:
        """All trials, by number."""
        return list(self.summary["trials"])

    @property
    def best(self) -> Trial | None:
        """The chosen trial."""
        return trial_of(self.summary, self.summary["best"])

    @property
    def title(self) -> str:
        """Name it by its model and data."""
        return "Search: {model} on {dataset}".format(**self.summary["search"])

    @property
    def method(self) -> str:
        """Name searcher and scheduler, e.g. `random, ASHA`."""
        search = self.summary["search"]
        searcher, scheduler = str(search.get("searcher")), str(search.get("scheduler")).lower()
        return (
            f"{SEARCHERS.get(searcher, searcher)}, "
            f"{SCHEDULERS.get(scheduler, SCHEDULERS['none' if scheduler == 'none' else 'asha'])}"
        )

    @property
    def subtitle(self) -> str:
        """Say how it was cut, how many trials it has and what drew and stopped them."""
        n = len(self.trials)
        parts = [
            protocol_title(self.summary["search"].get("protocol")),
            f"{n} trial{'s' if n != 1 else ''}",
            self.method,
            " and ".join(one.name for one in self.objectives),
            self.folder.name,
        ]
        return " · ".join(parts)

    @property
    def marked(self) -> set[int | None]:
        """Numbers of the trials with a look of their own: the best one and the defaults."""
        return {self.summary["best"], self.summary["defaults"]}

    @property
    def outstanding(self) -> set[int | None]:
        """Numbers of the trials that are always drawn: the marked ones and the Pareto set."""
        return {*self.marked, *self.summary["pareto"]}

    @cached_property
    def options(self) -> dict[int, dict[str, Any]]:
        """The options of the space that every trial had, the defaults named too."""
        return {trial["number"]: shown_options(self.summary, trial) for trial in self.trials}

    def value(self, trial: Trial, objective: Objective | None = None) -> float | None:
        """Return a trial's value of an objective, by default of the first."""
        value: float | None = trial["values"][(objective or self.objectives[0]).name]
        return value

    def drawn_range(self, objective: Objective) -> tuple[float, float]:
        """Choose the ends of an objective's axis.

        Trials that were stopped early are far behind and would squeeze all others together: those
        that are worse than every other trial are left out where there are others enough. What is
        best, default or in the Pareto set always stays.
        """
        every = [t for t in self.trials if self.value(t, objective) is not None]
        kept = [t for t in every if t["status"] == "done" or t["number"] in self.outstanding]
        values = [self.value(t, objective) or 0.0 for t in every]
        ended = [self.value(t, objective) or 0.0 for t in kept]
        if len(ended) < LEAST_ENDED:
            return min(values, default=0.0), max(values, default=1.0)
        if objective.bigger:
            return min(ended), max(values)
        return min(values), max(ended)

    def is_drawn(self, trial: Trial, objective: Objective) -> bool:
        """Say whether a trial has a value on the axis of `drawn_range`."""
        value, (low, high) = self.value(trial, objective), self.drawn_range(objective)
        return value is not None and low <= value <= high

    def name(self, trial: Trial) -> str:
        """Name a trial: its number, and what there is to say of it."""
        said = remark(self.summary, trial)
        return f"trial {trial['number']}" + (f", {said}" if said else "")

    @cached_property
    def looks(self) -> dict[int, Style]:
        """Give every trial its look: the deeper, the better by rank in the first objective."""
        order = [trial for trial in ranked(self.summary) if self.value(trial) is not None]
        looks = {trial["number"]: VALUELESS for trial in self.trials}
        for place, trial in enumerate(reversed(order)):
            looks[trial["number"]] = Style(f"s{N_SHADES * place // len(order)}", "circle")
        if self.summary["defaults"] is not None:
            looks[self.summary["defaults"]] = BASE
        if self.best is not None:
            looks[self.best["number"]] = BEST
        return looks

    @cached_property
    def upwards(self) -> list[Trial]:
        """The trials as they are drawn: those to be seen last, above the others."""
        first = (self.summary["defaults"], self.summary["best"])
        order = list(reversed(ranked(self.summary)))
        return sorted(
            order, key=lambda t: first.index(t["number"]) + 1 if t["number"] in first else 0
        )


def find_searches(folder: str | Path) -> list[Search]:
    """Find every search in a folder, at any depth.

    Raises:
        InputError: a file of one cannot be read.
    """
    found = []
    for place, summary in find_summaries(Path(folder)):
        run = place / BEST_FOLDER / records.RUN_FILE
        record = records.read_json(run) if run.is_file() else None
        found.append(Search(place, summary, record, _comparison_of(place)))
    return found


def _comparison_of(place: Path) -> str | None:
    """Name the comparison of whose table a search's options are a line; None where there is none.

    Older searches stay in a comparison's folder: those are of no line.
    """
    place = place.resolve()
    for out in place.parents:
        if (out / COMPARISON_FILE).is_file():
            lines = (records.read_json(out / COMPARISON_FILE).get("searches") or {}).values()
            own = place.relative_to(out).as_posix()
            return out.name if own in [line.get("folder") for line in lines] else None
    return None


def objective_title(objective: Objective) -> str:
    """Write an objective as a reader sees it: `ood_valid:ndcg@10` is OOD valid NDCG@10."""
    split = "OOD valid" if objective.split == OOD_VALID else objective.split
    return f"{split} {metric_title(objective.metric)}"


def better_side(objectives: Sequence[Objective]) -> str:
    """Say where on a drawing of x and y the better trials are."""
    words = ("to the right", "to the left"), ("up", "down")
    x, y = (pair[0 if one.bigger else 1] for pair, one in zip(words, objectives, strict=True))
    return f"{y} and {x}"
