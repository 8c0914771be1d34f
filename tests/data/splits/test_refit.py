"""Validation rows among the training rows: every other part stays as it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.config import build_config
from recbole_invariant.data.splits import Split
from recbole_invariant.data.splits.refit import join_validation
from recbole_invariant.preparation import Prepared, prepare
from recbole_invariant.registry import resolve
from tests.host import pairs, write_toy
from tests.sequences import options as sequence_options
from tests.sequences import write_sequences

NAMES = ("train", "valid", "ood_valid", "iid", "ood_random", "dropped")


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=40), st.booleans())
def test_each_row_stays_in_one_part_and_only_selecting_parts_move(
    owner: list[str], with_shifted: bool
) -> None:
    owners = np.array(owner)
    names = [name for name in NAMES if with_shifted or name != "ood_valid"]
    owners[~np.isin(owners, names)] = "train"
    parts = {name: np.flatnonzero(owners == name) for name in names}
    joined = join_validation(Split(parts, {"share": 0.2}))

    joined.parts["valid"] = np.empty(0, dtype=int)  # `check` wants one
    joined.check(len(owners))
    moved = np.isin(owners, ["train", "valid", "ood_valid"])
    assert joined.parts["train"].tolist() == np.flatnonzero(moved).tolist()
    for name in ("iid", "ood_random", "dropped"):
        assert joined.parts[name].tolist() == parts[name].tolist()
    assert joined.notes["share"] == 0.2
    assert joined.notes["trained_on"] == {
        name: len(parts[name]) for name in names if name.endswith("valid")
    }
    assert len(parts["valid"]) == (owners == "valid").sum()


def loaded(model: str, values: dict[str, Any], folder: Path) -> Prepared:
    config = build_config(model, "toy", values)
    config["checkpoint_dir"] = str(folder / "saved")
    return prepare(config, resolve(model))


@pytest.mark.parametrize(
    ("protocol", "selection"), [(None, "valid"), ("popularity", "valid"), ("random", "ood_valid")]
)
def test_the_tests_are_those_of_the_run_that_was_validated(
    tmp_path: Path, protocol: str | None, selection: str
) -> None:
    write_toy(tmp_path)
    values = {
        "data_path": str(tmp_path),
        "ood": protocol,
        "selection": selection,
        "topk": [5],
        "valid_metric": "NDCG@5",
        "use_gpu": False,
    }
    before = loaded("BPR", values, tmp_path)
    after = loaded("BPR", {**values, "refit_epochs": {"train": 1}}, tmp_path)

    selecting = {k: v for k, v in before.parts.by_name.items() if k.endswith("valid")}
    assert len(selecting) == (2 if selection == "ood_valid" else 1)
    union = pairs(before.parts.train).union(*map(pairs, selecting.values()))
    assert pairs(after.parts.train) == union
    assert len(after.parts.train) == len(before.parts.train) + sum(map(len, selecting.values()))
    assert after.parts.valid is after.parts.ood_valid is None
    assert after.loaders.valid is after.loaders.ood_valid is None
    assert list(after.parts.by_name) == ["train", *before.parts.tests]
    assert after.parts.notes["trained_on"] == {k: len(part) for k, part in selecting.items()}
    then, now = before.loaders.tests.open(), after.loaders.tests.open()
    for name, test in before.parts.tests.items():
        assert pairs(test) == pairs(after.parts.tests[name])
        # the same items are left out of the rankings
        for asked, again in zip(then[name], now[name], strict=True):
            assert all(a.tolist() == b.tolist() for a, b in zip(asked[1], again[1], strict=True))
    assert before.parts.checksum() != after.parts.checksum()


def test_histories_are_made_of_training_and_validation_rows(tmp_path: Path) -> None:
    write_sequences(tmp_path)
    values = sequence_options(tmp_path, ood="random")
    before = loaded("GRU4Rec", values, tmp_path)
    after = loaded("GRU4Rec", {**values, "refit_epochs": {"train": 1}}, tmp_path)

    assert before.parts.valid is not None
    columns = [part.inter_feat for part in (before.parts.train, before.parts.valid)]
    rows = sorted(
        (user, time, item)
        for table in columns
        for user, time, item in zip(
            *(table[name].tolist() for name in ("user_id", "timestamp", "item_id")), strict=True
        )
    )
    expected = set()
    for place, (user, _, item) in enumerate(rows):
        history = [i for u, _, i in rows[:place] if u == user][-8:]
        if history:
            expected.add((user, tuple(history), item))
    table = after.parts.fitted.inter_feat
    lengths = table["item_length"].tolist()
    found = {
        (user, tuple(history[:length]), item)
        for user, history, length, item in zip(
            table["user_id"].tolist(),
            table["item_id_list"].tolist(),
            lengths,
            table["item_id"].tolist(),
            strict=True,
        )
    }
    assert found == expected


def test_prefixes_of_the_hosts_own_cut_are_put_together(tmp_path: Path) -> None:
    write_sequences(tmp_path)
    values = sequence_options(tmp_path)
    before = loaded("GRU4Rec", values, tmp_path)
    after = loaded("GRU4Rec", {**values, "refit_epochs": {"train": 1}}, tmp_path)

    def rows(part: Any) -> list[Any]:
        columns = (part.inter_feat[name].tolist() for name in ("item_id_list", "item_id"))
        return sorted(zip(*columns, strict=True))

    assert rows(after.parts.train) == sorted(rows(before.parts.train) + rows(before.parts.valid))
    assert rows(after.parts.tests["iid"]) == rows(before.parts.tests["iid"])
