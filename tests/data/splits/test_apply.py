from pathlib import Path
from typing import Any

import pytest
from recbole.data.utils import create_dataset

from recbole_invariant.data.splits.apply import chosen_protocol, cut
from recbole_invariant.errors import InputError
from tests.host import cut_toy, host_config, pairs, write_toy


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    write_toy(tmp_path)
    return tmp_path


def all_pairs(parts: Any) -> list[set[tuple[int, int]]]:
    return [pairs(part) for part in (parts.train, parts.valid, *parts.tests.values())]


def write_parts(folder: Path, *names: str) -> None:
    header, *rows = (folder / "toy" / "toy.inter").read_text().splitlines()
    for k, name in enumerate(names):
        kept = [header, *rows[k :: len(names)]]
        (folder / "toy" / f"toy.{name}.inter").write_text("\n".join(kept) + "\n")


def test_a_protocol_cuts_all_rows_once_and_counts_what_it_dropped(toy: Path) -> None:
    config = host_config("BPR", toy)
    whole, parts = cut_toy(config)
    everything = pairs(whole)
    found = all_pairs(parts)
    dropped = sum(parts.notes["dropped"].values())
    assert sum(len(part) for part in found) + dropped == len(everything)
    assert set().union(*found) <= everything
    assert list(parts.tests) == ["iid", "ood_popularity"]
    sizes = parts.sizes()
    assert sizes["ood_popularity"]["n_interactions"] == len(found[-1])
    assert sizes["train"]["n_users"] == 40


def test_files_split_beforehand_are_pooled_under_a_protocol(toy: Path) -> None:
    write_parts(toy, "train", "valid", "test")
    config = host_config("BPR", toy, benchmark_filename=["train", "valid", "test"])
    whole, parts = cut_toy(config)
    pooled = pairs(whole)
    found = all_pairs(parts)
    assert len(pooled) == len((toy / "toy" / "toy.inter").read_text().splitlines()) - 1
    assert sum(map(len, found)) + sum(parts.notes["dropped"].values()) == len(pooled)


def test_without_a_protocol_the_rows_are_those_of_recbole(toy: Path) -> None:
    from recbole.utils import init_seed

    config = host_config("BPR", toy)
    _, parts = cut_toy(config, None)
    init_seed(config["seed"], config["reproducibility"])
    expected = create_dataset(config).build()
    assert [pairs(part) for part in expected] == all_pairs(parts)
    assert list(parts.tests) == ["iid"]


def test_a_missing_validation_file_is_cut_from_training(toy: Path) -> None:
    write_parts(toy, "train", "test")
    config = host_config("BPR", toy, benchmark_filename=["train", "test"])
    whole, parts = cut_toy(config, None)
    train_file = len((toy / "toy" / "toy.train.inter").read_text().splitlines()) - 1
    train, valid, test = all_pairs(parts)
    assert len(train) + len(valid) == train_file
    assert not train & valid
    assert len(valid) == pytest.approx(train_file / 9, abs=12)
    assert len(test) == len(pairs(whole)) - train_file


def test_four_files_without_names_are_an_error(toy: Path) -> None:
    write_parts(toy, "a", "b", "c", "d")
    config = host_config("BPR", toy, benchmark_filename=["a", "b", "c", "d"])
    with pytest.raises(InputError, match="not 4"):
        cut_toy(config, None)


def test_an_empty_split_of_recbole_names_the_part(toy: Path) -> None:
    split = {"split": {"LS": "test_only"}, "order": "RO", "group_by": "user", "mode": "full"}
    config = host_config("BPR", toy, eval_args=split)
    with pytest.raises(InputError, match=r"'valid' is empty.*eval_args"):
        cut_toy(config, None)


def test_general_models_take_the_protocol_from_any_layer(toy: Path) -> None:
    config = host_config("BPR", toy)
    assert chosen_protocol(config, "dataset_configs/toy.yaml") == "popularity"
    config["ood"] = None
    assert chosen_protocol(config, "command line") is None
    config["ood"] = "popularty"
    with pytest.raises(InputError, match="Did you mean 'popularity'"):
        chosen_protocol(config, "command line")


def test_the_split_follows_the_seed_and_nothing_else(toy: Path) -> None:
    first = all_pairs(cut_toy(host_config("BPR", toy, seed=1))[1])
    assert first == all_pairs(cut_toy(host_config("LightGCN", toy, seed=1, n_layers=1))[1])
    assert first != all_pairs(cut_toy(host_config("BPR", toy, seed=2))[1])


def test_more_protocol_options_reach_the_split(toy: Path) -> None:
    config = host_config("BPR", toy, popularity_gamma=[1, 10])
    dataset = create_dataset(config)
    parts = cut(dataset, config, "popularity")
    assert list(parts.tests) == ["iid", "ood_popularity_1", "ood_popularity_2"]
