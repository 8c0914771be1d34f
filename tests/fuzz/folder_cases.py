"""Cases of run folders, searches and checkpoints: files that are missing, cut or altered."""

import io
import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from hypothesis import strategies as st

import recbole_invariant as ri
from recbole_invariant.evaluation.reopen import evaluate_run
from recbole_invariant.report.page import write_report
from recbole_invariant.trainer.checkpoint import load_checkpoint, save_checkpoint
from recbole_invariant.tuning.journal import JOURNAL_FILE, Journal
from recbole_invariant.tuning.plan import PLAN_FILE, checked, read_plan
from recbole_invariant.tuning.storage import Storage
from tests.fuzz.atomic_cases import NAME, WHOLE, write
from tests.fuzz.attempts import Case
from tests.tuning.searches import search

RUN = "run"
TEXTS = ("run.json", "config.yaml", "history.jsonl")
TABLES = ("ids.parquet", "seen.parquet", "per_user.parquet")
TENSORS = ("model.safetensors", "inference.safetensors")
ODD: tuple[Any, ...] = (None, True, -1, 0.5, "", "x", [], {}, [1], {"x": 1}, [None], 10**30)
CONTENTS = (b"", bytes(64), b"{}", b"[]", b"null", b"x", b"PAR1", b"\xff\xfe")
Change = tuple[str, Callable[[Path], object]]


@cache
def trained() -> Path:
    """Train a small model once in this process."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    write(folder, {suffix: WHOLE[suffix].data() for suffix in ("inter", "item")})
    options = {
        "data_path": str(folder), "epochs": 1, "embedding_size": 4, "ood": "random",
        "use_gpu": False, "show_progress": False, "state": "ERROR", "positive_threshold": None,
    }  # fmt: skip
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        ri.run("BPR", NAME, options, output_dir=folder / "runs", run_name=RUN)
    return folder


def remove_trained() -> None:
    """Delete the model that the cases share."""
    if trained.cache_info().currsize:
        shutil.rmtree(trained())
        trained.cache_clear()


USES: dict[str, Callable[[Path], object]] = {
    "evaluate": lambda run: evaluate_run(run),
    "load": lambda run: ri.load(run).recommend(["u1", "u2"], k=3),
    "report": lambda run: write_report(run.parent, run.parent / "report.html"),
}
"""What a run folder is used for."""


def _file_changes(name: str) -> st.SearchStrategy[Change]:
    """Remove, empty, cut or alter a file of a folder."""

    def rewritten(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
        return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))

    def cut(share: float) -> Change:
        text = f"{name} cut at {share:.3f}"
        return text, rewritten(lambda data: data[: int(share * len(data))])

    def flipped(at: float, bit: int) -> Change:
        def flip(data: bytes) -> bytes:
            k = int(at * (len(data) - 1))
            return data[:k] + bytes([data[k] ^ (1 << bit)]) + data[k + 1 :]

        return f"{name} bit {bit} at {at:.4f}", rewritten(flip)

    place = st.floats(0, 1, allow_nan=False)
    fixed: list[Change] = [
        (f"{name} removed", lambda folder: (folder / name).unlink()),
        (f"{name} is a folder", lambda folder: _as_folder(folder / name)),
        *((f"{name} is {new!r}", partial(_put, name=name, content=new)) for new in CONTENTS),
    ]
    return (
        st.sampled_from(fixed)
        | st.builds(cut, place)
        | st.builds(flipped, place, st.integers(0, 7))
    )


def _put(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)


def _as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@st.composite
def _json_changes(draw: st.DrawFn, name: str) -> Change:
    """Take away or replace an entry, at whatever depth."""
    steps = draw(st.lists(st.integers(0, 60), min_size=1, max_size=4))
    new = draw(st.sampled_from(["(gone)", *ODD]))

    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        at: Any = content
        for depth, step in enumerate(steps):
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            key = keys[step % len(keys)]
            inner = at[key]
            if depth == len(steps) - 1 or not isinstance(inner, dict | list) or not inner:
                if new == "(gone)":
                    del at[key]
                else:
                    at[key] = new
                break
            at = inner
        (folder / name).write_text(json.dumps(content))

    return f"{name} {steps} -> {new!r}", change


def _table_changes(name: str) -> st.SearchStrategy[Change]:
    """Put another table in the place of a parquet file."""

    def changed(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], object]:
        return lambda f: change(pd.read_parquet(f / name)).to_parquet(f / name, index=False)

    tables: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
        "without its first column": lambda t: t.iloc[:, 1:],
        "without rows": lambda t: t.iloc[:0],
        "with half its rows": lambda t: t.iloc[::2],
        "of text": lambda t: t.astype(str),
        "of nothing": lambda t: t.where(t.isna()),
        "with rows twice": lambda t: pd.concat([t, t]),
        "of other columns": lambda t: pd.DataFrame({"x": [1, 2]}),
    }
    return st.sampled_from([(f"{name} {text}", changed(table)) for text, table in tables.items()])


def _run_case(change: Change, use: str) -> Case:
    def prepare(folder: Path) -> None:
        shutil.copytree(trained() / "runs" / RUN, folder / RUN)
        change[1](folder / RUN)

    def act(folder: Path) -> str:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            USES[use](folder / RUN)
        return ""

    return Case("run folders", f"{use}: {change[0]}", act, prepare)


def _plan() -> dict[str, Any]:
    """Give a search's plan."""
    rest: dict[str, Any] = {
        "grace_period": 1, "reduction_factor": 3, "data_path": None, "fixed": {}, "address": None,
        "fixed_by_user": [], "max_validations": 3, "space_source": "mine.yaml", "refit": "none",
    }  # fmt: skip
    return {**search(), "dataset": "ml-100k", **rest}


