"""The examples of docs/inference.md run."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recbole_invariant as ri
from recbole_invariant.cli.main import main
from recbole_invariant.errors import InputError
from tests.inference.runs import GENERAL, SEQUENTIAL, finished, write_data

PAGE = (Path(__file__).parents[2] / "docs" / "inference.md").read_text(encoding="utf-8")
TOKENS = {"196": "u1", "186": "u2", "242": "i1", "302": "i2", "51": "i3"}


def blocks(kind: str) -> list[str]:
    """Return the page's blocks of code, with tokens of the toy."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    texts = [text for language, text in found if language == kind]
    return [re.sub(r"\b(196|186|242|302|51)\b", lambda m: TOKENS[m[0]], text) for text in texts]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page")
    write_data(path)
    return path


def test_the_examples_in_python(folder: Path) -> None:
    general, sequential = blocks("python")
    made = finished(folder, "BPR", **GENERAL)
    exec(compile(general, "docs/inference.md", "exec"), {"run_dir": made.run_dir})
    model = ri.load(finished(folder, "SASRec", **SEQUENTIAL).run_dir)
    exec(compile(sequential, "docs/inference.md", "exec"), {"model": model})
    with pytest.raises(InputError, match="the scores of SASRec are not dot products"):
        model.vectors()


def test_the_examples_on_the_command_line(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = finished(folder, "LightGCN", **GENERAL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "users.txt").write_text("u1\nu2\n")
    (tmp_path / "items.txt").write_text("i1\ni2\n")
    lines = next(text for text in blocks("") if "recommend --run" in text).splitlines()
    assert len(lines) == 3
    for line in lines:
        words = line.partition("#")[0].replace("RUN_DIR", str(made.run_dir)).split()
        assert main(words[1:]) == 0
    model = ri.load(made.run_dir)
    assert pd.read_parquet(tmp_path / "recs.parquet")["user_id"].nunique() == len(model.users)


@pytest.mark.parametrize("name", ["BPR", "LightGCN", "UltraGCN"])
def test_dot_products_of_the_vectors_are_the_scores(
    folder: Path, tmp_path: Path, name: str
) -> None:
    model = ri.load(finished(folder, name, **GENERAL).run_dir)
    model.vectors().save(tmp_path / "vectors.npz")
    stored = np.load(tmp_path / "vectors.npz", allow_pickle=False)
    scores = stored["user_vectors"] @ stored["item_vectors"].T
    table = model.recommend(stored["users"], k=len(stored["items"]), exclude_seen=False)
    at = [
        {token: n for n, token in enumerate(stored[kind].tolist())} for kind in ("users", "items")
    ]
    found = scores[[at[0][u] for u in table["user_id"]], [at[1][i] for i in table["item_id"]]]
    np.testing.assert_allclose(found, table["score"], rtol=1e-5, atol=1e-6)
