from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recbole.data.utils import create_dataset

from recbole_invariant.data.raw_columns import (
    interactions_of,
    keep_raw_floats,
    request_column,
    whole_numbers,
)
from tests.host import host_config

ROWS = [("u1", "i1", 5, 893_286_638), ("u1", "i2", 3, 893_286_639), ("u2", "i1", 4, 874_724_710)]


def dataset(folder: Path, rows: Any = ROWS, **options: Any) -> Any:
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\tdevice:token"
    lines = [f"{u}\t{i}\t{r}\t{t}\td{r}" for u, i, r, t in rows]
    (folder / "toy").mkdir()
    (folder / "toy" / "toy.inter").write_text("\n".join([header, *lines]) + "\n")
    load = {"inter": ["user_id", "item_id", "rating", "timestamp", "device"]}
    config = host_config("BPR", folder, load_col=load, **options)
    with keep_raw_floats():
        return create_dataset(config)


def test_times_are_the_files_own_to_the_second(tmp_path: Path) -> None:
    found = dataset(tmp_path, normalize_all=True)
    assert found.inter_feat["timestamp"].max() == 1.0
    data = interactions_of(found)
    assert data.times is not None
    assert data.times.dtype == np.int64
    assert data.times.tolist() == [time for *_, time in ROWS]
    assert data.columns["rating"].tolist() == [5.0, 3.0, 4.0]
    assert data.columns["device"].tolist() == ["d5", "d3", "d4"]
    assert data.files is None


def test_a_missing_number_stays_missing(tmp_path: Path) -> None:
    data = interactions_of(dataset(tmp_path, [*ROWS, ("u2", "i2", "", "")]))
    assert data.times is not None
    assert np.isnan(data.times).tolist() == [False, False, False, True]
    assert np.isnan(data.columns["rating"]).tolist() == [False, False, False, True]


def test_fractions_of_time_stay() -> None:
    times = np.array([0.5, 1.0])
    assert whole_numbers(times) is times
    assert whole_numbers(np.array([2.0, 1.0])).dtype == np.int64


@pytest.mark.parametrize(
    ("ood", "loaded", "asked"),
    [
        ("column", ["user_id", "item_id"], ["user_id", "item_id", "device"]),
        ("popularity", ["user_id", "item_id"], ["user_id", "item_id"]),
        ("column", ["user_id", "item_id", "device"], ["user_id", "item_id", "device"]),
    ],
)
def test_the_column_to_cut_by_is_loaded_and_dropped_again(
    tmp_path: Path, ood: str, loaded: list[str], asked: list[str]
) -> None:
    config = host_config(
        "BPR", tmp_path, ood=ood, column_field="device", load_col={"inter": loaded}
    )
    request_column(config)
    assert config["load_col"]["inter"] == asked
    added = len(asked) > len(loaded)
    assert (config["unused_col"] or {}).get("inter", []) == (["device"] if added else [])
