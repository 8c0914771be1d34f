"""What a search selects by: validation metrics, and what several of them leave to choose from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recbole_invariant.data.splits.base import OOD_VALID, is_test
from recbole_invariant.errors import InputError, suggest
from recbole_invariant.report.wording import smaller_is_better

VALID = "valid"
SPLITS = (VALID, OOD_VALID)
"""What may select: rows of the training distribution, and shifted ones cut from training data."""

NO_SELECTION = frozenset({"test", "tests", "oracle", "ood"})
"""Words for test sets, beside the names of the sets themselves."""


@dataclass(frozen=True)
class Objective:
    """One figure that a search makes better.

    Attributes:
        split: `valid` or `ood_valid`.
        metric: as runs report it, e.g. `ndcg@10`.
        bigger: whether a higher value is better.
    """

    split: str
    metric: str
    bigger: bool

    @property
    def name(self) -> str:
        """The objective as it is written, e.g. `valid:ndcg@10`."""
        return f"{self.split}:{self.metric}"


def selecting_options(objectives: Sequence[Objective]) -> dict[str, Any]:
    """Return the options by which a run selects its epoch as the trials of a search do.

    The first objective selects. Where another one is measured on shifted rows, these are cut off
    too: a run that keeps them trains on other rows.
    """
    first = objectives[0]
    options: dict[str, Any] = {"selection": first.split, "valid_metric": first.metric}
    if any(one.split == OOD_VALID for one in objectives):
        options["cut_ood_valid"] = True
    return options


def bigger_is_better(metric: str) -> bool:
    """Say whether RecBole counts a higher value of the metric as better."""
    return not smaller_is_better(metric)


def objective_texts(given: str | Sequence[str]) -> list[str]:
    """Return objectives one by one; a text is one, or several between commas.

    Raises:
        InputError: it is neither a text nor a list of texts.
    """
    if isinstance(given, str):
        return given.split(",")
    if not isinstance(given, Sequence) or not all(isinstance(one, str) for one in given):
        raise InputError(f"objectives: expected texts such as 'valid:ndcg@10', not {given!r}.")
    return list(given)


def parse_objectives(
    texts: Sequence[str],
    measured: Sequence[str],
    bigger: Callable[[str], bool] = bigger_is_better,
    protocol: str | None = None,
) -> tuple[Objective, ...]:
    """Read what `--objective` names.

    Args:
        texts: `SPLIT:METRIC` each; without a split it is `valid`. Case does not matter.
        measured: metrics that every validation reports, e.g. `recall@10`.
        bigger: whether a higher value of a metric is better.
        protocol: of the split; None has no shifted validation rows.

    Returns:
        At least one objective, in the order given.

    Raises:
        InputError: there is none; one names a test set, an unknown split or a metric that is never
            reported, asks for shifted rows that are not cut, or stands there twice. All at once.
    """
    found: list[Objective] = []
    problems: list[str] = []
    for text in texts:
        split, metric = _taken_apart(text)
        wrong = [*_split_problems(text, split, metric, protocol)]
        wrong += _metric_problems(text, metric, measured)
        if not wrong:
            objective = Objective(split, metric, bigger(metric))
            if objective in found:
                wrong = [f"--objective: {objective.name} is there twice; name it once."]
            found.append(objective)
        problems += wrong
    if not texts:
        problems.append("--objective: none is named; give a validation metric: valid:ndcg@10.")
    if problems:
        raise InputError(problems)
    return tuple(found)


def _taken_apart(text: str) -> tuple[str, str]:
    before, colon, after = text.strip().lower().partition(":")
    return (before.strip(), after.strip()) if colon else (VALID, before)


def _split_problems(text: str, split: str, metric: str, protocol: str | None) -> list[str]:
    asked = metric or "ndcg@10"
    if is_test(split) or split in NO_SELECTION:
        shifted = f", or {OOD_VALID}:{asked} for shifted validation rows" if protocol else ""
        return [
            f"--objective: '{text}': a test set selects nothing; its figures would be those of the "
            f"selection. Select by {VALID}:{asked}{shifted}."
        ]
    if split not in SPLITS:
        return [
            f"--objective: '{text}': '{split}' is not what a search can select by; write "
            f"{VALID}:{asked} or {OOD_VALID}:{asked}.{suggest(split, SPLITS)}"
        ]
    if split == OOD_VALID and protocol is None:
        return [
            f"--objective: '{text}': without a protocol there are no shifted validation rows; "
            f"choose one with --ood, or select by {VALID}:{asked}."
        ]
    return []


def _metric_problems(text: str, metric: str, measured: Sequence[str]) -> list[str]:
    """Say how a metric that is never reported could be."""
    names = [name.lower() for name in measured]
    if metric in names:
        return []
    if not metric:
        return [f"--objective: '{text}' names no metric; write e.g. {VALID}:{names[0]}."]
    stem, at, k = metric.partition("@")
    stems = _stems(names)
    ranking = any("@" in name for name in names)
    if is_test(metric) or metric in NO_SELECTION:
        return [f"--objective: '{text}': a test set selects nothing, and there is no metric."]
    if stem in stems and at and ranking:
        how = f"add {k} to --topk" if k.isdigit() else "write a whole number behind the @"
    elif stem in stems:
        how = "name the length of the list behind an @" if ranking else "leave the @ out"
    else:
        asked = ",".join(f"'{one}'" for one in [*dict.fromkeys(_stems(names)), stem])
        how = f'if RecBole has it, measure it: --metrics="[{asked}]"'
    return [
        f"--objective: '{text}': no validation reports '{metric}', only {', '.join(names)}; "
        f"{how}.{suggest(metric, names)}"
    ]


def _stems(names: Sequence[str]) -> list[str]:
    return [name.partition("@")[0] for name in names]


def pareto_set(points: Sequence[Sequence[float]], bigger: Sequence[bool]) -> list[int]:
    """Find the points that no other one beats.

    A point is beaten by one that is no worse in any objective and better in one.

    Args:
        points: `(n, n_objectives)`, finite.
        bigger: whether a higher value is better, one an objective.

    Returns:
        Their positions, rising; of equal points the first only.
    """
    values = _turned(points, bigger)
    found = []
    for k, own in enumerate(values):
        no_worse = (values >= own).all(axis=1)
        beaten = bool((no_worse & (values > own).any(axis=1)).any())
        if not beaten and not (values[:k] == own).all(axis=1).any():
            found.append(k)
    return found


def compromise(points: Sequence[Sequence[float]], bigger: Sequence[bool]) -> int:
    """Choose one point of the Pareto set where nobody says which objective counts for more.

    It is the one with the least Euclidean distance to the ideal point, which has the best value of
    every objective; each objective is scaled to its range over the Pareto set (compromise
    programming: Zeleny, Multiple Criteria Decision Making, 1982).

    Args:
        points: `(n, n_objectives)`, n >= 1, finite.
        bigger: whether a higher value is better, one an objective.

    Returns:
        Its position; of equally near ones the first.
    """
    front = pareto_set(points, bigger)
    values = _turned(points, bigger)[front]
    ideal = values.max(axis=0)
    span = ideal - values.min(axis=0)
    # an objective in which all are equal parts nobody
    away = (ideal - values) / np.where(span > 0, span, 1.0)
    return front[int(np.argmin(np.square(away).sum(axis=1)))]


def _turned(points: Sequence[Sequence[float]], bigger: Sequence[bool]) -> np.ndarray:
    """Return the points with the sign for which higher is better, `(n, n_objectives)`."""
    values = np.asarray(points, dtype=np.float64).reshape(len(points), len(bigger))
    if not np.isfinite(values).all():
        raise ValueError("points must be finite")
    turned: np.ndarray = values * np.where(bigger, 1.0, -1.0)
    return turned
