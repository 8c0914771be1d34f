"""What `run.json` says of a run's snapshots: named results, and the path of its epochs."""

from collections.abc import Mapping
from typing import Any

from recbole_invariant.data.splits.base import is_test

SNAPSHOTS = "snapshots"
"""Its key in `run.json`: name -> `stage`, `epoch`, `frontier`, and metrics by test set."""

DESCRIPTION = ("stage", "epoch", "frontier")
"""What an entry says beside its metrics."""

EpochPath = list[tuple[float, float]]
"""IID and OOD metric of one epoch after the other."""


def named_snapshots(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the snapshots that are results of their own, steps of the frontier left out."""
    entries = record.get(SNAPSHOTS) or {}
    return {name: entry for name, entry in entries.items() if not entry.get("frontier")}


def snapshot_metrics(entry: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return test set -> metric -> value of a snapshot, validation included where it was asked."""
    return {name: value for name, value in entry.items() if name not in DESCRIPTION}


def frontier_paths(record: Mapping[str, Any], test: str, metric: str) -> dict[str, EpochPath]:
    """Return the paths that training took, epoch by epoch.

    Args:
        record: the content of a `run.json`.
        test: name of the shifted test.
        metric: e.g. `ndcg@10`.

    Returns:
        Stage -> IID and OOD metric of its validated epochs in their order; empty where no frontier
        was recorded or one of the two was not measured.
    """
    paths: dict[str, EpochPath] = {}
    for entry in (record.get(SNAPSHOTS) or {}).values():
        iid, ood = (entry.get(name, {}).get(metric) for name in ("iid", test))
        if entry.get("frontier") and iid is not None and ood is not None:
            paths.setdefault(str(entry["stage"]), []).append((float(iid), float(ood)))
    return paths


def shifted_tests(record: Mapping[str, Any]) -> list[str]:
    """Return the names of a run's tests but `iid`."""
    return [name for name in record["metrics"] if is_test(name) and name != "iid"]
