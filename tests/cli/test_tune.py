"""Everything wrong that a user can type is said before anything is trained or Ray starts."""

from pathlib import Path

import pytest

from recbole_invariant.cli.main import main
from recbole_invariant.tuning import search
from tests.host import write_toy


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tune")
    write_toy(path, ratings=True)
    return path


@pytest.fixture(autouse=True)
def _nothing_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was trained")

    monkeypatch.setattr(search, "fly", refuse)
    monkeypatch.setattr(search, "_run_trials", refuse)


def tune(data: Path, folder: Path, *words: str) -> int:
    given = ["--model", "BPR", "--dataset", "toy", "--data_path", str(data), "--ood=popularity"]
    return main(["tune", *given, "--storage", str(folder / "searches"), *words])


def written(folder: Path, text: str) -> str:
    path = folder / "space.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--objective", "iid:ndcg@10"], "a test set selects nothing"),
        (["--objective", "ood_popularity:ndcg@10"], "a test set selects nothing"),
        (["--selection=oracle"], "a test set selects nothing"),
        (["--objective", "valid:ndcg@7"], "add 7 to --topk"),
        (["--objective", "valid:ndgc@10"], "'ndcg@10'"),
        (["--objective", "vaild:ndcg@10"], "'valid'"),
        (["--objective", "valid:ndcg@10", "--valid_metric=Recall@10"], "beside --objective"),
        (["--trials", "0"], "trials: expected an integer >= 1"),
        (["--trials", "many"], "trials: expected an integer, not 'many'"),
        (["--scheduler", "ahsa"], "'asha'"),
        (["--searcher", "optna"], "'optuna'"),
        (["--searcher", "grid"], "learning_rate"),
        (["--gpus_per_trial", "1"], "gpus_per_trial: 1 is asked, torch sees no GPU"),
        (["--cpus_per_trial", "999"], "cpus_per_trial: 999 are asked"),
        (["--baselines=Pop"], "compare --tune N"),
        (["--lerning_rate=1"], "'learning_rate'"),
        (["--trails", "5"], "there is no option 'trails'. Did you mean 'trials'"),
        (["--serch_seed=1"], "'search_seed'"),
        (["--objectives=valid:ndcg@10"], "Did you mean 'objective'"),
        (["--use_gpu"], "use_gpu: trials get no GPU by it; use --gpus_per_trial"),
        (["--gpu_id=0"], "gpu_id: trials get no GPU by it; use --gpus_per_trial"),
        (
            ["--objective", "valid:map@10"],
            "--metrics=\"['recall','ndcg','precision','map']\"",
        ),
        (["--refit", "tests"], "refit: expected one of"),
        (["--address", "127.0.0.1:1"], "no Ray cluster answers at 127.0.0.1:1"),
        (["--space", "nowhere.yaml"], "--space 'nowhere.yaml': there is no such file"),
        (["--space", "nowhere.test"], "--space 'nowhere.test': there is no such file"),
        (["--data_path", "/nonexist"], "dataset 'toy': looked for toy.inter in /nonexist/toy"),
        (["--run_name", "a/b"], "without folders"),
        (["--storage", "nosuch://x"], "nosuch"),
        (["--storage", "/proc/nowhere"], "/proc/nowhere"),
        (["--storage", "memory://x"], "process of its own"),
    ],
)
def test_what_is_wrong_is_one_error_before_anything_runs(data, tmp_path, capsys, words, said):
    if "--data_path" in words:
        code = main(["tune", "--model", "BPR", "--dataset", "toy", "--dry_run", *words])
    elif "--storage" in words:
        given = ["--model", "BPR", "--dataset", "toy", "--data_path", str(data)]
        code = main(["tune", *given, "--ood=popularity", *words])
    else:
        code = tune(data, tmp_path, *words)
    assert code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "searches").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "space"),
        ("lerning_rate: [0.1]\n", "'learning_rate'"),
        ("learning_rate: {loguniform: [0.1, 0.001]}\n", "learning_rate"),
        ("embedding_size: {uniform: [8, 64]}\n", "embedding_size"),
        ("seed: [1, 2]\n", "seed"),
        ("n_layers: [1, 2]\n", "n_layers"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused(data, tmp_path, capsys, text, said):
    assert tune(data, tmp_path, "--space", written(tmp_path, text)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error


def test_fixed_options_leave_the_space_and_an_empty_one_is_refused(data, tmp_path, capsys):
    space = written(tmp_path, "learning_rate: [0.01, 0.1]\n")
    assert tune(data, tmp_path, "--space", space, "--learning_rate=0.05") == 2
    assert "error: " in capsys.readouterr().err


def test_the_dry_run_prints_the_plan_and_trains_nothing(data, tmp_path, capsys):
    words = ["--trials", "7", "--objective", "valid:recall@10", "--dry_run", "--embedding_size=16"]
    assert tune(data, tmp_path, *words) == 0
    said = capsys.readouterr().out
    assert "7 trials by random, scheduler asha, objective valid:recall@10" in said
    assert "learning_rate: 0.0002 to 0.02, log scale" in said
    assert "embedding_size: " not in said
    assert "fixed, not searched: embedding_size" in said
    assert "embedding_size=16; seed 2020" in said
    assert not (tmp_path / "searches").exists()


def test_a_grid_takes_all_its_combinations_unless_told(data, tmp_path, capsys):
    text = "learning_rate: [0.01, 0.1]\nembedding_size: [4, 8]\n"
    words = ["--searcher", "grid", "--space", written(tmp_path, text), "--dry_run"]
    assert tune(data, tmp_path, *words) == 0
    assert "5 trials by grid" in capsys.readouterr().out
    assert tune(data, tmp_path, *words, "--trials=3") == 0
    assert "3 trials by grid" in capsys.readouterr().out


def test_resume_takes_a_folder_of_a_search_and_little_else(tmp_path, capsys):
    assert main(["tune", "--resume", str(tmp_path)]) == 2
    assert "holds no tune.json" in capsys.readouterr().err
    assert main(["tune", "--resume", str(tmp_path), "--epochs=3"]) == 2
    assert "not --epochs" in capsys.readouterr().err
    assert main(["tune", "--resume", str(tmp_path), "--trails=3"]) == 2
    assert "not --trails. Did you mean 'trials'" in capsys.readouterr().err
    (tmp_path / "tune.json").write_text("{}")
    assert main(["tune", "--resume", str(tmp_path)]) == 2
    assert "not the plan of a search" in capsys.readouterr().err


def test_help_lists_the_searchs_own_options(capsys):
    assert main(["tune", "--help"]) == 0
    said = capsys.readouterr().out
    for option in ("--trials", "--space", "--objective", "--scheduler", "--resume", "--refit"):
        assert option in said
