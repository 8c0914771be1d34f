"""What was asked of the models, in words, and what it takes to do it again."""

from collections.abc import Mapping
from typing import Any

from recbole_invariant.comparison.candidates import ranking_notes
from recbole_invariant.report.group import Group, same_everywhere
from recbole_invariant.report.panels.base import Panel
from recbole_invariant.report.protocol_words import explain
from recbole_invariant.report.wording import DASH

NAME, TITLE = "protocol", "How this was measured"
DEFAULT_LAYERS = ("RecBole ", "properties/")
"""Beginnings of the names of layers that hold defaults."""

NOT_SHOWN = frozenset(
    {"data_path", "output_dir", "run_name", "seed", "model", "dataset", "config_files", "run_dir"}
)
"""Options that say where and what, not how; the page says the latter elsewhere."""


def make(group: Group) -> Panel:
    """Collect words, sizes, versions, options and checksums."""
    records = [record for label in group.labels for record in group.records(label)]
    first = records[0]
    content: dict[str, Any] = {
        "words": explain(group.comparison.protocol, first.get("split") or {}),
        "selection": [selection_words(rule) for rule in group.comparison.selection_rules],
        "ranking": [words[0].upper() + words[1:] for words in ranking_notes(group.runs)],
        "sizes": sizes(first),
        "sizes_vary": not same_everywhere([sizes(record) for record in records]),
        "seed": first["seed"],
        "modalities": _modalities(records),
        "options": changed_options(group),
        "versions": _versions(records),
        "checksums": _checksums(records),
    }
    return Panel(NAME, TITLE, content)


def selection_words(rule: str) -> str:
    """Say how weights were selected; where no rows did (`none: trained on ...`), how they came."""
    kind, _, how = rule.partition(": ")
    if kind == "none":
        return f"No weights of a refit were selected: it was {how}"
    return f"Weights were selected by the {rule}"


def sizes(record: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """List part and its users, items and interactions, written."""
    counts = [record.get(key) or {} for key in ("n_users", "n_items", "n_interactions")]
    parts = dict.fromkeys(name for count in counts for name in count)
    return [(part, [_grouped(count.get(part)) for count in counts]) for part in parts]


def _grouped(count: int | None) -> str:
    return DASH if count is None else f"{count:,}".replace(",", "\u202f")


def _modalities(records: list[Mapping[str, Any]]) -> list[tuple[str, int, float | None]]:
    """List the item features of all models: name, dim, share of the items that have them."""
    found: dict[str, Mapping[str, Any]] = {}
    for record in records:
        found |= record.get("modalities") or {}
    return [(name, about.get("dim", 0), about.get("coverage")) for name, about in found.items()]


def changed_options(group: Group) -> list[tuple[str, list[tuple[str, str]]]]:
    """List the options that no default layer set.

    Returns:
        option, and each of its values with the models that have it (`all models` for all).
    """
    found: dict[str, dict[str, list[str]]] = {}
    for label in group.labels:
        for key, option in (group.records(label)[0].get("options") or {}).items():
            layer = str(option.get("layer", ""))
            if key in NOT_SHOWN or not layer or layer.startswith(DEFAULT_LAYERS):
                continue
            found.setdefault(key, {}).setdefault(_written(option.get("value")), []).append(label)
    return [
        (key, [(value, _who(labels, group.labels)) for value, labels in by_value.items()])
        for key, by_value in sorted(found.items())
    ]


def _who(labels: list[str], everybody: list[str]) -> str:
    return "all models" if len(labels) == len(everybody) else ", ".join(labels)


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_written(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_written, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else str(value)


def _versions(records: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """List the versions that ran; several of a name where runs differ."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        for name, version in (record.get("versions") or {}).items():
            found.setdefault(name, {})[str(version)] = None
    return [(name, " or ".join(versions)) for name, versions in found.items()]


def _checksums(records: list[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """List the data files' SHA-256; several of a file where runs differ."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        for name, checksum in (record.get("data") or {}).items():
            found.setdefault(name, {})[str(checksum)] = None
    return [(name, list(sums)) for name, sums in found.items()]
