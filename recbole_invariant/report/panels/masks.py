"""What the invariant masks keep, modality by modality."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recbole_invariant.report.charts.histogram import bin_shares, histogram
from recbole_invariant.report.charts.palette import Style
from recbole_invariant.report.group import Group
from recbole_invariant.report.panels.base import Figure, Panel, mean
from recbole_invariant.report.wording import number

NAME, TITLE = "masks", "What the masks keep"
WORDS = {
    "ari": "adjusted Rand index of the environments",
    **{kind: f"{kind} dimensions" for kind in ("invariant", "spurious", "noise")},
}
"""Diagnostics by their names in `run.json`, written out."""


@dataclass(frozen=True)
class MaskRow:
    """A model's masks: a figure for each modality, and its diagnostics where truth is known."""

    label: str
    style: Style
    figures: list[Figure]
    quality: list[tuple[str, str]]


def make(group: Group) -> Panel:
    """Draw one row of histograms for each model that has a mask."""
    found = {
        label: masks
        for label in group.labels
        if (masks := [m for r in group.records(label) if (m := mask_by_modality(r))])
    }
    if not found:
        return Panel(NAME, TITLE, missing="no model here has an invariant mask")
    pooled = {
        label: {name: [v for mask in masks for v in mask.get(name, [])] for name in masks[0]}
        for label, masks in found.items()
    }
    highest = 1.25 * max(  # room for the mean above the bars
        max(bin_shares(values)) for by_name in pooled.values() for values in by_name.values()
    )
    rows = []
    for label, by_name in pooled.items():
        figures = [
            _figure(label, name, values, len(found[label]), group.styles[label], highest)
            for name, values in by_name.items()
        ]
        rows.append(MaskRow(label, group.styles[label], figures, quality(group.records(label))))
    return Panel(NAME, TITLE, {"rows": rows})


def _figure(
    label: str, name: str, values: Sequence[float], seeds: int, style: Style, highest: float
) -> Figure:
    dims = len(values) // seeds
    words = f"Mask values of {label} on {name}: {dims} dimensions, mean {mean(values):.2f}"
    title = f"{name} · {dims} dims" + (f", {seeds} seeds" if seeds > 1 else "")
    return Figure(title, histogram(values, style, words, highest))


def mask_by_modality(record: Mapping[str, Any]) -> dict[str, list[float]]:
    """Cut a run's mask into its modalities.

    Args:
        record: `run.json`, with `diagnostics.invariant_mask` (a value in [0, 1] for each feature
            dimension) and `modalities` (name -> dim, in the order of the dimensions).

    Returns:
        modality -> values; all under `features` where the modalities do not add up to the mask;
        empty where there is no mask.
    """
    mask = (record.get("diagnostics") or {}).get("invariant_mask") or []
    values = [float(value) for value in mask if value is not None]
    if not values:
        return {}
    sizes = {name: int(about["dim"]) for name, about in (record.get("modalities") or {}).items()}
    if sum(sizes.values()) != len(values):
        return {"features": values}
    found, start = {}, 0
    for name, size in sizes.items():
        if size:
            found[name] = values[start : start + size]
        start += size
    return found


def quality(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Average the diagnostics against a known truth over seeds: name and value, written."""
    collected: dict[str, list[float]] = {}
    for record in records:
        diagnostics = record.get("diagnostics") or {}
        for key, said in (("mask_quality", "mean mask on {}"), ("environment_agreement", "{}")):
            for name, value in (diagnostics.get(key) or {}).items():
                if isinstance(value, float):  # counts, as that of the environments, are whole
                    words = said.format(WORDS.get(name, name.replace("_", " ")))
                    collected.setdefault(words, []).append(float(value))
    return [(name, number(mean(values), 3)) for name, values in collected.items()]
