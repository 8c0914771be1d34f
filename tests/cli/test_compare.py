"""`compare` from the command line to the files, on toy data."""

import sys
from functools import partial
from typing import Any

import pandas as pd
import pytest

import recbole_invariant as ri
from recbole_invariant.cli.compare import command_of
from recbole_invariant.cli.main import main
from recbole_invariant.comparison import compare
from recbole_invariant.comparison.compare import plan_comparison
from recbole_invariant.comparison.execute import execute
from recbole_invariant.evaluation import records
from tests.host import write_toy

YAML = """
data_path: {folder}
ood: popularity
positive_threshold: 2
epochs: 1
topk: [5, 10]
use_gpu: false
train_batch_size: 512
models:
  BPR: {{learning_rate: 0.01}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Toy data, its options, and a comparison's folder in which three of four runs are done."""
    folder = tmp_path_factory.mktemp("compare")
    write_toy(folder, n_users=60, ratings=True)
    (folder / "options.yaml").write_text(YAML.format(folder=folder))
    files = [str(folder / "options.yaml")]
    plan = plan_comparison("Pop,BPR", "toy", 2, config_files=files, out=folder / "out")
    for run in plan.runs[:3]:
        ri.run(
            run.model,
            "toy",
            config_files=files,
            output_dir=run.folder.parent,
            run_name=run.folder.name,
            command_line=run.command_line,
        )
    half = plan.runs[3].folder
    half.mkdir(parents=True)
    (half / "config.yaml").write_text("half a run")
    return folder


def words(folder, *more):
    given = ["--dataset", "toy", "--seeds=2", "--config_files", str(folder / "options.yaml")]
    return ["compare", "--models", "Pop,BPR", *given, "--out", str(folder / "out"), *more]


def test_compare_goes_on_where_it_stopped(folder, capsys):
    assert main(words(folder, "--dry_run=True")) == 0
    assert "4 runs, 3 of them done" in capsys.readouterr().out

    assert main(words(folder, "--dry_run=False", "--markdown", str(folder / "results.md"))) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("3 of 4 runs are done already\n[1/1] BPR seed 2021: ")
    assert f"tables, tests and runs: {folder / 'out'}\n" in shown
    assert "selection: highest valid:ndcg@10" in shown
    assert "3 of 4 runs were done before" in shown
    assert "paired tests are against BPR" in shown
    page = (folder / "results.md").read_text()
    assert "command: `python run_recbole_inv.py compare --models Pop,BPR --dataset toy" in page
    out = folder / "out"
    assert {path.name for path in out.iterdir()} >= {
        "comparison.json", "table.md", "table.tex", "table.csv", "table.parquet", "tests.parquet"
    }  # fmt: skip
    table = pd.read_parquet(out / "table.parquet")
    tests = table[table["what"] == "test"]
    assert set(tests["model"]) == {"Pop", "BPR"}
    assert set(tests["test"]) == {"iid", "ood_popularity"}
    assert set(tests["n_seeds"]) == {2}
    runs = [records.read_json(path) for path in sorted((out / "runs").glob("BPR-*/run.json"))]
    mean = sum(run["metrics"]["iid"]["recall@5"] for run in runs) / 2
    row = tests.query("model == 'BPR' and test == 'iid' and metric == 'recall@5'")
    assert row["mean"].item() == pytest.approx(mean)
    assert {run["split_checksum"] for run in runs} == {
        records.read_json(path)["split_checksum"] for path in (out / "runs").glob("Pop-*/run.json")
    }


