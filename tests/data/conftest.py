"""Tiny datasets as atomic files, and RecBole configs over them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recbole.config import Config

from recbole_invariant.data.modality_sources.base import SourceContext

# users x, y, z; items "7" and "007" differ only as text
INTERACTIONS = [("x", "7"), ("x", "007"), ("y", "a b"), ("y", "7"), ("z", "9"), ("z", "007")]
ITEMS = ["7", "007", "a b", "9"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`<tmp>/toy` with `toy.inter` (4 items) and `toy.item` (one more item, 'unseen')."""
    path = tmp_path / "toy"
    path.mkdir()
    rows = "".join(f"{user}\t{item}\n" for user, item in INTERACTIONS)
    (path / "toy.inter").write_text("user_id:token\titem_id:token\n" + rows)
    (path / "toy.item").write_text(
        "item_id:token\ttitle:token_seq\ttags:token_seq\tkind:token\n"
        "unseen\tAnother Unseen Film\t9 8\tfilm\n"
        "9\tThe Red Fox\t1 2\tfilm\n"
        "7\tThe Blue Fox\t1\tseries\n"
        "a b\tNone\t\tfilm\n"
        "007\tNull Hypothesis\t2 3\tseries\n"
    )
    return path


@pytest.fixture
def write_npy(folder: Path) -> Callable[..., None]:
    """Write `toy.<name>.npy` and, if tokens are given, `toy.item_tokens.txt`."""

    def write(name: str, values: np.ndarray, tokens: list[str] | None = None) -> None:
        np.save(folder / f"toy.{name}.npy", values)
        if tokens is not None:
            (folder / "toy.item_tokens.txt").write_text("\n".join(tokens) + "\n")

    return write


@pytest.fixture
def context(folder: Path) -> SourceContext:
    """The context of modality `visual` with the catalogue 7, 007, 'a b', 9."""
    token2id = {"[PAD]": 0, **{token: k + 1 for k, token in enumerate(ITEMS)}}
    return SourceContext("visual", "toy", folder, token2id, "item_id")


@pytest.fixture
def host_config(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Build RecBole's own Config for `toy` with extra options."""
    monkeypatch.setattr(sys, "argv", ["pytest"])  # RecBole reads the command line

    def build(**options: Any) -> Any:
        options = {
            "data_path": str(folder.parent),
            "load_col": {"inter": ["user_id", "item_id"]},
            "checkpoint_dir": str(folder.parent / "saved"),
            "use_gpu": False,
            **options,
        }
        return Config(model="BPR", dataset="toy", config_dict=options)

    return build
