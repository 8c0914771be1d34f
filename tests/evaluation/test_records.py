import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from tests.host import cut_toy, host_config, pairs, write_toy


class Kind(Enum):
    GENERAL = 1


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_plain_leaves_json_values_alone(value: Any) -> None:
    assert records.plain(value) == value


def test_plain_makes_json_of_everything_else() -> None:
    value = {
        1: (np.float32(0.5), torch.tensor([1, 2])),
        "nan": [float("nan"), float("inf")],
        "kind": Kind.GENERAL,
        "device": torch.device("cpu"),
        "path": Path("a") / "b",
        "array": np.array([[True]]),
    }
    assert json.loads(json.dumps(records.plain(value), allow_nan=False)) == {
        "1": [0.5, [1, 2]],
        "nan": [None, None],
        "kind": "general",
        "device": "cpu",
        "path": "a/b",
        "array": [[True]],
    }


class Options(dict[str, Any]):
    layers: Mapping[str, str]


def test_options_carry_their_layer_and_config_yaml_their_values(tmp_path: Path) -> None:
    config = Options(seed=3, eval_args={"mode": "full"}, device=torch.device("cpu"), b=None)
    config.layers = {"seed": "command line", "eval_args": "RecBole", "device": "x", "b": "y"}
    options = records.options_of(config)
    assert options["seed"] == {"value": 3, "layer": "command line"}
    assert "device" not in options
    records.write_config(tmp_path, options)
    values = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert values == {"b": None, "eval_args": {"mode": "full"}, "seed": 3}


def test_broken_or_absent_json_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with pytest.raises(InputError, match="no such file"):
        records.read_json(path)
    path.write_text("{")
    with pytest.raises(InputError, match="not readable"):
        records.read_json(path)
    records.write_json(path, {"a": np.int64(1), "b": float("nan")})
    assert records.read_json(path) == {"a": 1, "b": None}


def test_ids_and_histories_give_the_training_pairs_back_as_tokens(tmp_path: Path) -> None:
    write_toy(tmp_path)
    whole, parts = cut_toy(host_config("BPR", tmp_path))
    records.write_ids(tmp_path, whole)
    records.write_seen(tmp_path, parts)
    ids = pd.read_parquet(tmp_path / "ids.parquet")
    token = {
        kind: dict(zip(table["id"], table["token"], strict=True))
        for kind, table in ids.groupby("kind")
    }
    assert 0 not in token["user"]
    assert len(token["item"]) == whole.item_num - 1
    seen = pd.read_parquet(tmp_path / "seen.parquet")
    assert seen["user"].is_monotonic_increasing
    for name, part in (("train", parts.train), ("valid", parts.valid)):
        rows = seen[seen["part"] == name]
        found = {
            (token["user"][u], token["item"][i]) for u, i in zip(rows.user, rows.item, strict=True)
        }
        expected = {
            (whole.id2token("user_id", u), whole.id2token("item_id", i)) for u, i in pairs(part)
        }
        assert found == expected


def test_histories_stand_in_time_order(tmp_path: Path) -> None:
    columns = {"inter": ["user_id", "item_id", "timestamp"]}
    config = host_config("BPR", tmp_path, dataset="ml-100k", load_col=columns)
    whole, parts = cut_toy(config)
    records.write_seen(tmp_path, parts)
    seen = pd.read_parquet(tmp_path / "seen.parquet")
    feat = whole.inter_feat
    time = {
        (u, i): t
        for u, i, t in zip(
            feat["user_id"].tolist(),
            feat["item_id"].tolist(),
            feat["timestamp"].tolist(),
            strict=True,
        )
    }
    times = np.array([time[pair] for pair in zip(seen.user, seen.item, strict=True)])
    same_user = seen.user.to_numpy()[1:] == seen.user.to_numpy()[:-1]
    assert (np.diff(times)[same_user] >= 0).all()


def test_per_user_values_of_all_splits_are_one_table(tmp_path: Path) -> None:
    tables = {
        "iid": pd.DataFrame({"user_id": ["a", "b"], "recall@5": [0.0, 1.0]}),
        "ood_x": pd.DataFrame({"user_id": ["b"], "recall@5": [0.5]}),
        "empty": pd.DataFrame({"user_id": pd.Series(dtype=str)}),
    }
    records.write_per_user(tmp_path, tables)
    table = pd.read_parquet(tmp_path / "per_user.parquet")
    assert list(table.columns) == ["split", "user_id", "recall@5"]
    assert table.to_numpy().tolist() == [["iid", "a", 0.0], ["iid", "b", 1.0], ["ood_x", "b", 0.5]]


def test_the_data_is_described_and_checksummed(tmp_path: Path) -> None:
    write_toy(tmp_path)
    config = host_config("BPR", tmp_path)
    whole, parts = cut_toy(config)
    said = records.describe_data(config, whole, parts)
    content = (tmp_path / "toy" / "toy.inter").read_bytes()
    assert said["data"] == {"toy.inter": hashlib.sha256(content).hexdigest()}
    assert said["protocol"] == "popularity"
    assert said["n_interactions"]["train"] == len(parts.train)
    assert said["n_users"]["ood_popularity"] == len(
        {u for u, _ in pairs(parts.tests["ood_popularity"])}
    )
    assert said["modalities"] == {}
    host = records.describe_host()
    assert host["versions"]["recbole"] == "1.2.1"
    assert "numpy-aliases" in host["mends"]
