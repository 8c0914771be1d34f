from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.config import build_config
from recbole_invariant.data.sequences import last_windows, prefix_windows
from recbole_invariant.errors import InputError
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve

events = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 6)), min_size=1, max_size=30)


def in_order(rows: list[int], times: np.ndarray) -> list[int]:
    return sorted(rows, key=lambda row: (times[row], row))


@given(events, st.integers(1, 5))
def test_every_prefix_is_a_target_with_the_rows_before_it(
    drawn: list[tuple[int, int]], length: int
) -> None:
    users, times = np.array(drawn).T
    found = prefix_windows(users, times, length)
    expected: dict[int, list[int]] = {}
    for user in set(users.tolist()):
        rows = in_order(np.flatnonzero(users == user).tolist(), times)
        expected |= {rows[k]: rows[max(0, k - length) : k] for k in range(1, len(rows))}
    made = {
        int(target): [int(row) for row in history if row >= 0]
        for target, history in zip(found.targets, found.history, strict=True)
    }
    assert made == expected
    assert found.lengths.tolist() == [len(made[int(target)]) for target in found.targets]


@given(events, st.integers(1, 5), st.data())
def test_the_latest_rows_of_the_past_are_a_users_history(
    drawn: list[tuple[int, int]], length: int, more: st.DataObject
) -> None:
    users, times = np.array(drawn).T
    past = np.array(sorted(more.draw(st.sets(st.integers(0, len(users) - 1)))), dtype=np.int64)
    asked = np.arange(1, 5)
    found = last_windows(users, times, past, asked, length)
    for user, history in zip(asked, found, strict=True):
        rows = in_order([int(row) for row in past if users[row] == user], times)
        assert [row for row in history if row >= 0] == rows[-length:]


def write_timed(folder: Path, parts: tuple[str, ...] = ()) -> None:
    """Write 12 users with 12 items each, one a second, users one after the other by 5 s."""
    rng = np.random.default_rng(0)
    header = "user_id:token\titem_id:token\ttimestamp:float"
    rows = [
        f"u{user}\ti{item}\t{1_500_000_000 + 5 * user + k}"
        for user in range(12)
        for k, item in enumerate(rng.permutation(20)[:12])
    ]
    (folder / "toy").mkdir()
    files = {f"toy.{name}.inter": rows[k :: len(parts)] for k, name in enumerate(parts)}
    for name, lines in (files or {"toy.inter": rows}).items():
        (folder / "toy" / name).write_text("\n".join([header, *lines]) + "\n")


def prepared(folder: Path, **options: Any) -> Any:
    values = {
        "data_path": str(folder),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "MAX_ITEM_LIST_LENGTH": 6,
        "normalize_field": ["timestamp"],
        **options,
    }
    config = build_config("GRU4Rec", "toy", values)
    config["checkpoint_dir"] = str(folder / "saved")
    return prepare(config, resolve("GRU4Rec"))


def pairs(part: Any) -> set[tuple[int, int]]:
    table = part.inter_feat
    return set(zip(table["user_id"].tolist(), table["item_id"].tolist(), strict=True))


def times_of(folder: Path, dataset: Any) -> dict[tuple[int, int], int]:
    lines = (folder / "toy" / "toy.inter").read_text().splitlines()[1:]
    users, items = dataset.field2token_id["user_id"], dataset.field2token_id["item_id"]
    return {(users[u], items[i]): int(t) for u, i, t in (line.split("\t") for line in lines)}


@pytest.mark.parametrize("protocol", ["popularity", "random", "temporal"])
def test_histories_hold_no_row_of_a_test(tmp_path: Path, protocol: str) -> None:
    write_timed(tmp_path)
    data = prepared(tmp_path, ood=protocol, popularity_n_max=3)
    train = pairs(data.parts.train)
    fitted = data.parts.fitted.inter_feat
    for user, items in zip(
        fitted["user_id"].tolist(), fitted["item_id_list"].tolist(), strict=True
    ):
        assert {(user, item) for item in items if item} <= train
    assert pairs(data.parts.fitted) <= train
    before = train | pairs(data.parts.valid) | pairs(data.parts.tests["iid"])
    times = times_of(tmp_path, data.dataset)
    for name, loader in [("valid", data.loaders.valid), *data.loaders.tests.open().items()]:
        allowed = before if name == "ood_temporal" else train
        part = data.parts.by_name[name]
        asked = set()
        for rows, _, positive_rows, positive_items in loader:
            users = rows["user_id"].tolist()
            for user, items in zip(users, rows["item_id_list"].tolist(), strict=True):
                history = [(user, item) for item in items if item]
                assert set(history) <= allowed
                mine = sorted(
                    (pair for pair in allowed if pair[0] == user), key=lambda pair: times[pair]
                )
                assert history == mine[-6:]
            asked |= {
                (users[row], item)
                for row, item in zip(positive_rows.tolist(), positive_items.tolist(), strict=True)
            }
        assert asked == pairs(part)


def test_a_user_is_ranked_once_and_seen_items_are_left_out(tmp_path: Path) -> None:
    write_timed(tmp_path)
    data = prepared(tmp_path, ood="random")
    loader = data.loaders.tests.open()["ood_random"]
    seen = pairs(data.parts.train) | pairs(data.parts.valid)
    users: list[int] = []
    for rows, (history_rows, history_items), _, _ in loader:
        batch = rows["user_id"].tolist()
        users += batch
        hidden = {
            (batch[row], item)
            for row, item in zip(history_rows.tolist(), history_items.tolist(), strict=True)
        }
        assert hidden == {pair for pair in seen if pair[0] in batch}
    assert (
        len(users) == len(set(users)) == len({u for u, _ in pairs(data.parts.tests["ood_random"])})
    )


def test_plain_benchmark_files_get_histories_of_the_training_file(tmp_path: Path) -> None:
    write_timed(tmp_path, ("train", "valid", "test"))
    data = prepared(tmp_path, benchmark_filename=["train", "valid", "test"])
    assert list(data.parts.tests) == ["iid"]
    train = pairs(data.parts.train)
    assert len(train) == 48
    for rows, *_ in data.loaders.tests.open()["iid"]:
        lists = zip(rows["user_id"].tolist(), rows["item_id_list"].tolist(), strict=True)
        assert all((user, item) in train for user, items in lists for item in items if item)


def test_without_times_a_sequential_model_is_refused(tmp_path: Path) -> None:
    write_timed(tmp_path)
    with pytest.raises(InputError, match="timestamp"):
        prepared(tmp_path, ood="random", load_col={"inter": ["user_id", "item_id"]})


def test_sampled_candidates_are_refused_under_a_protocol(tmp_path: Path) -> None:
    write_timed(tmp_path)
    mode = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "mode": "uni10"}
    with pytest.raises(InputError, match="rank all items"):
        prepared(tmp_path, ood="random", eval_args=mode)
