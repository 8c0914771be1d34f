"""Nearness to the truth: hand-made masks and labels, and rows looked up through RecBole."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from recbole_invariant.config import build_config
from recbole_invariant.data.planted.files import write
from recbole_invariant.data.planted.law import generate
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.data.planted.truth import true_environments, true_kinds
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import truth
from recbole_invariant.preparation import Prepared, prepare
from recbole_invariant.registry import resolve

OPTIONS = PlantedOptions(users=40, items=50)


def prepared(folder: Path, **options: Any) -> Prepared:
    values = {"data_path": str(folder), "use_gpu": False, **options}
    return prepare(build_config("UltraGCNF", "planted", values), resolve("UltraGCNF"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("truth")
    write(generate(OPTIONS, 0), path / "planted")
    return path


@pytest.fixture(scope="module")
def data(folder: Path) -> Prepared:
    return prepared(folder)


def test_mask_quality_is_the_mean_of_each_kind() -> None:
    kinds = np.array(["noise", "invariant", "invariant", "noise"])
    mask = np.array([0.25, 1.0, 0.5, 0.75])
    assert truth.mask_quality(mask, kinds) == {"invariant": 0.75, "noise": 0.5}


def test_agreement_is_1_for_renamed_labels_and_about_0_for_random_ones() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 3000)
    assert truth.environment_agreement(np.array([5, 0, 1])[true], true) == {
        "ari": pytest.approx(1.0),
        "n_environments_true": 3,
    }
    assert abs(truth.environment_agreement(rng.integers(0, 3, 3000), true)["ari"]) < 0.01


def test_every_row_has_the_environment_it_was_drawn_in(data: Prepared, folder: Path) -> None:
    world = generate(OPTIONS, 0)
    for name, part in {"train": data.parts.train, **data.parts.tests}.items():
        rows = world.clicks[name]
        drawn = {
            (f"u{user}", f"i{item}"): environment
            for user, item, environment in zip(
                rows.users, rows.items, rows.environments, strict=True
            )
        }
        users = part.id2token("user_id", part.inter_feat["user_id"].numpy())
        items = part.id2token("item_id", part.inter_feat["item_id"].numpy())
        wanted = [drawn[pair] for pair in zip(users, items, strict=True)]
        assert true_environments(part, name).tolist() == wanted
        found = truth.test_environments(part, name)
        assert found is not None
        assert found.tolist() == wanted


def test_kinds_stand_in_the_order_of_the_features(data: Prepared, folder: Path) -> None:
    kinds = generate(OPTIONS, 0).kinds
    every = [kinds[name] for name in data.dataset.modality_slices]
    assert true_kinds(data.dataset).tolist() == np.concatenate(every).tolist()
    swapped = prepared(folder, modalities={"textual": {"source": "npy"}}).dataset
    assert true_kinds(swapped).tolist() == kinds["textual"].tolist()


def test_other_features_have_no_known_kinds(folder: Path) -> None:
    np.save(folder / "planted" / "planted.own.npy", np.eye(50, dtype="f4")[:, :5])
    other = prepared(folder, modalities={"own": {"source": "npy"}}).parts.train
    with pytest.raises(InputError, match="knows 0 dimensions of the modality 'own', which has 5"):
        true_kinds(other)
    assert truth.truth_diagnostics(other, torch.ones(5), None) == {}


def test_rows_of_another_split_have_no_known_environment(folder: Path) -> None:
    pooled = prepared(folder, ood="popularity").parts
    labels = torch.zeros(len(pooled.train.inter_feat), dtype=torch.int64)
    assert set(truth.truth_diagnostics(pooled.train, torch.ones(96), labels)) == {"mask_quality"}
    assert truth.test_environments(pooled.tests["ood_popularity"], "ood_popularity") is None


def test_data_without_truth_have_none(data: Prepared, tmp_path: Path) -> None:
    for path in (Path(data.dataset.dataset_path)).glob("planted.*"):
        if "truth" not in path.name:
            (tmp_path / "planted").mkdir(exist_ok=True)
            (tmp_path / "planted" / path.name).write_bytes(path.read_bytes())
    bare = prepared(tmp_path).parts
    assert truth.test_environments(bare.tests["iid"], "iid") is None
    assert truth.truth_diagnostics(bare.train, torch.ones(96), None) == {}
    with pytest.raises(InputError, match="only data that the command `planted` wrote"):
        true_environments(bare.train, "train")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "planted" / "planted.truth_features.parquet")
    with pytest.raises(InputError, match="expected a parquet table with the columns modality"):
        true_kinds(bare.train)
