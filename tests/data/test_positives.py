from pathlib import Path
from typing import Any

import pytest
from recbole.data.utils import create_dataset

from recbole_invariant.data.positives import drop_negatives, request_positives
from recbole_invariant.errors import InputError
from tests.host import host_config, write_toy


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    write_toy(tmp_path, ratings=True)
    return tmp_path


def rated(folder: Path, at_least: float) -> set[tuple[str, str]]:
    rows = (folder / "toy" / "toy.inter").read_text().splitlines()[1:]
    fields = [row.split("\t") for row in rows]
    return {(user, item) for user, item, rating in fields if float(rating) >= at_least}


def loaded(config: Any) -> set[tuple[str, str]]:
    request_positives(config)
    dataset = create_dataset(config)
    drop_negatives(config, dataset)
    users = dataset.id2token("user_id", dataset.inter_feat["user_id"].to_numpy())
    items = dataset.id2token("item_id", dataset.inter_feat["item_id"].to_numpy())
    return set(zip(users.tolist(), items.tolist(), strict=True))


@pytest.mark.parametrize("threshold", [1, 3, 4.5])
def test_rows_below_the_threshold_go_even_if_ratings_were_not_asked_for(
    toy: Path, threshold: float
) -> None:
    config = host_config("BPR", toy, positive_threshold=threshold)
    assert config["load_col"]["inter"] == ["user_id", "item_id"]
    assert loaded(config) == rated(toy, threshold)


def test_every_row_counts_without_a_threshold_or_without_ratings(toy: Path, tmp_path: Path) -> None:
    assert loaded(host_config("BPR", toy, positive_threshold=None)) == rated(toy, 0)
    write_toy(tmp_path, ratings=False)
    rows = (tmp_path / "toy" / "toy.inter").read_text().splitlines()
    assert len(loaded(host_config("BPR", tmp_path))) == len(rows) - 1


def test_a_range_of_the_user_stays(toy: Path) -> None:
    columns = {"inter": ["user_id", "item_id", "rating"]}
    config = host_config("BPR", toy, val_interval={"rating": "[2,inf)"}, load_col=columns)
    assert loaded(config) == rated(toy, 2)


def test_models_of_labels_keep_all_rows(toy: Path) -> None:
    columns = {"inter": ["user_id", "item_id", "rating"]}
    config = host_config(
        "FM",
        toy,
        load_col=columns,
        threshold={"rating": 4},
        metrics=["AUC"],
        valid_metric="AUC",
        eval_args={"mode": "labeled"},
    )
    assert loaded(config) == rated(toy, 0)


def test_files_split_beforehand_lose_their_low_ratings_and_stay_apart(toy: Path) -> None:
    header, *rows = (toy / "toy" / "toy.inter").read_text().splitlines()
    names = ["train", "valid", "test"]
    expected = []
    for k, name in enumerate(names):
        kept = rows[k::3]
        expected.append(sum(float(row.split("\t")[2]) >= 4 for row in kept))
        (toy / "toy" / f"toy.{name}.inter").write_text("\n".join([header, *kept]) + "\n")
    config = host_config("BPR", toy, benchmark_filename=names)
    request_positives(config)
    dataset = create_dataset(config)
    drop_negatives(config, dataset)
    assert [len(part) for part in dataset.build()] == expected

    config["positive_threshold"] = 6
    with pytest.raises(InputError, match=r"positive_threshold.*highest is 5"):
        drop_negatives(config, create_dataset(config))
