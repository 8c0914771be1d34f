"""`recbole_invariant.load`: from a run folder to a recommender, without the run's data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from recbole.data.transform import construct_transform
from recbole.utils import ModelType
from torch import Tensor

from recbole_invariant.config import CONFIG_FILE, RunConfig
from recbole_invariant.configuration.layers import Layer, default_layers
from recbole_invariant.configuration.wrapped import find_wrapped
from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.cold import why_not_scored
from recbole_invariant.evaluation.loader import RowItems
from recbole_invariant.evaluation.model_state import load_model
from recbole_invariant.evaluation.reopen import entry_of
from recbole_invariant.evaluation.run_record import read_record, read_table
from recbole_invariant.inference.probe import (
    SCORES,
    USERS,
    differs,
    probe_scores,
    undisturbed_generators,
)
from recbole_invariant.inference.recommender import Known, Recommender
from recbole_invariant.inference.scoring import Scorer
from recbole_invariant.inference.stand_in import build_stand_in
from recbole_invariant.inference.stored import CONTENT, HISTORY_ITEMS, HISTORY_STARTS, Stored
from recbole_invariant.inference.tokens import Tokens
from recbole_invariant.registry import ModelEntry
from recbole_invariant.training import seed_host

WITH_DATA = "`evaluate --run {run_dir}` works as long as its data is there."


def load(run_dir: str | Path, device: str = "cpu") -> Recommender:
    """Load a finished run's model; the files of its data set are not read.

    Args:
        run_dir: the run folder, wherever it was moved to.
        device: where the model computes, e.g. `cpu` or `cuda:0`.

    Returns:
        What recommends. Its scores are those of the model in the run's evaluation.

    Raises:
        InputError: the folder is not of a finished run, a file of it is missing or broken, or
            the model cannot be built without its data.
    """
    run_dir = Path(run_dir)
    record = read_record(run_dir)
    entry = entry_of(record)
    stored = Stored.read(run_dir)
    config = stored_config(run_dir, record, entry, device)
    users, items = read_ids(run_dir)
    seen = read_table(run_dir / records.SEEN_FILE, ("user", "item", "part"))
    pairs = _pairs(seen[seen["part"] == "train"])
    with undisturbed_generators():
        # of the seed that the training began with: some models draw what they keep of the data
        seed_host(config, "init")
        dataset = build_stand_in(config, stored, (users, items), pairs)
        model = _build(run_dir, config, entry, dataset)
    load_model(run_dir / records.MODEL_FILE, model)
    if CONTENT in stored.tensors:
        model.serve_content(stored.tensors[CONTENT])
    scorer = Scorer(model.to(config["device"]).eval(), dataset, config)
    known = _known(stored, (users, items), seen, scorer)
    _require_same_scores(run_dir, stored, scorer, known.histories)
    return Recommender(entry.name, scorer, known)


def stored_config(
    run_dir: Path, record: Mapping[str, Any], entry: ModelEntry, device: str
) -> RunConfig:
    """Return a run's options as its folder has them; no file of data is looked for.

    Raises:
        InputError: `config.yaml` is missing or broken, or there is no such device.
    """
    stored = Layer(CONFIG_FILE, read_yaml_mapping(str(run_dir / records.CONFIG_FILE)))
    stored.values["use_gpu"] = False
    negatives = stored.values.get("train_neg_sample_args") or {}
    if negatives.get("distribution") == "none":
        # what RecBole makes of null, and takes no longer for it
        stored.values["train_neg_sample_args"] = None
    name, dataset = entry.name, record["dataset"]
    wrapped, _ = find_wrapped(name, entry.model_class, dataset, [stored])
    variant = stored.values.get("variant")
    defaults = default_layers(name, entry.model_class, dataset, variant, wrapped)
    given = Layer("given", {"model": name, "dataset": dataset})
    config = RunConfig(entry, dataset, [*defaults, stored, given])
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device: {device}: there is none here ({error}).") from error
    config["device"] = torch.device(device)
    config["run_dir"] = None
    return config


def read_ids(run_dir: Path) -> tuple[Tokens, Tokens]:
    """Read the tokens of users and items."""
    table = read_table(run_dir / records.IDS_FILE, ("kind", "id", "token"))
    users, items = (
        table[table["kind"] == kind].sort_values("id")["token"].tolist()
        for kind in ("user", "item")
    )
    return Tokens("user", users), Tokens("item", items)


def _pairs(rows: pd.DataFrame) -> tuple[Tensor, Tensor]:
    """Return users and items of rows."""
    users, items = (torch.from_numpy(rows[c].to_numpy(np.int64).copy()) for c in ("user", "item"))
    return users, items


def _build(run_dir: Path, config: Any, entry: ModelEntry, dataset: Any) -> Any:
    """Build the model over a stand-in.

    Raises:
        InputError: it asks for more than a run folder has.
    """
    if config["MODEL_TYPE"] == ModelType.DECISIONTREE:
        raise InputError(f"{run_dir}: {entry.name} is a decision tree, which ranks no catalogue.")
    # some set names in the options that the model reads
    construct_transform(config)
    try:
        return entry.model_class(config, dataset)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{run_dir}: {entry.name} cannot be built without its data "
            f"({type(error).__name__}: {error}); {WITH_DATA.format(run_dir=run_dir)}"
        ) from error


def _known(
    stored: Stored, tokens: tuple[Tokens, Tokens], seen: pd.DataFrame, scorer: Scorer
) -> Known:
    """Put together what the folder says of users and items."""
    n_users, n_items = (len(side) + 1 for side in tokens)
    train = seen[seen["part"] == "train"]
    histories = None
    if HISTORY_STARTS in stored.tensors:
        parts = (stored.tensors[name].numpy() for name in (HISTORY_STARTS, HISTORY_ITEMS))
        histories = RowItems(*parts)
    pairs = seen["user"].to_numpy(np.int64), seen["item"].to_numpy(np.int64)
    if histories is not None and stored.about["history_is_seen"]:
        owners = np.repeat(np.arange(n_users), np.diff(histories.starts))
        pairs = np.r_[pairs[0], owners], np.r_[pairs[1], histories.items]
    config, dataset = scorer.config, scorer.dataset
    cold = {
        kind: why_not_scored("", kind, scorer.model, config, dataset) is None
        for kind in ("users", "items")
    }
    return Known(
        *tokens,
        RowItems.from_pairs(pairs, n_users),
        np.bincount(train["user"], minlength=n_users),
        np.bincount(train["item"], minlength=n_items),
        histories,
        histories is not None and scorer.reads_users(),
        cold["users"],
        cold["items"],
    )


def _require_same_scores(
    run_dir: Path, stored: Stored, scorer: Scorer, histories: RowItems | None
) -> None:
    """Hold a model against the scores that the run kept of it.

    Raises:
        InputError: its scores are others.
    """
    if SCORES not in stored.tensors:
        return
    kept = stored.tensors[SCORES]
    with undisturbed_generators():
        found = probe_scores(scorer, stored.tensors[USERS].numpy(), histories)
    if differs(found, kept):
        raise InputError(
            f"{run_dir}: built without its data, {scorer.config['model']} gives other scores than "
            "in the run: it reads something that a run folder does not hold, or the versions of "
            f"RecBole or torch changed it. {WITH_DATA.format(run_dir=run_dir)}"
        )
