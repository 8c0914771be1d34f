"""Find a run that was left unfinished, and check that what goes on is still the same run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from recbole_invariant.comparison.fingerprint import data_fingerprint, source_checksum
from recbole_invariant.config import CONFIG_FILE, RunConfig, build_config
from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.reopen import resolve_or_none
from recbole_invariant.folder_lock import in_use
from recbole_invariant.registry import ModelEntry, resolve
from recbole_invariant.run_start import (
    CHECKPOINTS,
    FREE,
    START_FILE,
    Start,
    is_finished,
    read_start,
)
from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder
from recbole_invariant.trainer.host import is_staged

AUTO = "auto"

OTHER, FINISHED, RUNNING, UNFINISHED = "other options", "finished", "still running", "unfinished"


@dataclass(frozen=True)
class Given:
    """What a user gives beside the run to go on with; see `quick_start.run`."""

    model: str | type | None = None
    dataset: str | None = None
    config: Mapping[str, Any] | None = None
    config_files: Sequence[str] = ()
    command_line: Mapping[str, str] | None = None


def find_unfinished(
    output_dir: Path, start: Start, run_name: str | None = None
) -> tuple[Path | None, str]:
    """Look for the newest unfinished run of the same configuration.

    Args:
        output_dir: where run folders are.
        start: of the run that would begin now.
        run_name: look at the folder of this name only.

    Returns:
        The folder or None, and in words what was looked at.
    """
    paths = sorted(output_dir.glob(f"{run_name or '*'}/{START_FILE}"))
    kinds = {path.parents[1]: _kind(path.parents[1], start) for path in paths}
    unfinished = [folder for folder, kind in kinds.items() if kind == UNFINISHED]
    counts = Counter(kinds.values())
    looked = ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items()))
    said = f"resume: looked at {len(kinds)} run folder{'' if len(kinds) == 1 else 's'} in "
    said += f"{output_dir}{f' ({looked})' if looked else ''}"
    if not unfinished:
        return None, f"{said}: none is an unfinished run of these options; a new run begins"
    newest = max(unfinished, key=lambda folder: read_start(folder).began)
    return newest, f"{said}: going on with {newest}"


def _kind(folder: Path, start: Start) -> str:
    """Say what a run folder is to the run that would begin now."""
    try:
        found = read_start(folder)
        if found.configuration != start.configuration:
            return OTHER
        if is_finished(folder):
            return FINISHED
    except InputError:
        return "unreadable"
    return RUNNING if in_use(folder / CHECKPOINTS) else UNFINISHED


def entry_of(start: Start, given: Given) -> ModelEntry:
    """Return the model of a run.

    Raises:
        InputError: another model or dataset is given.
    """
    known = resolve_or_none(start.model)
    if isinstance(given.model, type):
        entry = resolve(given.model)
    elif known is not None and _path(known) == start.model_class:
        entry = known
    else:
        entry = resolve(start.model_class)
    asked = entry if given.model is None else resolve(given.model)
    problems = []
    if _path(asked) != start.model_class:
        problems.append(f"model: the run is of {start.model}, given is {asked.name}.")
    if given.dataset is not None and given.dataset != start.dataset:
        problems.append(f"dataset: the run is on {start.dataset}, given is {given.dataset}.")
    if problems:
        raise InputError([f"{problem} Leave it away, or start a new run." for problem in problems])
    return entry


def _path(entry: ModelEntry) -> str:
    return f"{entry.model_class.__module__}.{entry.model_class.__qualname__}"


def stored_config(run_dir: Path, start: Start, entry: ModelEntry, given: Given) -> RunConfig:
    """Resolve the options of a run as they were when it began.

    Every option has the layer that set it then: what a user said is passed on to baselines.

    Args:
        run_dir: the run folder.
        start: how it began.
        entry: its model.
        given: options beside; those of `FREE` may differ.

    Raises:
        InputError: an option that may change the result differs, or `config.yaml` was changed.
    """
    file = str(run_dir / CHECKPOINTS / records.CONFIG_FILE)
    before = {key: option["value"] for key, option in start.options.items()}
    problems = _edited(run_dir, before)
    files, command_line = [file, *given.config_files], dict(given.command_line or {})
    config = build_config(
        entry.model_class, start.dataset, dict(given.config or {}), files, command_line, file
    )
    for key, option in records.options_of(config).items():
        if key not in before or option["value"] == before[key]:
            config.layers[key] = start.options.get(key, option)["layer"]
        elif key not in FREE:
            stored = option["layer"] == f"{CONFIG_FILE} {file}"
            now = "this version makes of it" if stored else f"given ({option['layer']}) is"
            problems.append(
                f"{key}: the run in {run_dir} has {before[key]!r}, {now} {option['value']!r}. A "
                "resumed run keeps its options: leave it away, or start a new run."
            )
    if problems:
        raise InputError(problems)
    config.warnings = list(start.warnings)
    return config


def _edited(run_dir: Path, before: Mapping[str, Any]) -> list[str]:
    """Name the options of a `config.yaml` that was edited after the run began."""
    path = run_dir / records.CONFIG_FILE
    if not path.is_file():
        return []
    # what a protocol leaves of `ood` is known only when the data is loaded
    apart = {*FREE, "ood"}
    found = {k: value for k, value in read_yaml_mapping(str(path)).items() if k not in apart}
    return [
        f"{path}: {key} is {found[key]!r}, the run began with {before.get(key)!r}. A resumed run "
        "keeps its options: undo the change, or start a new run with --config_files."
        for key in sorted(found)
        if found[key] != before.get(key)
    ]


def whence(run_dir: Path, entry: ModelEntry, config: Any) -> str:
    """Say from where a run goes on."""
    if (run_dir / records.RUN_FILE).is_file():
        return f"resume: {entry.name} itself is done; what stands beside it goes on"
    if CheckpointFolder(run_dir / CHECKPOINTS).exists():
        return f"resume: {entry.name} goes on from its last checkpoint"
    if not is_staged(entry, config):
        return (
            f"resume: {entry.name} is trained by a loop of RecBole's own, which writes no "
            "checkpoints: it starts anew in the same folder"
        )
    return f"resume: {entry.name} has no checkpoint yet: it starts anew in the same folder"


def changes_since(start: Start, config: Any, entry: ModelEntry) -> list[str]:
    """Return warnings of what differs from the beginning without being wrong.

    Raises:
        InputError: the data changed.
    """
    data, problems = data_fingerprint(config, {}), []
    for name in sorted({*data, *start.data}):
        if data.get(name) != start.data.get(name):
            how = "changed" if name in data and name in start.data else "came or went"
            problems.append(
                f"data: {name} {how} since the run began. A resumed run needs the same data: "
                "bring it back, or start a new run."
            )
    if problems:
        raise InputError(problems)
    now = records.versions()
    changed = [
        f"{name} {start.versions.get(name)} -> {version}"
        for name, version in now.items()
        if version != start.versions.get(name)
    ]
    if source_checksum(entry.model_class) != start.source:
        changed.append(f"the source of {start.model}")
    if torch.get_num_threads() != start.threads:
        changed.append(f"threads {start.threads} -> {torch.get_num_threads()}")
    if not changed:
        return []
    return [
        f"resume: changed since the run began: {', '.join(changed)}. It may not end with the bits "
        "of an uninterrupted one."
    ]
