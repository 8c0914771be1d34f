"""The files of a run folder: what was run, on what, with which result.

`run.json` is written last, so that a folder with one is a whole run; one without holds what an
interrupted run had got to.
"""

import hashlib
import io
import json
import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from recbole_invariant import __version__, compat
from recbole_invariant.compat.host import found_versions
from recbole_invariant.data.dataset import MultimodalDataset
from recbole_invariant.data.splits.base import is_test
from recbole_invariant.data.splits.parts import Parts
from recbole_invariant.errors import InputError
from recbole_invariant.files import write_atomically

RUN_FILE = "run.json"
CONFIG_FILE = "config.yaml"
MODEL_FILE = "model.safetensors"
IDS_FILE = "ids.parquet"
SEEN_FILE = "seen.parquet"
PER_USER_FILE = "per_user.parquet"

DERIVED_KEYS = frozenset({"MODEL_TYPE", "MODEL_INPUT_TYPE", "eval_type", "device", "run_dir"})
"""Keys that RecBole or a run sets itself; they are not options."""


def plain(value: Any) -> Any:
    """Turn a value into what JSON and YAML know; a number that is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | torch.Tensor):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.name.lower() if isinstance(value, Enum) else str(value)


def options_of(config: Any) -> dict[str, dict[str, Any]]:
    """List the resolved options with the layer that set each.

    Args:
        config: a `RunConfig`.

    Returns:
        key -> `value` (JSON) and `layer`, sorted by key.
    """
    options = {
        key: {"value": plain(config[key]), "layer": config.layers[key]}
        for key in sorted(config.layers)
        if key not in DERIVED_KEYS
    }
    if "data_path" in options:
        options["data_path"]["value"] = data_folder(config)
    return options


def data_folder(config: Any) -> str:
    """Return `data_path` as the user gives it; RecBole adds the dataset's name to it."""
    return str(Path(config["data_path"]).parent)


def write_config(run_dir: Path, options: Mapping[str, Mapping[str, Any]]) -> None:
    """Write `config.yaml`: the value of every option, enough to repeat the run.

    What RecBole leaves empty is left out: its own checks do not take null for all of these.
    Keys inside a value keep their order: that of the modalities is the order of the features.
    """
    values = {
        key: option["value"]
        for key, option in options.items()
        if option["value"] is not None or not option["layer"].startswith("RecBole")
    }
    ordered = dict(sorted(values.items()))
    text = yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True)
    write_atomically(run_dir / CONFIG_FILE, text)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: the file is missing or broken.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; a finished run has one.")
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable ({error}).") from error
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object, keys in their own order."""
    write_atomically(path, json_text(content))


def json_text(content: Mapping[str, Any]) -> str:
    """Return a JSON object as text to be read by people too, keys in their own order."""
    return json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as parquet."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_atomically(path, buffer.getvalue())


def write_ids(run_dir: Path, dataset: Any) -> None:
    """Write `ids.parquet`: kind (`user` or `item`), internal id, raw token; padding left out."""
    tables = []
    for kind, field in (("user", dataset.uid_field), ("item", dataset.iid_field)):
        tokens = [str(token) for token in dataset.field2id_token[field]][1:]
        ids = np.arange(1, len(tokens) + 1)
        tables.append(pd.DataFrame({"kind": kind, "id": ids, "token": tokens}))
    write_table(run_dir / IDS_FILE, pd.concat(tables, ignore_index=True))


def write_seen(run_dir: Path, parts: Parts) -> None:
    """Write `seen.parquet`: user and item (internal ids) and part (`train`, `valid`, `ood_valid`).

    Rows stand by user and, where the data has times, in time order.
    """
    tables = []
    for name, part in parts.by_name.items():
        if is_test(name):
            continue
        columns = {"user": part.uid_field, "item": part.iid_field}
        if part.time_field and part.time_field in part.inter_feat.columns:
            columns["time"] = part.time_field
        table = pd.DataFrame({k: part.inter_feat[field].numpy() for k, field in columns.items()})
        tables.append(table.assign(part=name))
    seen = pd.concat(tables, ignore_index=True)
    order = [column for column in ("user", "time") if column in seen.columns]
    seen = seen.sort_values(order, kind="stable", ignore_index=True)
    write_table(run_dir / SEEN_FILE, seen[["user", "item", "part"]])


def write_per_user(run_dir: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write `per_user.parquet`: split, user_id and a column a metric, one row a test user."""
    table = join_per_user(tables)
    if len(table):
        write_table(run_dir / PER_USER_FILE, table)


def join_per_user(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put the test sets' per-user tables below each other, with a column `split`."""
    named = [table.assign(split=name) for name, table in tables.items() if len(table)]
    if not named:
        return pd.DataFrame({"split": [], "user_id": []})
    table = pd.concat(named, ignore_index=True)
    rest = [column for column in table.columns if column not in ("split", "user_id")]
    return table[["split", "user_id", *rest]]


def versions() -> dict[str, str | None]:
    """Return the versions of this package, of python and of the libraries it stands on."""
    return {"recbole_invariant": __version__, **found_versions()}


def data_checksums(folder: Path, dataset: str) -> dict[str, str]:
    """Compute the SHA-256 of every file of a dataset, by name."""
    return {path.name: _sha256(path) for path in sorted(folder.glob(f"{dataset}.*"))}


def _sha256(path: Path) -> str:
    """Compute a file's SHA-256 as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe_modalities(dataset: Any) -> dict[str, dict[str, Any]]:
    """Say dim, coverage and checksum of each modality; empty where the model takes none."""
    if not isinstance(dataset, MultimodalDataset):
        return {}
    return {
        name: {"dim": m.dim, "coverage": m.coverage, "checksum": m.checksum}
        for name, m in dataset.modalities.items()
    }


def describe_data(config: Any, dataset: Any, parts: Parts) -> dict[str, Any]:
    """Say what a run's data was: sizes of each split, the cut, modalities and checksums."""
    sizes = parts.sizes()
    counts = {
        key: {name: size[key] for name, size in sizes.items()}
        for key in ("n_users", "n_items", "n_interactions")
    }
    return {
        "protocol": parts.protocol,
        "split": parts.notes,
        "split_checksum": parts.checksum(),
        **counts,
        "modalities": describe_modalities(dataset),
        "data": data_checksums(Path(config["data_path"]), config["dataset"]),
    }


def describe_host() -> dict[str, Any]:
    """Say which versions ran and which mends were in force."""
    return {"versions": versions(), "mends": compat.mends_in_force()}
