"""Whole runs on tiny data, and on ml-100k as RecBole ships it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from recbole.model.general_recommender import BPR

import recbole_invariant as ri
from recbole_invariant.cli.main import main
from recbole_invariant.companions import SHARED_OPTIONS
from recbole_invariant.configuration.layers import overall_layer
from recbole_invariant.data.splits import PROTOCOLS
from recbole_invariant.errors import InputError, TrainingError
from recbole_invariant.evaluation.reopen import evaluate_run
from recbole_invariant.quick_start import RunResult, run
from tests.host import write_toy

QUICK: dict[str, Any] = {
    "epochs": 2,
    "use_gpu": False,
    "show_progress": False,
    "train_batch_size": 256,
    "topk": [5, 10],
    "valid_metric": "NDCG@10",
}
FILES = {
    "run.json",
    "config.yaml",
    "model.safetensors",
    "ids.parquet",
    "seen.parquet",
    "per_user.parquet",
    "history.jsonl",
    "log.txt",
    "table.md",
    "plots",
    "checkpoint",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("quick")
    write_toy(path, n_users=60, ratings=True)
    return path


def toy(folder: Path, model: str | type = "BPR", **options: Any) -> RunResult:
    name = options.pop("run_name", None)
    config = {**QUICK, "data_path": str(folder), "ood": "popularity", **options}
    config.setdefault("positive_threshold", 2)
    return run(model, "toy", config=config, output_dir=folder / "runs", run_name=name)


@pytest.fixture(scope="module")
def done(folder: Path) -> RunResult:
    return toy(folder, run_name="main", baselines=["Pop", "ItemKNN"])


def test_a_run_leaves_every_file_and_its_record_agrees_with_them(done: RunResult) -> None:
    assert done.run_dir is not None
    assert {path.name for path in done.run_dir.iterdir()} >= FILES
    assert (done.run_dir / "checkpoint" / "last.safetensors").is_file()
    record = json.loads((done.run_dir / "run.json").read_text())
    assert record == json.loads(json.dumps(done.record))
    assert list(record["metrics"]) == ["valid", "iid", "ood_popularity"]
    table = pd.read_parquet(done.run_dir / "per_user.parquet")
    for split in ("iid", "ood_popularity"):
        rows = table[table["split"] == split]
        assert len(rows) == record["n_users"][split]
        for name, value in record["metrics"][split].items():
            assert rows[name].mean() == pytest.approx(value, abs=1e-9)
    seen = pd.read_parquet(done.run_dir / "seen.parquet")
    assert (seen["part"] == "train").sum() == record["n_interactions"]["train"]
    assert record["options"]["epochs"] == {"value": 2, "layer": "config="}
    assert record["options"]["learning_rate"]["layer"].startswith("RecBole")
    assert record["selection"]["metric"] == "ndcg@10"
    assert [stage["name"] for stage in record["stages"]] == ["train"]
    assert {"versions", "mends", "data", "modalities", "seed", "slices"} <= set(record)
    values = yaml.safe_load((done.run_dir / "config.yaml").read_text())
    assert values["data_path"] == str(done.run_dir.parents[1])


def test_baselines_share_every_option_of_the_protocols() -> None:
    options = {key for key in overall_layer().values if key.startswith((*PROTOCOLS,))}
    # a random control beside a baseline would be a run nobody asked for
    assert options - {"environment_control"} <= SHARED_OPTIONS
    assert {"ood", "selection", "pool_ratio"} <= SHARED_OPTIONS


def test_baselines_stand_beside_the_model_on_the_same_rows(done: RunResult) -> None:
    assert done.run_dir is not None
    assert list(done.baselines) == ["Pop", "ItemKNN"]
    for name, baseline in done.baselines.items():
        assert baseline.run_dir == done.run_dir / "baselines" / name
        assert baseline.record["n_interactions"] == done.record["n_interactions"]
        ours, theirs = (
            pd.read_parquet(path / "seen.parquet") for path in (done.run_dir, baseline.run_dir)
        )
        columns = ["user", "item", "part"]
        pd.testing.assert_frame_equal(
            ours.sort_values(columns, ignore_index=True),
            theirs.sort_values(columns, ignore_index=True),
        )
        assert f"{baseline.metrics['ood_popularity']['recall@5']:.4f}" in done.table
    for words in ("protocol popularity", "seed 2020", "highest valid:ndcg@10", "train 2 epochs"):
        assert words in done.table
    assert done.table.count("schedule of") == 3
    assert "| ItemKNN" in (done.run_dir / "table.md").read_text()


def test_the_same_seed_gives_the_same_run(folder: Path, done: RunResult) -> None:
    again = toy(folder)
    assert again.metrics == done.metrics
    assert toy(folder, seed=3).metrics != done.metrics


def test_a_reopened_run_gives_the_same_numbers(done: RunResult) -> None:
    assert done.run_dir is not None
    before = sorted(path.name for path in done.run_dir.iterdir())
    tests = {name: values for name, values in done.metrics.items() if name != "valid"}
    again = evaluate_run(done.run_dir)
    assert again.metrics == tests
    ours = next(line for line in done.table.splitlines() if line.startswith("BPR"))
    assert ours.split() == next(
        line.split() for line in again.table.splitlines() if line.startswith("BPR")
    )
    for baseline in done.baselines.values():
        assert baseline.run_dir is not None
        metrics = {name: v for name, v in baseline.metrics.items() if name != "valid"}
        assert evaluate_run(baseline.run_dir).metrics == metrics
    assert sorted(path.name for path in done.run_dir.iterdir()) == before


def test_a_reopened_run_takes_other_cutoffs(done: RunResult) -> None:
    assert done.run_dir is not None
    again = evaluate_run(done.run_dir, {"topk": [1, 5, 10], "metrics": ["Recall", "NDCG", "Hit"]})
    assert again.metrics["iid"]["recall@5"] == done.metrics["iid"]["recall@5"]
    assert "hit@1" in again.metrics["ood_popularity"]
    assert "hit@1" in again.per_user["iid"].columns
    assert evaluate_run(done.run_dir, command_line={"topk": "1,3"}).metrics.keys() == (
        again.metrics.keys()
    )
    without = evaluate_run(done.run_dir, command_line={"topk": "[1,3]"})
    assert without.metrics["iid"]["recall@1"] == again.metrics["iid"]["recall@1"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"ood": "random"}, r"Train a run with --ood=random"),
        ({"ood": None}, r"trained on the split of popularity"),
        ({"popularity_gamma": [3.0]}, r"rows that the model has seen would be tested"),
        ({"positive_threshold": 3}, r"training set is not the one of this run"),
        ({"topkk": 3}, r"topkk.*topk"),
        ({"learning_rate": 0.1}, r"^learning_rate: of \w+ or its training, which is done"),
        ({"embedding_size": 8, "topk": [3]}, r"^embedding_size: of \w+ or its training"),
    ],
)
def test_a_reopened_run_refuses_another_split(
    done: RunResult, overrides: dict[str, Any], message: str
) -> None:
    assert done.run_dir is not None
    with pytest.raises(InputError, match=message):
        evaluate_run(done.run_dir, overrides)


def test_only_a_finished_run_can_be_reopened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"run\.json"):
        evaluate_run(tmp_path)


def test_a_run_never_overwrites_another(folder: Path, done: RunResult) -> None:
    with pytest.raises(InputError, match=r"run_name: .*main is there already"):
        toy(folder, run_name="main")


@pytest.mark.parametrize("run_name", [None, "mine"])
def test_an_output_folder_that_cannot_be_made_is_wrong_input(
    folder: Path, tmp_path: Path, run_name: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    words = ["--model", "Pop", "--dataset", "toy", f"--data_path={folder}", "--ood=random"]
    words += [f"--output_dir={tmp_path / 'file' / 'runs'}"]
    assert main([*words, *([f"--run_name={run_name}"] if run_name else [])]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: output_dir: {tmp_path}")
    assert said.count("\n") == 1
    assert "file is a file, not a folder" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ood": "populrity"}, "Did you mean 'popularity'"),
        ({"ood": "column"}, "column_field: name the column"),
        ({"topk": [5, 10, 100]}, r"topk: .*100.* 30 items"),
        ({"popularity_gamma": [0.5]}, "popularity_gamma"),
        ({"positive_threshold": 9}, "positive_threshold"),
        ({"baselines": ["Pop", "Popp"]}, "baseline Popp"),
        ({"baselines": ["Pop"], "baseline_options": {"BPR": {}}}, "not among the baselines"),
        ({"baselines": ["Pop"], "baseline_options": {"Pop": {"epoch": 1}}}, "epoch"),
        ({"dataset_save_path": "x.pth"}, "pickles"),
    ],
)
def test_wrong_input_leaves_no_folder(folder: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        toy(folder, run_name="wrong", **options)
    assert not (folder / "runs" / "wrong").exists()


class Diverges(BPR):  # type: ignore[misc]
    def calculate_loss(self, interaction: Any) -> Any:
        return super().calculate_loss(interaction) * float("nan")


def test_a_failed_run_keeps_what_there_is_and_has_no_record(folder: Path) -> None:
    with pytest.raises(TrainingError, match="stage 'train', epoch 0, batch 0"):
        toy(folder, Diverges, run_name="diverged", embedding_size=8)
    left = {path.name for path in (folder / "runs" / "diverged").iterdir()}
    assert {"config.yaml", "ids.parquet", "seen.parquet", "log.txt"} <= left
    assert "run.json" not in left


def test_the_environment_protocol_stands_beside_its_random_control(folder: Path) -> None:
    result = toy(
        folder,
        ood="environment",
        environment_epochs=1,
        environment_rounds=1,
        environment_batch_size=128,
    )
    control = result.control
    assert control is not None
    assert result.run_dir is not None
    assert list(control.metrics) == ["valid", "iid", "ood_random"]
    sizes = result.record["n_interactions"]["ood_environment"], result.record["split"]["dropped"]
    asked = sizes[0] + sizes[1]["ood_environment"]
    theirs = control.record["n_interactions"]["ood_random"]
    split = control.record["split"]
    assert theirs + split["dropped"]["ood_random"] + split["given_back_to_users"] == asked
    assert "BPR (random control)" in result.table
    shift = result.record["shift"]
    assert shift["low"] <= shift["gap"] - shift["control_gap"] <= shift["high"]
    assert ("no shift" in result.table) == (not shift["is_shift"])
    assert (result.run_dir / "control" / "run.json").is_file()


def test_without_a_protocol_there_is_an_iid_test_only(folder: Path) -> None:
    result = toy(folder, ood=None)
    assert list(result.metrics) == ["valid", "iid"]
    assert "RecBole's own split" in result.table


def test_ml_100k_needs_no_option_but_the_model(tmp_path: Path) -> None:
    config = {"epochs": 1, "use_gpu": False, "show_progress": False}
    result = ri.run("BPR", config=config, output_dir=tmp_path)
    assert list(result.metrics) == ["valid", "iid", "ood_popularity"]
    # 55,375 ratings of 4 and 5
    record = result.record
    cold = sum(record["split"]["dropped"].values())
    assert sum(record["n_interactions"].values()) + cold == 55_375
    assert record["options"]["ood"]["layer"] == "dataset_configs/ml-100k.yaml"
    assert all(np.isfinite(v) for values in result.metrics.values() for v in values.values())
    assert 0 < result.metrics["iid"]["recall@10"] < 1


def test_a_context_model_on_ml_100k_is_measured_by_labels(tmp_path: Path) -> None:
    config = {"epochs": 1, "use_gpu": False, "show_progress": False}
    result = ri.run("FM", config=config, output_dir=tmp_path)
    assert list(result.metrics) == ["valid", "iid", "ood_popularity"]
    assert set(result.metrics["iid"]) == {"auc", "logloss"}
    assert result.record["slices"] == {}
    assert result.run_dir is not None
    assert evaluate_run(result.run_dir).metrics["iid"] == result.metrics["iid"]


def test_features_keep_their_order_when_a_run_is_opened_again(tmp_path: Path) -> None:
    """Modalities out of alphabetical order: other columns for the same projection otherwise."""
    write_toy(tmp_path, n_users=60)
    rng = np.random.default_rng(0)
    for name, width in (("visual", 3), ("acoustic", 5)):
        np.save(tmp_path / "toy" / f"toy.{name}.npy", rng.normal(size=(30, width)))
    tokens = "".join(f"i{item}\n" for item in range(30))
    (tmp_path / "toy" / "toy.item_tokens.txt").write_text(tokens)
    modalities = {"visual": {"source": "npy"}, "acoustic": {"source": "npy"}}
    options = {"init_std": 0.5, "modalities": modalities, "positive_threshold": None}
    done = toy(tmp_path, "UltraGCNF", **options)
    assert done.run_dir is not None
    again = evaluate_run(done.run_dir)
    assert {k: v for k, v in done.metrics.items() if k != "valid"} == {
        k: v for k, v in again.metrics.items() if k != "valid"
    }


def test_wrong_shares_and_names_are_the_users_mistakes(folder: Path) -> None:
    with pytest.raises(InputError, match="pool_ratio"):
        toy(folder, pool_ratio=[0.8, 0.1])
    with pytest.raises(InputError, match="run_name"):
        toy(folder, run_name="../elsewhere")
