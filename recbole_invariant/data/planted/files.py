"""A planted world as a dataset folder: atomic files, features, and the truth beside them."""

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.data.planted.world import Clicks, PlantedData
from recbole_invariant.errors import InputError
from recbole_invariant.files import make_folder, write_atomically

TRUTH_INTERACTIONS = "truth_interactions.parquet"
TRUTH_FEATURES = "truth_features.parquet"
TRUTH_USERS = "truth_users.parquet"
TRUTH_ITEMS = "truth_items.parquet"
RECIPE = "planted.json"


def write(data: PlantedData, folder: Path) -> list[Path]:
    """Write a world into a folder that carries the dataset's name.

    Files, each starting with `<name>.`: `train.inter`, `valid.inter`, `iid.inter`,
    `ood_flip.inter`, `ood_remove.inter`; `<modality>.npy` and `item_tokens.txt`;
    `truth_interactions.parquet` (user_id, item_id, file, environment), `truth_features.parquet`
    (modality, dim, kind) and `planted.json` (options and seed). RecBole reads none of the last
    three.

    Args:
        data: the world.
        folder: made where it is missing; its name is the dataset's.

    Returns:
        The files that were written; files that are there with the same bytes are left alone.

    Raises:
        InputError: the folder holds something else.
    """
    return write_contents(_contents(data), folder)


def write_contents(named: dict[str, bytes], folder: Path) -> list[Path]:
    """Write files into a folder whose name starts theirs; see `write` for what is left alone.

    Raises:
        InputError: the folder holds something else, or cannot be written.
    """
    contents = {f"{folder.name}.{name}": content for name, content in named.items()}
    missing = _missing(folder, contents)
    if missing:
        make_folder(folder, "--out")
    for name in missing:
        write_atomically(folder / name, contents[name])
    return [folder / name for name in missing]


def _missing(folder: Path, contents: dict[str, bytes]) -> list[str]:
    """Name the files to write.

    Raises:
        InputError: a file with other content is there, or the folder is in use for other things.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; --out names a folder.")
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    others = [
        name
        for name in contents
        if name in there and (folder / name).read_bytes() != contents[name]
    ]
    if others or (there and not there & set(contents)):
        what = f"{others[0]} of another seed or size" if others else f"files such as {min(there)}"
        raise InputError(
            f"{folder}: the folder holds {what}; nothing is overwritten. Name another folder with "
            "--out, or delete this one."
        )
    return [name for name in contents if name not in there]


def _contents(data: PlantedData) -> dict[str, bytes]:
    """Return the bytes of every file; the truth last."""
    contents = {f"{name}.inter": _atomic(clicks) for name, clicks in data.clicks.items()}
    for modality, values in data.features.items():
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        contents[f"{modality}.npy"] = buffer.getvalue()
    items = "".join(f"{token}\n" for token in tokens("i", np.arange(data.options.items)))
    contents["item_tokens.txt"] = items.encode()
    contents[TRUTH_INTERACTIONS] = parquet(_true_environments(data))
    contents[TRUTH_FEATURES] = parquet(_true_kinds(data))
    contents[RECIPE] = _recipe(data.options, data.seed)
    return contents


def _recipe(options: PlantedOptions, seed: int) -> bytes:
    recipe = {"kind": "items", "seed": seed, **asdict(options)}
    return (json.dumps(recipe, indent=2) + "\n").encode()


def is_written(options: PlantedOptions, seed: int, folder: Path) -> bool:
    """Say whether `write` has put this world into a folder, by the recipe that it writes last."""
    path = folder / f"{folder.name}.{RECIPE}"
    return path.is_file() and path.read_bytes() == _recipe(options, seed)


def tokens(letter: str, numbers: np.ndarray) -> list[str]:
    """Name users and items; numbers say nothing, since causes are drawn independently of them."""
    return [f"{letter}{number}" for number in numbers]


def _atomic(clicks: Clicks) -> bytes:
    """Write rows as RecBole's tab-separated text."""
    pairs = zip(tokens("u", clicks.users), tokens("i", clicks.items), strict=True)
    lines = ["user_id:token\titem_id:token", *(f"{user}\t{item}" for user, item in pairs)]
    return ("\n".join(lines) + "\n").encode()


def _true_environments(data: PlantedData) -> pd.DataFrame:
    tables = [
        pd.DataFrame(
            {
                "user_id": tokens("u", clicks.users),
                "item_id": tokens("i", clicks.items),
                "file": name,
                "environment": clicks.environments,
            }
        )
        for name, clicks in data.clicks.items()
    ]
    return pd.concat(tables, ignore_index=True)


def _true_kinds(data: PlantedData) -> pd.DataFrame:
    tables = [
        pd.DataFrame({"modality": modality, "dim": np.arange(len(kinds)), "kind": kinds})
        for modality, kinds in data.kinds.items()
    ]
    return pd.concat(tables, ignore_index=True)


def parquet(table: pd.DataFrame) -> bytes:
    """Return a table as the bytes of a parquet file."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()
