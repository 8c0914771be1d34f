"""The average hides who is served badly: every slice with its n."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.group import Group
from recbole_invariant.report.judgement import by_ood_mean
from recbole_invariant.report.panels.base import Panel, mean
from recbole_invariant.report.wording import (
    DASH,
    metric_title,
    number,
    set_title,
    smaller_is_better,
)

NAME, TITLE, WORST = "slices", "Slices", "worst"
Found = dict[tuple[str, str], dict[str, list[tuple[float, float]]]]


@dataclass
class Cell:
    """A model's value on a slice.

    Attributes:
        number: mean over seeds, None where the model was not measured.
        shade: 0 (worst of the table) to 100 (best), for the cell's colour.
        worst: whether this is the model's own worst slice.
        best: whether no model does better on this slice.
    """

    number: float | None
    shade: int = 0
    worst: bool = False
    best: bool = False

    @property
    def value(self) -> str:
        """The number, written."""
        return number(self.number, 3)


@dataclass(frozen=True)
class SliceTable:
    """The slices of a test set.

    Attributes:
        title: of the test set.
        groups: title of each group, and how many slices it has.
        slices: title of each slice, and its size in words.
        rows: model, look, a cell for each slice.
        least: users that a slice must have to be called the worst.
    """

    title: str
    groups: list[tuple[str, int]]
    slices: list[tuple[str, str]]
    rows: list[tuple[str, Style, list[Cell]]]
    least: int


def make(group: Group) -> Panel:
    """Lay out one heat table for each test set."""
    tables = [table for test in group.tests if (table := _table(group, test))]
    if not tables:
        return Panel(NAME, TITLE, missing="the runs have no slices (run.json: slices)")
    racing = " among models that do not see the truth" if group.truth_knowing else ""
    content = {"tables": tables, "metric": metric_title(group.metric), "racing": racing}
    return Panel(NAME, TITLE, content)


def _table(group: Group, test: str) -> SliceTable | None:
    order = by_ood_mean(group)
    found = _collect(group, order, test)
    if not found:
        return None
    values = {
        key: {label: mean([value for value, _ in pairs]) for label, pairs in by_label.items()}
        for key, by_label in found.items()
    }
    least = _min_users(group, test)
    enough = {key for key, by_label in found.items() if _mean_size(by_label) >= least}
    columns = [_column(group, by_label, order) for by_label in values.values()]
    _shade(columns, values, smaller_is_better(group.metric))
    rows = []
    for label in order:
        cells = [column[label] for column in columns]
        if not any(cell.number is not None for cell in cells):
            continue
        judged = [cell for cell, key in zip(cells, values, strict=True) if key in enough]
        _mark_worst(judged, smaller_is_better(group.metric))
        rows.append((label, group.styles[label], cells))
    names = list(dict.fromkeys(name for name, _ in found))
    groups = [(name, sum(other == name for other, _ in found)) for name in names]
    heads = [(name, _size(by_label)) for (_, name), by_label in found.items()]
    return SliceTable(set_title(test), groups, heads, rows, least)


def _column(group: Group, by_label: Mapping[str, float], order: Sequence[str]) -> dict[str, Cell]:
    racing = [value for label, value in by_label.items() if label not in group.truth_knowing]
    choose = min if smaller_is_better(group.metric) else max
    best = choose(racing) if len(set(racing)) > 1 else None
    return {
        label: Cell(by_label.get(label), best=label in by_label and by_label[label] == best)
        for label in order
    }


def _shade(
    columns: Sequence[dict[str, Cell]], values: Mapping[Any, Mapping[str, float]], smaller: bool
) -> None:
    """Set the shades, over the whole table, so that slices can be compared as well as models."""
    everything = [value for by_label in values.values() for value in by_label.values()]
    low, high = min(everything), max(everything)
    for column in columns:
        for cell in column.values():
            if cell.number is not None:
                share = (cell.number - low) / (high - low) if high > low else 1.0
                cell.shade = round(100 * (1 - share if smaller else share))


def _mark_worst(cells: Sequence[Cell], smaller: bool) -> None:
    """Mark the worst of a model's slices."""
    known = [cell for cell in cells if cell.number is not None]
    if len(known) > 1:
        worst = (max if smaller else min)(cell.number or 0.0 for cell in known)
        for cell in known:
            cell.worst = cell.number == worst


def _collect(group: Group, order: Sequence[str], test: str) -> Found:
    """Find (value, n) of every slice by label, over seeds; slices of a group stand together."""
    found: Found = {}
    for label in order:
        for record in group.records(label):
            for name, members in _slices(record, test).items():
                if name.startswith(WORST) or not isinstance(members, Mapping):
                    continue
                for member, measured in members.items():
                    value = (measured.get("metrics") or {}).get(group.metric)
                    if value is not None:
                        pair = float(value), float(measured.get("n_users", 0))
                        found.setdefault((name, member), {}).setdefault(label, []).append(pair)
    names = list(dict.fromkeys(name for name, _ in found))
    return dict(sorted(found.items(), key=lambda item: names.index(item[0][0])))


def _slices(record: Mapping[str, Any], test: str) -> Mapping[str, Any]:
    return (record.get("slices") or {}).get(test) or {}


def _min_users(group: Group, test: str) -> int:
    """Return the least number of users of a slice that may be the worst, as the runs say."""
    found = [
        int((_slices(record, test).get(WORST) or {}).get("min_users", 0))
        for label in group.labels
        for record in group.records(label)
    ]
    return max(found, default=0)


def _mean_size(by_label: Mapping[str, Sequence[tuple[float, float]]]) -> float:
    return mean([size for pairs in by_label.values() for _, size in pairs])


def _size(by_label: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Write how many users a slice has; splits, and so sizes, differ from seed to seed."""
    sizes = [size for pairs in by_label.values() for _, size in pairs]
    if min(sizes) == max(sizes):
        return f"{sizes[0]:.0f} users"
    return f"{min(sizes):.0f}{DASH}{max(sizes):.0f} users"