def _search_case(change: Change) -> Case:
    def prepare(folder: Path) -> None:
        (folder / PLAN_FILE).write_text(json.dumps(_plan()))
        events = [
            {"event": "session", "at": 0.0},
            {"event": "proposed", "trial": 0, "options": {"learning_rate": 0.001}, "at": 0.1},
            {
                "event": "report", "trial": 0, "stage": "train", "epoch": 0, "validations": 1,
                "values": {"valid:ndcg@10": 0.5}, "seconds": 1.0, "at": 0.2,
            },
            {
                "event": "ended", "trial": 0, "status": "done", "problem": None, "seconds": 2,
                "at": 1,
            },
        ]  # fmt: skip
        lines = [json.dumps(event) + "\n" for event in events]
        (folder / JOURNAL_FILE).write_text("".join(lines))
        change[1](folder)

    def act(folder: Path) -> str:
        storage = Storage.open(folder, option="resume")
        checked(read_plan(storage))
        Journal(storage)
        return ""

    return Case("searches", change[0], act, prepare)


def _checkpoint_case(change: Change) -> Case:
    def prepare(folder: Path) -> None:
        state = {"epoch": 3, "weights": {"a": torch.arange(12.0)}, "names": ["x", None, 2.5]}
        save_checkpoint(folder / "last.safetensors", state)
        change[1](folder)

    def act(folder: Path) -> str:
        state = load_checkpoint(folder / "last.safetensors")
        whole = state["epoch"] == 3 and torch.equal(state["weights"]["a"], torch.arange(12.0))
        return "" if whole else "another state is read"

    return Case("checkpoints", change[0], act, prepare, ("last.safetensors",))


def kinds() -> dict[str, st.SearchStrategy[Case]]:
    """Return the strategies, by kind of mistake."""
    uses = st.sampled_from(list(USES))
    texts = st.one_of(*(_file_changes(name) for name in TEXTS)) | _json_changes("run.json")
    tables = st.one_of(*(_file_changes(name) | _table_changes(name) for name in TABLES))
    tensors = st.one_of(*(_file_changes(name) for name in TENSORS))
    searches = _file_changes(PLAN_FILE) | _file_changes(JOURNAL_FILE) | _json_changes(PLAN_FILE)
    return {
        "run folders: text": st.builds(_run_case, texts, uses),
        "run folders: tables": st.builds(_run_case, tables, uses),
        "run folders: tensors": st.builds(_run_case, tensors, uses),
        "searches": st.builds(_search_case, searches),
        "checkpoints": st.builds(_checkpoint_case, _file_changes("last.safetensors")),
    }


def undamaged() -> list[Case]:
    """Return a case of every kind in which nothing is changed."""
    nothing: Change = ("nothing", lambda folder: None)
    runs = [_run_case(nothing, use) for use in USES]
    return [*runs, _search_case(nothing), _checkpoint_case(nothing)]
