"""Finished runs as they lie in a folder: whatever has a `run.json`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from recbole_invariant.comparison.own_options import options_told_apart
from recbole_invariant.comparison.structure import structural_label
from recbole_invariant.data.splits.base import is_test
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.run_record import read_record, read_table

LABEL_FILE = "compare.json"
"""What `compare` says of a run beyond its record: the label, and its place in the table."""

CONTROL = " (random control)"
"""What a random control's label has after its model's."""

TUNED = " (tuned)"
"""What the label of a search's best run has after its model's; of several the search's name."""

SEARCH_FILE, BEST_FOLDER = "tune.json", "best"
"""What was asked of a search, in its folder, and the folder of its best run beside it."""

TRIAL = "trial"
"""Entry of `run.json` that only a trial of a search has."""


@dataclass(frozen=True)
class FoundRun:
    """A finished run.

    Attributes:
        label: its line in a table: the model, with the options that are this line's own, as in
            `PaInvRL[n_environments=5]`; a random control has `(random control)` behind it. A run
            that `compare` did not make is named by its structure (`structural_label`), with the
            options in which it differs from another of its seed (`options_told_apart`), the best
            run of a search with `(tuned)` behind it, `(tuned, NAME)` where several searches have
            the same label.
        model: name of the model.
        dataset: name of the dataset.
        protocol: the protocol of its split, None for RecBole's own; a control has that of the run
            beside which it stands.
        seed: the seed of the run.
        record: the content of `run.json`.
        folder: the run folder.
        position: place of the label among those of its comparison; 0 outside of one.
        is_control: whether this is a random control.
        reused: whether `compare` found it done.
        search: of `compare --tune`: what the search was that found its options.
        is_tuned: whether it is the best run of a search by `tune`.
        is_named: whether `compare` gave it its label.
    """

    label: str
    model: str
    dataset: str
    protocol: str | None
    seed: int
    record: dict[str, Any] = field(repr=False)
    folder: Path
    position: int = 0
    is_control: bool = False
    reused: bool = False
    search: dict[str, Any] | None = field(default=None, repr=False)
    is_tuned: bool = False
    is_named: bool = False

    @property
    def tests(self) -> list[str]:
        """Names of its test sets."""
        return [name for name in self.record["metrics"] if is_test(name)]

    def per_user(self) -> pd.DataFrame:
        """Read `per_user.parquet`: split, user_id and a column a metric; empty where absent."""
        path = self.folder / records.PER_USER_FILE
        if not path.is_file():
            return pd.DataFrame({"split": [], "user_id": []})
        return read_table(path, ("split", "user_id"))


ByLabel = Mapping[str, Sequence[FoundRun]]
"""The runs of every line of a table."""


def find_runs(folder: str | Path) -> list[FoundRun]:
    """Find every finished run in a folder, at any depth; baselines and controls are runs too.

    Trials of a search are left out: they are measured on no test. Its best trial is measured in a
    run folder of its own, which is found.

    Returns:
        The runs by dataset, protocol, place in their comparison, label and seed.

    Raises:
        InputError: there is no such folder, or a `run.json` cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder of runs.")
    found = [read_run(path.parent) for path in sorted(folder.rglob(records.RUN_FILE))]
    runs = _searches_told_apart([run for run in found if TRIAL not in run.record], folder)
    return sorted(
        options_told_apart(runs),
        key=lambda run: (
            run.dataset,
            run.protocol or "",
            run.is_control,
            run.position,
            run.label,
            run.seed,
        ),
    )


def read_run(folder: Path, reused: bool = False) -> FoundRun:
    """Read one finished run.

    Raises:
        InputError: its `run.json` is missing, broken or of another program.
    """
    record = read_record(folder, ("model", "dataset", "seed", "metrics", "selection"))
    beside = folder.parent if folder.name == "control" else None
    is_control = beside is not None and (beside / records.RUN_FILE).is_file()
    owner = beside if is_control and beside is not None else folder
    about = records.read_json(owner / LABEL_FILE) if (owner / LABEL_FILE).is_file() else {}
    protocol = record.get("protocol")
    if is_control:
        protocol = records.read_json(owner / records.RUN_FILE).get("protocol")
    return FoundRun(
        label=str(about.get("label") or _own_label(owner, record))
        + (CONTROL if is_control else ""),
        model=str(record["model"]),
        dataset=str(record["dataset"]),
        protocol=protocol,
        seed=int(record["seed"]),
        record=record,
        folder=folder,
        position=int(about.get("position", 0)),
        is_control=is_control,
        reused=reused,
        search=about.get("search"),
        is_tuned=_is_tuned(owner),
        is_named="label" in about,
    )


def _own_label(folder: Path, record: Mapping[str, Any]) -> str:
    """Name a run that `compare` did not make; a tuned one is no further seed of the defaults."""
    return structural_label(record) + (TUNED if _is_tuned(folder) else "")


def _is_tuned(folder: Path) -> bool:
    """Say whether a run folder is that of a search's best options."""
    return folder.name == BEST_FOLDER and (folder.parent / SEARCH_FILE).is_file()


def _searches_told_apart(runs: Sequence[FoundRun], folder: Path) -> list[FoundRun]:
    """Add the search's folder to the labels of tuned runs that several searches have.

    Each search has found its own options: together they would be averaged, or be one seed twice.
    """
    searches = {_search_folder(run) for run in runs if TUNED in run.label}
    labels = Counter(
        label for label, _ in {(r.label, _search_folder(r)) for r in runs if TUNED in r.label}
    )
    names = Counter(search.name for search in searches)
    told = []
    for run in runs:
        if labels[run.label] > 1:
            search = _search_folder(run)
            place = search.relative_to(folder).as_posix() if names[search.name] > 1 else search.name
            own = f"{TUNED.removesuffix(')')}, {place})"
            run = replace(run, label=run.label.replace(TUNED, own))
        told.append(run)
    return told


def _search_folder(run: FoundRun) -> Path:
    """Return the folder of the search of whose best run this is, or the control beside it."""
    return run.folder.parent.parent if run.is_control else run.folder.parent
