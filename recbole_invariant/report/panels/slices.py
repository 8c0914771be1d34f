"""The average hides who is served badly: every slice with its n."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.group import Group
from recbole_invariant.report.panels.base import Panel, mean
from recbole_invariant.report.panels.headline import by_ood_mean
from recbole_invariant.report.wording import (
    DASH,
    metric_title,
    number,
    set_title,
    smaller_is_better,
)

NAME, TITLE, WORST = "slices", "Slices", "worst"
Found = dict[tuple[str, str], dict[str, list[tuple[float, float]]]]


@dataclass(frozen=True)
class SliceCell:
    """A model's value on a slice.

    Attributes:
        value: written.
        shade: 0 (worst of the table) to 100 (best), for the cell's colour.
        worst: whether this is the model's own worst slice.
        best: whether no model does better on this slice.
    """

    value: str
    shade: int = 0
    worst: bool = False
    best: bool = False


@dataclass(frozen=True)
class SliceTable:
    """The slices of a test set; `groups` are titles with the number of their slices."""

    title: str
    groups: list[tuple[str, int]]
    slices: list[tuple[str, str]]
    rows: list[tuple[str, Style, list[SliceCell]]]


def make(group: Group) -> Panel:
    """Lay out one heat table for each test set."""
    tables = [table for test in group.tests if (table := _table(group, test))]
    if not tables:
        return Panel(NAME, TITLE, missing="the runs have no slices (run.json: slices)")
    content = {"tables": tables, "metric": metric_title(group.metric)}
    return Panel(NAME, TITLE, content)


def _table(group: Group, test: str) -> SliceTable | None:
    order = by_ood_mean(group)
    found = _collect(group, order, test)
    if not found:
        return None
    smaller = smaller_is_better(group.metric)
    values = {
        key: {label: mean([v for v, _ in pairs]) for label, pairs in by_label.items()}
        for key, by_label in found.items()
    }
    everything = [value for by_label in values.values() for value in by_label.values()]
    low, high = min(everything), max(everything)
    rows = []
    for label in order:
        own = {key: by_label[label] for key, by_label in values.items() if label in by_label}
        if not own:
            continue
        lowest = (max if smaller else min)(own.values())
        cells = []
        for _key, by_label in values.items():
            if label not in by_label:
                cells.append(SliceCell(DASH))
                continue
            value = by_label[label]
            best = (min if smaller else max)(by_label.values())
            share = (value - low) / (high - low) if high > low else 1.0
            shade = round(100 * (1 - share if smaller else share))
            cells.append(SliceCell(number(value, 3), shade, value == lowest, value == best))
        rows.append((label, group.styles[label], cells))
    names = list(dict.fromkeys(name for name, _ in found))
    groups = [(name, sum(other == name for other, _ in found)) for name in names]
    heads = [(name, _size(by_label)) for (_, name), by_label in found.items()]
    return SliceTable(set_title(test), groups, heads, rows)


def _collect(group: Group, order: Sequence[str], test: str) -> Found:
    """Find (value, n) of every slice by label, over seeds; slices of a group stand together."""
    found: Found = {}
    for label in order:
        for record in group.records(label):
            slices: dict[str, Any] = (record.get("slices") or {}).get(test) or {}
            for name, members in slices.items():
                if name == WORST or not isinstance(members, dict):
                    continue
                for member, measured in members.items():
                    value = (measured.get("metrics") or {}).get(group.metric)
                    if value is not None:
                        pair = float(value), float(measured.get("n_users", 0))
                        found.setdefault((name, member), {}).setdefault(label, []).append(pair)
    names = list(dict.fromkeys(name for name, _ in found))
    return dict(sorted(found.items(), key=lambda item: names.index(item[0][0])))


def _size(by_label: dict[str, list[tuple[float, float]]]) -> str:
    """Write how many users a slice has; splits, and so sizes, differ from seed to seed."""
    sizes = [size for pairs in by_label.values() for _, size in pairs]
    if min(sizes) == max(sizes):
        return f"{sizes[0]:.0f} users"
    return f"{min(sizes):.0f}{DASH}{max(sizes):.0f} users"
