"""What `recommend` takes, refuses and gives back."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recbole_invariant as ri
from recbole_invariant.cli.main import main
from recbole_invariant.errors import InputError
from recbole_invariant.inference.recommender import Recommender
from recbole_invariant.inference.stored import INFERENCE_FILE, Stored
from tests.inference.runs import (
    GENERAL,
    N_ITEMS,
    SEQUENTIAL,
    WITH_FEATURES,
    Finished,
    finished,
    write_data,
)

COLUMNS = ["user_id", "rank", "item_id", "score"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recommend")
    write_data(path)
    return path


@pytest.fixture(scope="module")
def general(folder: Path) -> Finished:
    return finished(folder, "BPR", **GENERAL)


@pytest.fixture(scope="module")
def model(general: Finished) -> Recommender:
    return ri.load(general.run_dir)


@pytest.fixture(scope="module")
def cold(folder: Path) -> Finished:
    return finished(folder, "UltraGCNF", **{**WITH_FEATURES, "ood": "cold", "cold_share": 0.2})


@pytest.fixture(scope="module")
def sequential(folder: Path) -> Recommender:
    return ri.load(finished(folder, "SASRec", **SEQUENTIAL).run_dir)


def seen_of(made: Finished, user: str) -> set[str]:
    seen, ids = (pd.read_parquet(made.run_dir / f"{name}.parquet") for name in ("seen", "ids"))
    token = {kind: rows.set_index("id")["token"] for kind, rows in ids.groupby("kind")}
    return set(token["item"][seen["item"][token["user"][seen["user"]].to_numpy() == user]])


def test_a_whole_ranking_is_what_the_user_has_not_seen(general: Finished, model: Recommender):
    table = model.recommend(["u3"], k=10**6)
    seen = seen_of(general, "u3")
    assert list(table.columns) == COLUMNS
    assert set(table["item_id"]) == set(model.items) - seen
    assert seen
    assert table["rank"].tolist() == list(range(1, N_ITEMS - len(seen) + 1))
    assert table["score"].is_monotonic_decreasing
    every = model.recommend(["u3"], k=N_ITEMS, exclude_seen=False)
    assert set(every["item_id"]) == set(model.items)
    assert len(every) == N_ITEMS


def test_candidates_are_ranked_as_in_the_whole(model: Recommender):
    chosen = ["i7", "i2", "i11", "i7"]
    table = model.recommend(["u1", "u2"], k=5, candidates=chosen, exclude_seen=False)
    every = model.recommend(["u1", "u2"], k=N_ITEMS, exclude_seen=False)
    expected = every[every["item_id"].isin(chosen)]
    assert table["item_id"].tolist() == expected["item_id"].tolist()
    assert table["score"].tolist() == expected["score"].tolist()
    assert table["rank"].tolist() == [1, 2, 3, 1, 2, 3]


def test_order_and_repeats_of_users(model: Recommender):
    table = model.recommend(np.array(["u9", "u1", "u9"]), k=2)
    assert table["user_id"].tolist() == ["u9", "u9", "u1", "u1"]
    batched = model.recommend(model.users, k=3)
    alone = pd.concat([model.recommend([user], k=3) for user in model.users[:5]])
    assert batched["item_id"][:15].tolist() == alone["item_id"].tolist()


def test_nothing_asked_is_nothing_answered(model: Recommender, sequential: Recommender):
    for table in (
        model.recommend([]),
        model.recommend(["u1"], candidates=[]),
        sequential.recommend(histories=[]),
    ):
        assert list(table.columns) == COLUMNS
        assert len(table) == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"users": "u1"}, "expected a list of tokens"),
        ({"users": 196}, "expected a list of tokens"),
        ({"users": [None]}, "NoneType"),
        ({"users": [1.5]}, "float"),
        ({"users": [True]}, "bool"),
        ({}, "give users"),
        ({"users": ["u1"], "k": 0}, "k: expected a whole number from 1"),
        ({"users": ["u1"], "k": 2.0}, "k: expected"),
        ({"users": ["u1"], "k": True}, "k: expected"),
        ({"users": ["u1"], "unknown": "popular"}, "Did you mean 'popularity'"),
        ({"users": ["u1"], "candidates": ["i1", "j1"]}, r"no item 'j1'\. Did you mean 'i1'"),
        ({"users": ["u1", "v1", "v2", "v3", "v4"]}, r"no user 'v1'\. Did you mean .*And 1 more"),
        ({"histories": [["i1"]]}, "BPR reads none"),
    ],
)
def test_mistakes_are_named(model: Recommender, given: dict[str, Any], words: str):
    with pytest.raises(InputError, match=words):
        model.recommend(**given)


def test_unknown_users_get_what_is_popular(general: Finished, model: Recommender):
    seen = pd.read_parquet(general.run_dir / "seen.parquet")
    ids = pd.read_parquet(general.run_dir / "ids.parquet")
    tokens = ids[ids["kind"] == "item"].set_index("id")["token"]
    counts = seen[seen["part"] == "train"]["item"].map(tokens).value_counts()
    table = model.recommend(["new", "u1", 77], k=4, unknown="popularity")
    assert table["user_id"].tolist() == ["new"] * 4 + ["u1"] * 4 + ["77"] * 4
    new = table[table["user_id"] == "new"]
    assert new["score"].tolist() == counts.iloc[:4].tolist()
    assert new["score"].tolist() == [counts[item] for item in new["item_id"]]
    known = table[table["user_id"] == "u1"].reset_index(drop=True)
    pd.testing.assert_frame_equal(known, model.recommend(["u1"], k=4), check_dtype=False)


def test_cold_items_are_scored_from_their_features(folder: Path, cold: Finished):
    expected = cold.expected("ood_cold", N_ITEMS)
    seen = pd.read_parquet(cold.run_dir / "seen.parquet")["item"]
    known = {cold.token("item", item) for item in seen}
    served = ri.load(cold.run_dir)
    items = sorted(set(served.items) - known)
    assert len(items) == 6
    user = expected["user_id"][0]
    table = served.recommend([user], k=6, candidates=items)
    theirs = expected[(expected["user_id"] == user) & expected["item_id"].isin(items)]
    assert table["item_id"].tolist() == theirs["item_id"].tolist()
    np.testing.assert_allclose(table["score"], theirs["score"], rtol=1e-6, atol=1e-6)


def test_a_model_without_features_says_that_it_cannot_score_cold_items(folder: Path):
    made = finished(folder, "UltraGCN", **{**GENERAL, "ood": "cold", "cold_share": 0.2})
    served = ri.load(made.run_dir)
    seen = pd.read_parquet(made.run_dir / "seen.parquet")["item"]
    known = {made.token("item", item) for item in seen}
    unknown = next(item for item in served.items if item not in known)
    with pytest.raises(InputError, match=f"'{unknown}': without a training row"):
        served.recommend(["u1"], candidates=[unknown])
    given = [unknown, next(iter(known))]
    table = served.recommend(["u1"], candidates=given, unknown_items="drop", exclude_seen=False)
    assert table["item_id"].tolist() == given[1:]


def test_histories_are_read_to_their_end(sequential: Recommender):
    long = [f"i{n}" for n in range(12)]
    table = sequential.recommend(histories=[long, long[-6:], ["i3"]], k=5, exclude_seen=False)
    assert table["user_id"].tolist() == ["0"] * 5 + ["1"] * 5 + ["2"] * 5
    first, second, third = (table[table["user_id"] == n]["item_id"].tolist() for n in "012")
    assert first == second != third
    without = sequential.recommend(histories=[long], k=N_ITEMS)
    assert set(without["item_id"]) == set(sequential.items) - set(long)


def test_what_histories_may_not_hold(sequential: Recommender):
    with pytest.raises(InputError, match=r"histories\[1\]: the catalogue has no item 'j3'"):
        sequential.recommend(histories=[["i1"], ["i2", "j3"]])
    with pytest.raises(InputError, match=r"histories\[0\]: is empty"):
        sequential.recommend(histories=[["j3"]], unknown_items="drop")
    with pytest.raises(InputError, match="2 users for 1 histories"):
        sequential.recommend(["a", "b"], histories=[["i1"]])
    dropped = sequential.recommend(histories=[["i1", "j3"]], unknown_items="drop")
    assert dropped["score"].tolist() == sequential.recommend(histories=[["i1"]])["score"].tolist()
    popular = sequential.recommend(histories=[[]], unknown="popularity", k=1)
    assert float(popular["score"][0]) >= 1
    named = sequential.recommend(["anybody"], histories=[["i1"]])
    assert set(named["user_id"]) == {"anybody"}


def test_folders_that_cannot_recommend(general: Finished, tmp_path: Path):
    old = tmp_path / "old"
    shutil.copytree(general.run_dir, old)
    (old / INFERENCE_FILE).unlink()
    with pytest.raises(InputError, match=r"no such file, and without it .* cannot recommend"):
        ri.load(old)
    with pytest.raises(InputError, match=r"run\.json: there is no such file"):
        ri.load(tmp_path)
    shutil.copy(general.run_dir / "model.safetensors", old / INFERENCE_FILE)
    with pytest.raises(InputError, match="not a file of a run's data"):
        ri.load(old)


def test_a_model_that_scores_otherwise_is_refused(general: Finished, tmp_path: Path):
    other = tmp_path / "other"
    shutil.copytree(general.run_dir, other)
    stored = Stored.read(other)
    stored.tensors["probe.scores"][0, 3] += 0.1
    stored.write(other)
    with pytest.raises(InputError, match="gives other scores than in the run"):
        ri.load(other)


def test_the_command(cold: Finished, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run = str(cold.run_dir)
    assert main(["recommend", "--run", run, "--users", "u1", "u2", "-k", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == COLUMNS
    assert [line.split()[:2] for line in lines[2:]] == [
        [u, r] for u in ("u1", "u2") for r in ("1", "2")
    ]
    for suffix, read in ((".parquet", pd.read_parquet), (".csv", pd.read_csv)):
        out = tmp_path / "new" / f"recs{suffix}"
        assert main(["recommend", "--run", run, "--all", "-k=3", "--out", str(out)]) == 0
        expected = ri.load(run).recommend(ri.load(run).users, k=3)
        pd.testing.assert_frame_equal(read(out), expected, check_dtype=False)
    (tmp_path / "users").write_bytes("\ufeffu3\r\n\r\nu4\r\nnew\r\n".encode())
    (tmp_path / "items").write_text("i1\ni2\ni3")
    words = ["--users_file", str(tmp_path / "users"), "--candidates_file", str(tmp_path / "items")]
    capsys.readouterr()
    assert main(["recommend", "--run", run, *words, "--include_seen", "--unknown=popularity"]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[0] for line in lines] == ["u3"] * 3 + ["u4"] * 3 + ["new"] * 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "recommend needs --run"),
        ("--run {run}", "needs one of --users"),
        ("--run {run} --users u1 --all", "given: --users and --all"),
        ("--run {run} --users", "--users names no user"),
        ("--run {run} --users u1 --kk 3", "knows no --kk"),
        ("--run {run} --users u1 -k x", "-k: expected"),
        ("--run {run} --users u1 --out a.json", "ends in .parquet or .csv"),
        ("--run {run} --users nobody", "no user 'nobody'"),
        ("--run {run} --users_file nowhere", "users_file: nowhere cannot be read"),
        ("--run {run} --all=3", "--all is a flag"),
        ("--run {run} --users_file /dev/null", "users_file: /dev/null is empty"),
    ],
)
def test_mistakes_on_the_command_line(
    general: Finished, capsys: pytest.CaptureFixture[str], words: str, said: str
):
    assert main(["recommend", *words.format(run=general.run_dir).split()]) == 2
    assert said in capsys.readouterr().err


def test_histories_of_a_file(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run = str(folder / "elsewhere" / "SASRec")
    (tmp_path / "histories").write_text("i1\ti2\ni5\n")
    words = ["--histories_file", str(tmp_path / "histories"), "-k", "1"]
    assert main(["recommend", "--run", run, *words]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[0] for line in lines] == ["0", "1"]


@pytest.mark.parametrize("line", ["i1 i2", "i1, i2", "i1;i2"])
def test_histories_without_tabs(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
):
    run = str(folder / "elsewhere" / "SASRec")
    (tmp_path / "histories").write_text(f"i5\n{line}\n")
    assert main(["recommend", "--run", run, "--histories_file", str(tmp_path / "histories")]) == 2
    assert (
        f"histories_file: line 2, '{line}', begins with the item 'i1': items stand with tabs"
        in (capsys.readouterr().err)
    )


def test_rankings_that_are_shorter_than_asked_are_told(
    general: Finished, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    seen = sorted(seen_of(general, "u1"))[:2]
    (tmp_path / "items").write_text("\n".join(seen))
    words = ["recommend", "--run", str(general.run_dir), "--users", "u1", "-k", "2"]
    words += ["--candidates_file", str(tmp_path / "items")]
    assert main(words) == 0
    assert (
        "note: 1 of 1 got fewer than 2 items: there are no more in the candidates, less what"
        in (capsys.readouterr().err)
    )
    assert main([*words, "--include_seen"]) == 0
    assert capsys.readouterr().err == ""
