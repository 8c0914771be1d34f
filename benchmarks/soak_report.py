"""What `soak_resume.py` says: how a killed run differs from one that was left alone, and tables."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate


@dataclass
class Kill:
    """A kill, and where it hit.

    Attributes:
        phase: what the process was doing; `stage` is the stage it did it in.
        from_where: what the next process went on from.
    """

    stage: str
    phase: str
    from_where: str


@dataclass
class Case:
    """A run that was killed, once or several times.

    Attributes:
        differences: from the run that was left alone; empty where it is the same.
    """

    model: str
    kills: list[Kill] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def differences(whole: Path, killed: Path) -> list[str]:
    """Name what differs between two run folders."""
    found = [
        name
        for name in ("model.safetensors", "seen.parquet", "ids.parquet")
        if digest(whole / name) != digest(killed / name)
    ]
    ours, theirs = (pd.read_parquet(run / "per_user.parquet") for run in (whole, killed))
    found += [] if ours.equals(theirs) else ["per_user.parquet"]
    first, second = (outcome(run) for run in (whole, killed))
    return found + [key for key in first if first[key] != second[key]]


def digest(path: Path) -> str:
    """Compute a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def outcome(run: Path) -> dict[str, Any]:
    """Return what a run found, without times."""
    record = json.loads((run / "run.json").read_text())
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    keys = ("metrics", "selection", "diagnostics", "slices", "curves", "snapshots", "n_users")
    without = ("seconds",)
    return {
        **{key: record[key] for key in keys},
        "stages": [{k: v for k, v in one.items() if k not in without} for one in record["stages"]],
        "history": [{k: v for k, v in line.items() if k not in without} for line in lines],
    }


def report(cases: list[Case]) -> None:
    """Print what was killed where, and how many runs ended the same."""
    kills = [(case, kill) for case in cases for kill in case.kills]
    good = [(case, kill) for case, kill in kills if not case.differences]
    places = Counter((case.model, kill.stage or "-", kill.phase) for case, kill in kills)
    same = Counter((case.model, kill.stage or "-", kill.phase) for case, kill in good)
    rows = [[*place, number, same[place]] for place, number in sorted(places.items())]
    print(tabulate(rows, ["model", "stage", "killed in", "kills", "the same"]))
    print()
    for title, counted in (
        ("killed in", Counter(kill.phase for _, kill in kills)),
        ("went on from", Counter(kill.from_where for _, kill in kills)),
    ):
        print(f"{title}: " + ", ".join(f"{name} {n}" for name, n in counted.most_common()))
    runs = sum(not case.differences for case in cases)
    print(f"{runs} of {len(cases)} runs are the same, bit for bit")
    print(f"{len(good)} of {len(kills)} kills survived")
