"""Cases of atomic files: .inter, .item, .user and benchmark files, up to the loaders."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from recbole_invariant.config import build_config
from recbole_invariant.preparation import Prepared, prepare
from recbole_invariant.registry import resolve
from tests.fuzz.attempts import Case
from tests.fuzz.tables import (
    FORMS,
    Change,
    Table,
    byte_changes,
    cell_changes,
    header_changes,
    interactions,
    items,
    row_changes,
    users,
)

NAME = "toy"
WHOLE: dict[str, Table] = {"inter": interactions(), "item": items(), "user": users()}
PARTS = ("train", "valid", "iid")
USES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("BPR", {"ood": None}),
    ("BPR", {"ood": "popularity", "popularity_n_max": 1}),
    ("BPR", {"ood": "temporal"}),
    ("UltraGCN", {"ood": "random"}),
    ("SASRec", {"ood": "temporal"}),
    ("SASRec", {"ood": None}),
    ("FM", {"ood": None, "threshold": {"rating": 3}}),
)
"""Models and splits under which a file is read."""

Files = dict[str, bytes]


def prepare_toy(folder: Path, model: str, options: dict[str, Any]) -> Prepared:
    """Read the data of a folder up to the loaders, every column loaded, no row left out."""
    given = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder / "checkpoint"),
        "load_col": None,
        "positive_threshold": None,
        "use_gpu": False,
        "state": "ERROR",
        **options,
    }
    config = build_config(model, NAME, given)
    return prepare(config, resolve(model))


def write(folder: Path, files: Files) -> None:
    """Write a dataset's files, by suffix."""
    (folder / NAME).mkdir(parents=True, exist_ok=True)
    for suffix, data in files.items():
        (folder / NAME / f"{NAME}.{suffix}").write_bytes(data)


def misread(files: Files, data: Prepared) -> str:
    """Compare what was loaded with the bytes, read by a rule of one line: split at every tab.

    Returns:
        What differs; empty where nothing does.
    """
    dataset = data.dataset
    rows = [
        row for suffix, text in files.items() if suffix.endswith("inter") for row in _rows(text)
    ]
    for suffix, field in (("user", dataset.uid_field), ("item", dataset.iid_field)):
        if suffix in files:  # as filter_inter_by_user_or_item says, which is RecBole's default
            known = {row[field] for row in _rows(files[suffix])}
            rows = [row for row in rows if row[field] in known]
    for field in (dataset.uid_field, dataset.iid_field):
        wanted = {row[field] for row in rows}
        loaded = set(map(str, dataset.field2id_token[field][1:]))
        if not wanted <= loaded:
            return f"{field}: {sorted(wanted - loaded)[:3]} are not loaded"
        if "item" not in files and "user" not in files and loaded != wanted:
            return f"{field}: {sorted(loaded - wanted)[:3]} are in no row"
    return (
        ""
        if len(dataset.inter_feat) == len(rows)
        else (f"{len(dataset.inter_feat)} rows are loaded of {len(rows)}")
    )


def _rows(data: bytes) -> list[dict[str, str]]:
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    header, *lines = text.split("\n")
    names = [cell.partition(":")[0] for cell in header.split("\t")]
    rows = [[_unquoted(cell) for cell in line.split("\t")] for line in lines if line.strip()]
    return [dict(zip(names, cells, strict=False)) for cells in rows]


def _unquoted(cell: str) -> str:
    whole = len(cell) > 1 and cell.startswith('"') and cell.endswith('"')
    return cell[1:-1].replace('""', '"') if whole else cell


def _case(kind: str, text: str, files: Files, use: tuple[str, dict[str, Any]]) -> Case:
    model, options = use

    def act(folder: Path) -> str:
        data = prepare_toy(folder, model, options)
        return misread(files, data) if options["ood"] is None and model != "SASRec" else ""

    said = f"{text} ({model}, ood {options['ood']})"
    return Case(
        kind,
        said,
        act,
        lambda folder: write(folder, files),
        ("toy", "ood", "topk", "temporal_share"),
    )


def _bytes(changed: str = "", change: Change | None = None) -> Files:
    tables = {**WHOLE}
    if change is not None:
        tables[changed] = change(tables[changed])
    return {suffix: table.data() for suffix, table in tables.items()}


def _changed(kind: str, suffix: str, changes: Any) -> st.SearchStrategy[Case]:
    only = st.booleans() if suffix == "inter" else st.just(False)

    def build(change: tuple[str, Change], use: Any, alone: bool) -> Case:
        files = _bytes(suffix, change[1])
        files = {"inter": files["inter"]} if alone else files
        return _case(f".{suffix}: {kind}", f"{change[0]}, alone {alone}", files, use)

    return st.builds(build, changes, st.sampled_from(USES), only)


def _bytes_changed(suffix: str) -> st.SearchStrategy[Case]:
    def build(change: tuple[str, Callable[[bytes], bytes]], use: Any) -> Case:
        files = _bytes()
        files[suffix] = change[1](files[suffix])
        return _case(f".{suffix}: bytes", change[0], files, use)

    return st.builds(build, byte_changes(), st.sampled_from(USES))


def _benchmark(change: tuple[str, Change], part: str, missing: str | None, use: Any) -> Case:
    table, files = WHOLE["inter"], {}
    for k, name in enumerate(PARTS):
        rows = Table(table.header, table.rows[k::3])
        files[f"{name}.inter"] = (change[1](rows) if name == part else rows).data()
    if missing is not None:
        del files[f"{missing}.inter"]
    model, options = use[0], {**use[1], "benchmark_filename": list(PARTS)}
    text = f"{part}: {change[0]}, without {missing}"
    return _case("benchmark files", text, files, (model, options))


def kinds() -> dict[str, st.SearchStrategy[Case]]:
    """Return the strategies, by kind of mistake."""
    found: dict[str, st.SearchStrategy[Case]] = {}
    for suffix, table in WHOLE.items():
        changes = {
            "cells": cell_changes(table),
            "header": header_changes(table),
            "rows": row_changes(table),
            "form": st.sampled_from(sorted(FORMS.items())),
        }
        for kind, strategy in changes.items():
            found[f".{suffix}: {kind}"] = _changed(kind, suffix, strategy)
        found[f".{suffix}: bytes"] = _bytes_changed(suffix)
    inter = WHOLE["inter"]
    some = cell_changes(inter) | row_changes(inter) | header_changes(inter)
    found["benchmark files"] = st.builds(
        _benchmark,
        some,
        st.sampled_from(PARTS),
        st.none() | st.none() | st.sampled_from(PARTS),
        st.sampled_from([use for use in USES if use[1]["ood"] is None]),
    )
    return found
