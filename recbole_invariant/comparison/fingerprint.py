"""What tells one run from another: the options that matter, and the data."""

import hashlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recbole_invariant import __version__
from recbole_invariant.compat.host import found_versions
from recbole_invariant.data.modality_specs import parse_specs
from recbole_invariant.evaluation import records

WITHOUT_EFFECT = frozenset(
    {
        "baseline_options",
        "baselines",
        "checkpoint_dir",
        "checkpoint_minutes",
        "checkpoint_steps",
        "data_path",
        "eval_batch_size",
        "eval_memory_mb",
        "eval_users_per_batch",
        "gpu_id",
        "log_wandb",
        "show_progress",
        "state",
        "table_metrics",
        "torch_threads",
        "wandb_project",
    }
)
"""Options that change where, how fast and how loudly a run goes, not what comes out."""


def fingerprint(config: Any, model_class: type, seed: int, data: dict[str, str]) -> str:
    """Compute the name of a run's result.

    Args:
        config: the run's resolved options.
        model_class: the model; of one that is neither ours nor RecBole's the source counts too.
        seed: the run's seed.
        data: checksums of the data's files.

    Returns:
        Twelve hexadecimal digits. They change with the versions of this package, of RecBole and of
        torch, not with every edit of the code.
    """
    options = {
        key: option["value"]
        for key, option in records.options_of(config).items()
        if key not in WITHOUT_EFFECT
    }
    content = {
        "options": {**options, "seed": seed},
        "model": f"{model_class.__module__}.{model_class.__qualname__}",
        "source": source_checksum(model_class),
        "data": data,
        "version": __version__,
        "host": {name: found_versions()[name] for name in ("recbole", "torch")},
    }
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def source_checksum(model_class: type) -> str:
    """Return the checksum of a user's model, empty for ours and RecBole's."""
    if model_class.__module__.startswith(("recbole.", "recbole_invariant.")):
        return ""
    path = inspect.getsourcefile(model_class)
    return checksum(Path(path)) if path else ""


def data_fingerprint(config: Any, known: dict[Path, str]) -> dict[str, str]:
    """Compute the SHA-256 of every file that a run may read, by path.

    These are the files `<dataset>.*` in the dataset's folder and those that the option `modalities`
    names; what else lies there is nobody's input.

    Args:
        config: the run's resolved options.
        known: checksums of files read before; new ones are added.
    """
    folder, dataset = Path(config["data_path"]), str(config["dataset"])
    files = {
        path for path in folder.iterdir() if path.name.startswith(f"{dataset}.") and path.is_file()
    }
    files |= set(_feature_files(config, folder))
    known.update({path: checksum(path) for path in files - known.keys()})
    return {
        str(path.relative_to(folder) if path.is_relative_to(folder) else path): known[path]
        for path in sorted(files)
    }


def _feature_files(config: Any, folder: Path) -> Iterator[Path]:
    """Find the files that specs name, or read by default, such as the mapping of MMRec."""
    for spec in parse_specs(config["modalities"]):
        place = folder / Path(spec.options.get("dir") or ".").expanduser()
        for value in spec.options.values():
            if isinstance(value, str) and (path := place / Path(value).expanduser()).is_file():
                yield path


def checksum(path: Path) -> str:
    """Compute a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
