"""What is written of planted sequences: files in order, and a truth that fits them."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recbole_invariant.data.planted.files import write
from recbole_invariant.data.planted.law import generate
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.data.planted.sequence_files import write_sequences
from recbole_invariant.data.planted.sequence_law import TESTS, PlantedSequences, generate_sequences
from recbole_invariant.data.planted.sequence_options import preset
from recbole_invariant.errors import InputError

FILES = ("train", "valid", *TESTS)
HEADER = ["user_id:token", "item_id:token", "timestamp:float", "is_target:float"]


def drawn(name: str = "M", seed: int = 0, cue: str = "environments") -> PlantedSequences:
    return generate_sequences(preset(name, users=40, training_cue=cue), seed)


def written(folder: Path, data: PlantedSequences) -> dict[str, bytes]:
    write_sequences(data, folder / "world")
    return {path.name.removeprefix("world."): path.read_bytes() for path in folder.glob("world/*")}


def rows(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "world" / f"world.{name}.inter", sep="\t")


def test_a_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first = written(tmp_path / "a", drawn())
    assert written(tmp_path / "b", drawn()) == first
    other = written(tmp_path / "c", drawn(seed=1))
    assert {name for name in first if first[name] != other[name]} == set(first)
    inter = {f"{name}.inter" for name in FILES}
    truth = {"truth_users.parquet", "truth_items.parquet", "planted.json"}
    assert set(first) == inter | {"item"} | truth
    recipe = json.loads(first["planted.json"])
    assert (recipe["kind"], recipe["seed"], recipe["users"]) == ("sequences", 0, 40)


def test_users_are_in_order_and_a_test_follows_train_and_valid(tmp_path: Path) -> None:
    data = drawn()
    written(tmp_path, data)
    for name, first, last in [("train", 1, 10), ("valid", 11, 11), *((t, 12, 12) for t in TESTS)]:
        table = rows(tmp_path, name)
        assert list(table.columns) == HEADER
        places = list(range(first, last + 1))
        assert table["timestamp:float"].tolist() == places * 40
        assert table["is_target:float"].eq(1).all()
        assert table["user_id:token"].tolist() == [f"u{u}" for u in range(40) for _ in places]
        items = data.targets[:, [TESTS.index(name)]] if name in TESTS else data.history
        items = items if name in TESTS else items[:, first - 1 : last]
        assert table["item_id:token"].tolist() == [f"i{item}" for item in items.reshape(-1)]


def test_a_banner_stands_before_every_target(tmp_path: Path) -> None:
    data = drawn("Q")
    written(tmp_path, data)
    past = pd.concat([rows(tmp_path, "train"), rows(tmp_path, "valid")])
    assert len(rows(tmp_path, "train")) == 40 * 21
    assert len(rows(tmp_path, "valid")) == 40 * 2
    for user, own in past.groupby("user_id:token"):
        number = int(str(user)[1:])
        own = own.sort_values("timestamp:float")
        assert own["timestamp:float"].tolist() == list(range(1, 24))
        tokens = own["item_id:token"].tolist()
        assert tokens[::2] == [f"b{b}" for b in data.banners[number]]
        assert tokens[1::2] == [f"i{i}" for i in data.history[number]]
        assert own["is_target:float"].tolist() == [0, 1] * 11 + [0]
    for name in TESTS:
        table = rows(tmp_path, name)
        assert table["timestamp:float"].eq(24).all()
        assert table["is_target:float"].eq(1).all()


@pytest.mark.parametrize("name", ["M", "Q"])
def test_the_truth_fits_the_files(tmp_path: Path, name: str) -> None:
    data = drawn(name)
    written(tmp_path, data)
    users = pd.read_parquet(tmp_path / "world" / "world.truth_users.parquet")
    assert users["user_id"].tolist() == [f"u{u}" for u in range(40)]
    assert users["environment"].tolist() == data.world.environments.tolist()
    strengths = np.array([2.0, 0.5, -1.0])[users["environment"]]
    assert users["cue_strength"].tolist() == strengths.tolist()
    assert users["training_cue_strength"].tolist() == strengths.tolist()
    items = pd.read_parquet(tmp_path / "world" / "world.truth_items.parquet")
    table = pd.read_csv(tmp_path / "world" / "world.item", sep="\t")
    assert table["item_id:token"].tolist() == items["item_id"].tolist()
    assert table["attribute:token"].tolist() == [f"a{a}" for a in items["attribute"]]
    of_items = items[items["kind"] == "item"]
    assert of_items["item_id"].tolist() == [f"i{i}" for i in range(300)]
    assert of_items["group"].tolist() == data.world.groups.tolist()
    assert of_items["attribute"].tolist() == data.world.attributes.tolist()
    banners = items[items["kind"] == "banner"]
    assert banners["attribute"].tolist() == data.world.banner_attributes.tolist()
    assert banners["group"].eq(-1).all()
    assert len(banners) == (30 if name == "Q" else 0)


def test_the_clean_control_has_no_cue_in_training(tmp_path: Path) -> None:
    clean, data = written(tmp_path / "a", drawn(cue="none")), written(tmp_path / "b", drawn())
    assert clean["item"] == data["item"]
    assert clean["truth_items.parquet"] == data["truth_items.parquet"]
    assert clean["train.inter"] != data["train.inter"]
    users = pd.read_parquet(tmp_path / "a" / "world" / "world.truth_users.parquet")
    assert users["training_cue_strength"].eq(0).all()
    assert set(users["cue_strength"]) == {2.0, 0.5, -1.0}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    written(tmp_path, drawn())
    assert write_sequences(drawn(), tmp_path / "world") == []
    with pytest.raises(InputError, match="another seed or size; nothing is overwritten"):
        write_sequences(drawn(seed=1), tmp_path / "world")


def test_data_of_the_kind_items_keep_their_bytes(tmp_path: Path) -> None:
    """Published results name a seed: the files of single clicks must not change with releases."""
    write(generate(PlantedOptions(users=40, items=50), 0), tmp_path / "world")
    digest = hashlib.sha256()
    for name in ("train", "valid", "iid", "ood_flip", "ood_remove"):
        digest.update((tmp_path / "world" / f"world.{name}.inter").read_bytes())
    assert digest.hexdigest() == "74c519bd9ad0fb8493a535f841c92690664ea25bcb8a153a19ab1b3080cbe6b9"
    recipe = json.loads((tmp_path / "world" / "world.planted.json").read_text())
    assert list(recipe)[:3] == ["kind", "seed", "users"]
