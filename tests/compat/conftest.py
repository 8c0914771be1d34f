"""Tiny atomic files and RecBole configs over them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recbole.config import Config

from recbole_invariant import compat

INTERACTIONS = [
    ("u1", "a"),
    ("u1", "b"),
    ("u1", "c"),
    ("u2", "a"),
    ("u2", "b"),
    ("u2", "d"),
    ("u3", "b"),
    ("u3", "c"),
    ("u3", "d"),
]
ITEM_FEATURES = """\
item_id:token\tbrand:token\tprice:float\ttags:token_seq\temb:float_seq
a\tacme\t1.0\tred blue\t1 2
b\t\t\t\t
c\tbest\t4.0\tblue\t3 5
"""
"""Item b misses every feature; item d has no row at all."""

MakeConfig = Callable[..., Config]


@pytest.fixture
def make_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeConfig:
    """Return a function (model, **options) -> Config of the toy data set; cwd is a new folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["test"])
    folder = tmp_path / "data" / "toy"
    folder.mkdir(parents=True)
    rows = [f"{user}\t{item}\t5\t{n}" for n, (user, item) in enumerate(INTERACTIONS)]
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
    (folder / "toy.inter").write_text("\n".join([header, *rows]) + "\n")
    (folder / "toy.item").write_text(ITEM_FEATURES)

    def make(model: str = "BPR", **options: Any) -> Config:
        settings: dict[str, Any] = {
            "data_path": str(tmp_path / "data"),
            "load_col": {"inter": ["user_id", "item_id"], "item": "*"},
            "filter_inter_by_user_or_item": False,
            "use_gpu": False,
            "embedding_size": 4,
            "topk": [2],
            "metrics": ["Recall"],
            "valid_metric": "Recall@2",
            "eval_args": {"split": {"RS": [1, 1, 1]}, "order": "RO", "mode": "full"},
            "show_progress": False,
            "epochs": 1,
        }
        return Config(model=model, dataset="toy", config_dict=settings | options)

    return make


def run_python(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a new process that finds this package and, before it, the given folders."""
    root = Path(compat.__file__).parents[2]
    lines = "import sys\n" + "".join(f"sys.path.insert(0, {str(p)!r})\n" for p in (root, *path))
    command = [sys.executable, "-c", lines + code]
    return subprocess.run(command, capture_output=True, text=True, check=False)
