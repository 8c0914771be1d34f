"""Which rows are targets, where RecBole itself would cut or scale."""

from pathlib import Path
from typing import Any

import pytest
from recbole.data.utils import create_dataset

from recbole_invariant.data.raw_columns import keep_raw_floats
from recbole_invariant.data.splits.apply import cut
from recbole_invariant.data.targets import request_targets, target_rows
from recbole_invariant.errors import InputError
from tests.host import host_config, write_toy


def toy(folder: Path, kind: str = "float", **options: Any) -> Any:
    """Toy data whose every third row is no target."""
    write_toy(folder)
    path = folder / "toy" / "toy.inter"
    head, *rows = path.read_text().splitlines()
    marked = [f"{row}\t{int(number % 3 > 0)}" for number, row in enumerate(rows)]
    path.write_text("\n".join([f"{head}\tclicked:{kind}", *marked]) + "\n")
    load = {"inter": ["user_id", "item_id"]}
    config = host_config("BPR", folder, target_field="clicked", load_col=load, **options)
    request_targets(config)
    with keep_raw_floats():
        return config, create_dataset(config)


@pytest.mark.parametrize("kind", ["float", "token"])
def test_the_column_is_read_as_the_file_has_it(tmp_path: Path, kind: str) -> None:
    dataset = toy(tmp_path, kind)[1]
    found = target_rows(dataset)
    assert found is not None
    assert found.tolist() == [number % 3 > 0 for number in range(len(dataset.inter_feat))]


def test_every_part_holds_targets_only_and_no_such_column(tmp_path: Path) -> None:
    config, dataset = toy(tmp_path)
    table = dataset.inter_feat[["user_id", "item_id"]].to_numpy().tolist()
    never = {tuple(pair) for pair in table[::3]}
    parts = cut(dataset, config, "random")
    n_rows = 0
    for part in parts.by_name.values():
        pairs = part.inter_feat["user_id"].tolist(), part.inter_feat["item_id"].tolist()
        assert not never & set(zip(*pairs, strict=True))
        assert "clicked" not in part.inter_feat
        n_rows += len(part)
    dropped = parts.notes["sizes"]["dropped"] - parts.notes["not_targets"]["dropped"]
    assert n_rows + dropped == len(table) - len(never)
    assert sum(parts.notes["not_targets"].values()) == len(never)


def test_without_the_option_every_row_is_a_target(tmp_path: Path) -> None:
    dataset = toy(tmp_path)[1]
    dataset.config["target_field"] = None
    assert target_rows(dataset) is None


def test_recboles_own_split_cannot_be_told(tmp_path: Path) -> None:
    config, dataset = toy(tmp_path)
    with pytest.raises(InputError, match="target_field: clicked: RecBole's own split"):
        cut(dataset, config, None)


def test_another_word_than_0_and_1_is_refused(tmp_path: Path) -> None:
    config, dataset = toy(tmp_path)
    config["target_field"] = "item_id"
    with pytest.raises(InputError, match="expected 1 for a row that may be a target"):
        target_rows(dataset)