def test_python_gives_the_same_tables_without_running_again(folder):
    files = [str(folder / "options.yaml")]
    lines: list[str] = []

    found = ri.compare(
        ["Pop", "BPR"], "toy", 2, config_files=files, out=folder / "out", report=lines.append
    )

    assert lines == [
        "4 of 4 runs are done already",
        f"tables, tests and runs: {folder / 'out'}",
    ]
    assert found.failures == []
    written = pd.read_parquet(folder / "out" / "table.parquet")
    part = (
        written[written["what"] == "test"]
        .drop(columns=["what", "sees_truth"])
        .reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(part, found.cells)


def test_an_interruption_says_what_is_done_and_that_it_goes_on(folder, capsys, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "execute", interrupt)
    given = [word if word != "--seeds=2" else "--seeds=3" for word in words(folder)]

    assert main(given) == 130

    said = capsys.readouterr()
    done = 4 if "4 of 6 runs are done already" in said.out else 3
    assert said.err == (
        f"interrupted; {done} of 6 runs are done in {folder / 'out'}: the same command goes on\n"
    )


@pytest.mark.parametrize("dry", [[], ["--dry_run"]])
@pytest.mark.parametrize(
    ("there", "says"), [(("toy", "temporal"), "toy, protocol temporal"), (("other", None), "other")]
)
def test_a_folder_of_another_comparison_is_refused(folder, tmp_path, capsys, there, says, dry):
    content = dict(zip(("dataset", "protocol"), there, strict=True))
    records.write_json(tmp_path / "comparison.json", content)

    given = [word for word in words(folder) if word != str(folder / "out")]

    assert main([*given, str(tmp_path), *dry]) == 2

    error = capsys.readouterr().err
    assert f"{tmp_path} holds the comparison of {says}" in error
    assert "this one is of toy, protocol popularity. Take another folder" in error
    assert [path.name for path in tmp_path.iterdir()] == ["comparison.json"]


def test_a_failed_run_is_missing_and_gives_code_1(folder, capsys, monkeypatch):
    refusing = [sys.executable, "-S", "-c", "print('error: not this data'); raise SystemExit(2)"]
    monkeypatch.setattr(compare, "execute", partial(execute, command=refusing))
    files = ["--config_files", str(folder / "options.yaml")]
    given = ["--dataset", "toy", "--seeds=1", *files, "--out", str(folder / "out")]

    assert main(["compare", "--models", "Pop,BPR[epochs=2]", *given]) == 1

    shown = capsys.readouterr().out
    assert "[1/1] BPR[epochs=2] seed 2020: failed, exit code 2" in shown
    assert "missing: BPR[epochs=2], seed 2020: exit code 2" in shown
    assert "ends: error: not this data" in shown
    assert "a tuned plain baseline is missing" in shown
    content = records.read_json(folder / "out" / "comparison.json")
    assert content["models"] == ["Pop"]
    assert len(content["failures"]) == 1
    assert main(["compare", "--models", "BPR[epochs=2]", *given]) == 1
    assert "no run came to its end" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "compare needs --models"),
        (["--models", "BPR", "--jobs=0"], "jobs: expected"),
        (["--models", "BPR", "--seeds=x"], "seeds: expected"),
        (["--models", "BPR,Pop", "--baseline", "Pip"], "Did you mean 'Pop'"),
        (["--models", "BPR,Pop", "--oracle", "Pip"], "oracle: 'Pip' is not among the models"),
        (["--models", "BPR,Pop", "--oracle=Pop", "--baseline=Pop"], "oracle: Pop is the baseline"),
        (["--models", "BPR", "--oracle="], "--oracle names no model"),
        (["--models", "BPR", "--seed=3"], "seed: compare takes several"),
        (["--models", "Pop,Nope"], "no such model"),
        (["--models", "BPR", "--dataset", "none"], "dataset 'none'"),
        (["--models", "BPR", "--out"], "--out names no folder"),
        (["--models", "BPR", "--markdown", "--dry_run"], "--markdown names no file"),
        (["--models", "BPR", "--baseline="], "--baseline names no model"),
        (["--models", "BPR", "--config_files", "--dry_run"], "--config_files names no file"),
        (["--models", "BPR", "--dry_run=perhaps"], "dry_run: expected true or false"),
        (["--models", "BPR", "--tune"], "tune: expected how many trials each model gets"),
        (["--models", "BPR", "--tune=2", "--searcher=gird"], "searcher: expected one of"),
        (["--models", "BPR", "--tune=2", "--cpus_per_trial=x"], "cpus_per_trial: expected"),
        (["--models", "BPR", "--tune=2", "--objective=iid:ndcg@10"], "set --selection"),
    ],
)
def test_wrong_input_runs_nothing(given, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert main(["compare", *given]) == 2

    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_pages_command_names_no_place_of_this_machine():
    given = {
        "models": "Pop,BPR[epochs=3]",
        "dataset": "toy",
        "seeds": "5",
        "first_seed": None,
        "baseline": "BPR[epochs=3]",
        "oracle": "Pop",
        "config_files": ["a.yaml"],
        "command_line": {"data_path": "/somewhere/here", "ood": "temporal"},
    }

    assert command_of(given, "docs/results.md") == (
        "python run_recbole_inv.py compare --models 'Pop,BPR[epochs=3]' --dataset toy --seeds 5 "
        "--baseline 'BPR[epochs=3]' --oracle Pop --config_files a.yaml --data_path=DIR "
        "--ood=temporal --markdown docs/results.md"
    )


def test_the_pages_command_has_the_searches():
    given: dict[str, Any] = {
        "models": "BPR",
        "dataset": "toy",
        "seeds": "5",
        "first_seed": None,
        "baseline": None,
        "oracle": None,
        "config_files": [],
        "command_line": {},
        "tune": 20,
        "tune_options": {"searcher": "optuna", "address": "auto"},
    }

    assert command_of(given).endswith(" --seeds 5 --tune=20 --searcher=optuna")
