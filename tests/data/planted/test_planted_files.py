"""What is written: atomic files, features, and a truth that fits them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recbole_invariant.data.planted.files import write
from recbole_invariant.data.planted.law import generate
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.errors import InputError

OPTIONS = PlantedOptions(users=40, items=50)
FILES = ("train", "valid", "iid", "ood_flip", "ood_remove")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "world"
    write(generate(OPTIONS, 0), path)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_seed_gives_the_same_bytes_and_another_seed_others(folder: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "a" / "world", tmp_path / "b" / "world"
    write(generate(OPTIONS, 0), again)
    write(generate(OPTIONS, 1), other)
    assert contents(again) == contents(folder)
    differ = {name for name, data in contents(other).items() if data != contents(folder)[name]}
    assert differ == set(contents(folder)) - {"world.item_tokens.txt"}


def test_models_are_given_pairs_and_features_only(folder: Path) -> None:
    read = {f"world.{name}.inter" for name in FILES}
    read |= {"world.visual.npy", "world.acoustic.npy", "world.textual.npy", "world.item_tokens.txt"}
    truth = {"world.truth_interactions.parquet", "world.truth_features.parquet"}
    assert set(contents(folder)) == read | truth | {"world.planted.json"}
    for name in FILES:
        lines = (folder / f"world.{name}.inter").read_text().splitlines()
        assert lines[0] == "user_id:token\titem_id:token"
        assert all(line.count("\t") == 1 for line in lines)
    assert len((folder / "world.item_tokens.txt").read_text().split()) == 50
    assert np.load(folder / "world.visual.npy", allow_pickle=False).shape == (50, 32)


def test_the_truth_fits_the_files(folder: Path) -> None:
    data = generate(OPTIONS, 0)
    truth = pd.read_parquet(folder / "world.truth_interactions.parquet")
    for name in FILES:
        rows = pd.read_csv(folder / f"world.{name}.inter", sep="\t")
        known = truth[truth["file"] == name]
        assert known["user_id"].tolist() == rows["user_id:token"].tolist()
        assert known["item_id"].tolist() == rows["item_id:token"].tolist()
        assert known["environment"].tolist() == data.clicks[name].environments.tolist()
    kinds = pd.read_parquet(folder / "world.truth_features.parquet")
    counts = kinds.groupby(["modality", "kind"]).size()
    assert set(counts.loc[:, "invariant"]) == set(counts.loc[:, "spurious"]) == {10}
    for modality, of_it in kinds.groupby("modality"):
        assert of_it["dim"].tolist() == list(range(32))
        assert of_it["kind"].tolist() == data.kinds[str(modality)].tolist()


def test_writing_again_changes_nothing_and_completes_what_is_missing(folder: Path) -> None:
    before = contents(folder)
    assert write(generate(OPTIONS, 0), folder) == []
    (folder / "world.valid.inter").unlink()
    assert [path.name for path in write(generate(OPTIONS, 0), folder)] == ["world.valid.inter"]
    assert contents(folder) == before


def test_nothing_is_overwritten(folder: Path, tmp_path: Path) -> None:
    before = contents(folder)
    with pytest.raises(InputError, match="another seed or size; nothing is overwritten"):
        write(generate(OPTIONS, 1), folder)
    assert contents(folder) == before
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds files such as letter\.txt"):
        write(generate(OPTIONS, 0), tmp_path / "home")
    with pytest.raises(InputError, match="is a file"):
        write(generate(OPTIONS, 0), tmp_path / "home" / "letter.txt")
    assert set(contents(tmp_path / "home")) == {"letter.txt"}
