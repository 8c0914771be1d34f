"""Planted sequences as a dataset folder: atomic files with the truth beside them."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from recbole_invariant.data.planted.files import (
    RECIPE,
    TRUTH_ITEMS,
    TRUTH_USERS,
    parquet,
    tokens,
    write_contents,
)
from recbole_invariant.data.planted.sequence_law import TESTS, PlantedSequences

TARGET_FIELD = "is_target"
"""Column of the interactions: 0 for a banner, which no model is to predict."""

ATTRIBUTE_FIELD = "attribute"


def write_sequences(data: PlantedSequences, folder: Path) -> list[Path]:
    """Write sequences into a folder that carries the dataset's name.

    Files, each starting with `<name>.`: `train.inter`, `valid.inter` and one `.inter` a test with
    user_id, item_id, timestamp (the place in the user's sequence, from 1) and is_target; `item`
    with item_id and attribute; `truth_users.parquet` (user_id, environment, cue_strength,
    training_cue_strength), `truth_items.parquet` (item_id, kind, group, attribute,
    log_popularity) and `planted.json` (options and seed). RecBole reads none of the last three.

    A banner stands in the file before its item's: the banner of the validation item ends the
    training file, and that of the tests' items the validation file, so that the history of every
    target ends in its own banner.

    Args:
        data: the sequences.
        folder: made where it is missing; its name is the dataset's.

    Returns:
        The files that were written; files that are there with the same bytes are left alone.

    Raises:
        InputError: the folder holds something else.
    """
    contents = {f"{name}.inter": content for name, content in _interactions(data).items()}
    contents["item"] = _items(data)
    contents[TRUTH_USERS] = parquet(_true_users(data))
    contents[TRUTH_ITEMS] = parquet(_true_items(data))
    recipe = {"kind": "sequences", "seed": data.seed, **asdict(data.options)}
    contents[RECIPE] = (json.dumps(recipe, indent=2) + "\n").encode()
    return write_contents(contents, folder)


def _interactions(data: PlantedSequences) -> dict[str, bytes]:
    """Return the text of each file of interactions."""
    items = np.array(tokens("i", np.arange(data.options.items)))
    history, targets = items[data.history], items[data.targets]
    is_target = np.ones(history.shape, dtype=np.int64)
    ends = [data.options.train, data.options.train + 1]
    if data.options.banners:
        shown = np.array(tokens("b", np.arange(data.options.banners)))[data.banners]
        pairs = np.stack([shown[:, :-1], history], axis=2).reshape(len(history), -1)
        history = np.concatenate([pairs, shown[:, -1:]], axis=1)
        is_target = np.arange(history.shape[1]) % 2 * np.ones((len(history), 1), dtype=np.int64)
        ends = [2 * end + 1 for end in ends]
    edges = [0, *ends]
    files = {
        name: _atomic(history[:, a:b], is_target[:, a:b], a)
        for name, a, b in zip(("train", "valid"), edges[:-1], edges[1:], strict=True)
    }
    one = np.ones((len(history), 1), dtype=np.int64)
    for k, name in enumerate(TESTS):
        files[name] = _atomic(targets[:, k : k + 1], one, ends[-1])
    return files


def _atomic(items: np.ndarray, is_target: np.ndarray, before: int) -> bytes:
    """Write rows `(users, n)` that follow on `before` others as RecBole's tab-separated text."""
    n_users, n = items.shape
    table = pd.DataFrame(
        {
            "user_id:token": np.repeat(tokens("u", np.arange(n_users)), n),
            "item_id:token": items.reshape(-1),
            "timestamp:float": np.tile(np.arange(before + 1, before + n + 1), n_users),
            f"{TARGET_FIELD}:float": is_target.reshape(-1),
        }
    )
    return bytes(table.to_csv(sep="\t", index=False, lineterminator="\n").encode())


def _items(data: PlantedSequences) -> bytes:
    """Write the `.item` file: the attribute, which a model may be given."""
    table = _true_items(data)
    lines = [
        f"item_id:token\t{ATTRIBUTE_FIELD}:token",
        *(f"{i}\ta{a}" for i, a in zip(table["item_id"], table["attribute"], strict=True)),
    ]
    return ("\n".join(lines) + "\n").encode()


def _true_users(data: PlantedSequences) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "user_id": tokens("u", np.arange(data.options.users)),
            "environment": data.world.environments,
            "cue_strength": data.cue_strengths,
            "training_cue_strength": data.training_strengths,
        }
    )


def _true_items(data: PlantedSequences) -> pd.DataFrame:
    """List items and banners; a banner has no group and no popularity."""
    world, n_banners = data.world, data.options.banners
    return pd.DataFrame(
        {
            "item_id": [
                *tokens("i", np.arange(data.options.items)),
                *tokens("b", np.arange(n_banners)),
            ],
            "kind": ["item"] * data.options.items + ["banner"] * n_banners,
            "group": np.r_[world.groups, np.full(n_banners, -1)],
            "attribute": np.r_[world.attributes, world.banner_attributes],
            "log_popularity": np.r_[world.log_popularity, np.full(n_banners, np.nan)],
        }
    )
