"""Toy sequences for tests of sequential models."""

from pathlib import Path
from typing import Any

import numpy as np

from recbole_invariant.config import build_config
from recbole_invariant.preparation import Prepared, prepare
from recbole_invariant.registry import resolve
from recbole_invariant.training import build, fit

SMALL: dict[str, dict[str, Any]] = {
    "GRU4Rec": {"embedding_size": 8, "hidden_size": 12, "dropout_prob": 0.0},
    "NARM": {"embedding_size": 8, "hidden_size": 12, "dropout_probs": [0.0, 0.0]},
    "STAMP": {"embedding_size": 8},
    "SASRec": {},
    "BERT4Rec": {"mask_ratio": 0.4},
    "LightSANs": {"k_interests": 3},
}
"""Options that make each backbone small and free of dropout."""

WITH_ITEMS: dict[str, Any] = {
    "load_col": {
        "inter": ["user_id", "item_id", "timestamp"],
        "item": ["item_id", "kind", "tags"],
    }
}
"""Options that load the items' attributes."""

ATTENTION: dict[str, Any] = {
    "n_layers": 1,
    "n_heads": 2,
    "hidden_size": 8,
    "inner_size": 16,
    "hidden_dropout_prob": 0.0,
    "attn_dropout_prob": 0.0,
}
for name in ("SASRec", "BERT4Rec", "LightSANs"):
    SMALL[name] = {**ATTENTION, **SMALL[name]}


def write_sequences(folder: Path, n_users: int = 40, n_items: int = 30, seed: int = 0) -> None:
    """Write `toy.inter` with times, each item mostly follows the one before it, and `toy.item`.

    Item i has the attribute `kind` ki, i modulo 3, and two `tags`.
    """
    rng = np.random.default_rng(seed)
    lines = ["user_id:token\titem_id:token\ttimestamp:float"]
    for user in range(n_users):
        item = int(rng.integers(n_items))
        for time in range(int(rng.integers(6, 14))):
            lines.append(f"u{user}\ti{item}\t{time}")
            item = (item + 1) % n_items if rng.random() < 0.8 else int(rng.integers(n_items))
    (folder / "toy").mkdir(exist_ok=True)
    (folder / "toy" / "toy.inter").write_text("\n".join(lines) + "\n")
    items = [f"i{item}\tk{item % 3}\tt{item % 2} t{2 + item % 5}" for item in range(n_items)]
    table = "\n".join(["item_id:token\tkind:token\ttags:token_seq", *items])
    (folder / "toy" / "toy.item").write_text(table + "\n")


def options(folder: Path, **changes: Any) -> dict[str, Any]:
    """Options of a quick run on the toy."""
    values: dict[str, Any] = {
        "data_path": str(folder),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "MAX_ITEM_LIST_LENGTH": 8,
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"},
        "topk": [5],
        "valid_metric": "NDCG@5",
        "show_progress": False,
        "use_gpu": False,
        "train_batch_size": 64,
        "learning_rate": 0.01,
        "eval_step": 1,
        "epochs": 2,
    }
    return {**values, **changes}


def prepared(folder: Path, model: str, **changes: Any) -> tuple[Any, Prepared, Any, Any]:
    """Return options, data, model and trainer, before training."""
    entry = resolve(model)
    config = build_config(model, "toy", options(folder, **changes))
    config["checkpoint_dir"] = str(folder / "saved")
    data = prepare(config, entry)
    return config, data, *build(config, entry, data)


def trained(folder: Path, model: str, **changes: Any) -> tuple[Any, Any, Prepared]:
    """Return model, trainer and data after training."""
    config, data, made, trainer = prepared(folder, model, **changes)
    fit(config, trainer, data)
    return made, trainer, data
