"""Sub-commands, messages and exit codes of the command line."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from recbole_invariant import quick_start
from recbole_invariant.cli.main import PLANNED, main
from recbole_invariant.evaluation import reopen


@pytest.fixture
def runs(monkeypatch):
    """What `quick_start.run` was called with; nothing is trained."""
    calls = []

    def run(**given):
        calls.append(given)
        return SimpleNamespace(table="the table", run_dir="the folder")

    monkeypatch.setattr(quick_start, "run", run)
    return calls


def test_training_passes_everything_on(runs, capsys):
    words = "--model BPR --dataset toy --config_files a.yaml b.yaml --seed=7 --use_gpu"

    code = main([*words.split(), "--output_dir", "out", "--run_name=x"])

    assert code == 0
    assert runs == [
        {
            "model": "BPR",
            "dataset": "toy",
            "config_files": ["a.yaml", "b.yaml"],
            "output_dir": "out",
            "run_name": "x",
            "command_line": {"seed": "7", "use_gpu": "true"},
            "resume": None,
        }
    ]
    assert "the table" in capsys.readouterr().out


def test_dataset_and_output_have_defaults(runs):
    assert main(["--model", "BPR"]) == 0

    assert runs[0]["dataset"] == "ml-100k"
    assert runs[0]["output_dir"] == "runs"
    assert runs[0]["run_name"] is None


def test_model_and_dataset_may_stand_in_a_config_file(runs, tmp_path):
    (tmp_path / "a.yaml").write_text("model: BPR\ndataset: toy\n")
    (tmp_path / "b.yaml").write_text("model: Pop\n")
    files = [str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")]

    assert main(["--config_files", *files]) == 0
    assert (runs[0]["model"], runs[0]["dataset"]) == ("Pop", "toy")

    assert main(["--dataset", "mine", "--config_files", *files]) == 0
    assert (runs[1]["model"], runs[1]["dataset"]) == ("Pop", "mine")


@pytest.mark.parametrize("name", PLANNED)
def test_a_command_of_a_later_version_says_so(name, capsys):
    assert main([name, "--seed", "1"]) == 2
    assert capsys.readouterr().err == f"error: '{name}' is not in this version yet.\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["docter"], "'doctor'"),
        (["xyz"], "Commands are compare, evaluate, doctor"),
        ([], "--model is missing. Ours are UltraGCN"),
        (["--model", "BPR", "--resume"], "--resume: expected auto or a run folder"),
        (["evaluate"], "--run DIR"),
        (["evaluate", "--run", "x", "--model", "BPR"], "takes no --model"),
        (["evaluate", "--run", "x", "--config_files", "a"], "takes no --config_files"),
        (["evaluate", "--run", "no/such/run"], "no/such/run"),
        (["doctor", "--seed", "1"], "not --seed"),
        (["--model", "Nope", "--help"], "no such model"),
        (["--model", "BPR", "--epoch", "1"], "'epochs'"),
    ],
)
def test_wrong_input_is_one_message_and_code_2(words, says, capsys):
    assert main(words) == 2

    shown = capsys.readouterr()
    assert says in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_nothing_is_written_when_the_input_is_wrong(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert main(["--model", "BPR", "--topk", "0"]) == 2
    assert list(tmp_path.iterdir()) == []


def test_evaluate_passes_the_options_on(monkeypatch, capsys):
    calls = []

    def evaluate_run(run_dir, command_line):
        calls.append((run_dir, command_line))
        return SimpleNamespace(table="tested again")

    monkeypatch.setattr(reopen, "evaluate_run", evaluate_run)

    assert main(["evaluate", "--run", "runs/a", "--topk=[5]"]) == 0
    assert calls == [("runs/a", {"topk": "[5]"})]
    assert capsys.readouterr().out == "tested again\n"


def test_doctor(tmp_path, capsys):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "toy.inter").write_text("user_id:token\titem_id:token\n")

    assert main(["doctor", "--data_path", str(tmp_path)]) == 0
    assert str(tmp_path / "toy") in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_help_needs_no_model(words, capsys):
    assert main(words) == 0
    assert "--dataset NAME" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", ["compare", "doctor", "evaluate", "planted", "recommend", "report", "tune"]
)
def test_each_command_has_a_help_of_its_own(command, capsys):
    assert main([command, "--help"]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("usage: ")
    assert command in shown.splitlines()[0]


def test_help_lists_the_options_of_a_model(capsys):
    assert main(["--model", "PaInvRL", "--help"]) == 0

    shown = capsys.readouterr().out
    assert "--n_environments=3 (int, >= 2)\n      number of environments (E);" in shown
    assert "--n_negatives=50" in shown
    assert "--positive_threshold=4" in shown
    assert "--hidden_size" not in shown


@pytest.mark.parametrize(
    ("raised", "code", "says"),
    [
        (RuntimeError("loss is nan"), 1, "the run failed: RuntimeError: loss is nan"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_a_run_that_ends_early(monkeypatch, capsys, raised, code, says):
    def run(**given):
        raise raised

    monkeypatch.setattr(quick_start, "run", run)

    assert main(["--model", "BPR"]) == code
    shown = capsys.readouterr().err
    assert says in shown
    assert "Traceback" not in shown


def test_an_interruption_says_on_a_new_line_what_is_left(monkeypatch, capsys):
    stop = KeyboardInterrupt()
    stop.add_note("after 2 epochs of stage 'rank'")

    def run(**given):
        print("rank 3/9:  50%|####", end="", file=sys.stderr)
        raise stop

    monkeypatch.setattr(quick_start, "run", run)

    assert main(["--model", "BPR"]) == 130
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["rank 3/9:  50%|####", "interrupted after 2 epochs of stage 'rank'"]


def test_sigterm_unwinds_and_gives_143(monkeypatch):
    closed = []

    def run(**given):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            closed.append(True)

    monkeypatch.setattr(quick_start, "run", run)
    before = signal.getsignal(signal.SIGTERM)

    assert main(["--model", "BPR"]) == 143
    assert closed == [True]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_users_model_is_found_in_the_working_folder(tmp_path):
    (tmp_path / "here.py").write_text(
        "from recbole.model.general_recommender import BPR\nclass Near(BPR): pass\n"
    )
    script = (
        "import sys\n"
        "from recbole_invariant.cli.main import main\n"
        "sys.path[:] = [p for p in sys.path if p]\n"
        "sys.exit(main(['--model', 'here.Near', '--help']))\n"
    )
    source = os.pathsep.join(path for path in sys.path if path)

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "options of Near" in done.stdout
    assert "--embedding_size=64" in done.stdout


def test_a_misspelt_model_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--modl", "PaInvRL"]) == 2
    assert "there is no option 'modl'. Did you mean 'model'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compare", "--model", "BPR"], "compare takes its models by --models A,B"),
        (["compare", "--models=BPR", "--searcher=optuna"], "searcher: of a search; give how many"),
        (["--resume", "auto"], "--resume auto looks for a run of the model and the options"),
        (["doctor", "--data_path", "nowhere"], "data_path: there is no folder nowhere"),
        (["--model", "BPR", "--epochs"], "option 'epochs' must be int"),
        (["recommend", "--run", "r", "--user", "1"], "knows no --user. Did you mean 'users'"),
    ],
)
def test_what_newcomers_type(words: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("error: ") == 1
