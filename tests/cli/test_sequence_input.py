"""What a user can get wrong with sequential models: one message, exit code 2, nothing written."""

import json

import pytest

from recbole_invariant.cli.main import main
from recbole_invariant.model.sequence_encoder import SUPPORTED

TIMES = ("user_id:token", "item_id:token", "timestamp:float")


def rows(n_users, per_user, n_columns=3, first=0):
    """Interactions of users u0, u1, ... with times that rise."""
    return [
        (f"u{user}", f"i{(3 * user + time * time) % 14}", str(user + time))[:n_columns]
        for user in range(n_users)
        for time in range(first, first + per_user)
    ]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A working folder with data that each lack something."""

    def write(name, columns, lines, part=""):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        text = "\n".join("\t".join(words) for words in [columns, *lines])
        (folder / f"{name}{part}.inter").write_text(text + "\n")

    write("whole", TIMES, rows(30, 8))
    write("single", TIMES, rows(30, 1))
    write("no-time", TIMES[:2], rows(30, 8, 2))
    write("word-time", (*TIMES[:2], "timestamp:token"), rows(30, 8))
    for position, part in enumerate((".train", ".valid", ".test")):
        write("short", TIMES, rows(30, 1, first=position), part)
        write("parts", TIMES[:2], rows(30, 4, 2), part)
    monkeypatch.chdir(tmp_path)
    return tmp_path


QUICK = [
    "--data_path=data",
    "--load_col={inter: [user_id, item_id, timestamp]}",
    "--topk=5",
    "--valid_metric=NDCG@5",
    "--epochs=1",
    "--state=ERROR",
    "--show_progress=false",
    "--hidden_size=8",
]


def message(capsys, model, dataset, *words):
    """Run the command line, which must end with one message; return it."""
    assert main(["--model", model, "--dataset", dataset, *QUICK, *words]) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    lines = [line for line in shown.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, shown.err
    assert "Traceback" not in shown.err
    return lines[0].removeprefix("error: ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--backbone=SASrec"], "Did you mean 'SASRec'?"),
        (["--backbone=Transformers4Rec"], "there is no model 'Transformers4Rec' in RecBole"),
        (["--backbone=SRGNN"], "RecBole's 'SRGNN' (sequential recommender) is not supported"),
        (["--backbone=LightGCN"], "RecBole's 'LightGCN' (general recommender) is not supported"),
        (["--backbone"], f"Supported: {', '.join(SUPPORTED)}."),
        (["--n_extractors=1"], "'n_extractors' must be int, >= 2; it is 1."),
        (["--n_environments=1"], "'n_environments' must be int, >= 2; it is 1."),
        (["--mixup_alpha=0"], "'mixup_alpha' must be float, > 0; it is 0."),
        (["--mixup_alpha=-0.1"], "'mixup_alpha' must be float, > 0; it is -0.1."),
        (["--temperature=0"], "'temperature' must be float, > 0; it is 0."),
        (["--temperature=.nan"], "'temperature' must be a finite number; it is nan."),
        (["--MAX_ITEM_LIST_LENGTH=1"], "'MAX_ITEM_LIST_LENGTH' must be int, >= 2; it is 1."),
        (["--loss_type=BPR"], "'loss_type' must be str, one of CE; it is 'BPR'."),
        (["--lambda_level=env"], "one of sample | environment; it is 'env'."),
        (["--penalty_weight=-1"], "'penalty_weight' must be float, >= 0; it is -1."),
        (["--fake_ratio=1"], "'fake_ratio' must be float, in [0, 1); it is 1."),
        (["--exploration_interval=0"], "'exploration_interval' must be int, >= 1; it is 0."),
        (["--environments=subsequences"], "Did you mean 'subsequence'?"),
        (["--wraps=encoder"], "there is no option 'wraps'"),
        (["--train_neg_sample_args={distribution: uniform}"], "train_neg_sample_args must be null"),
    ],
)
def test_options_of_idea(home, capsys, words, says):
    assert says in message(capsys, "IDEA", "whole", *words)
    assert not (home / "runs").exists()


@pytest.mark.parametrize("model", ["IDEA", "GRU4Rec"])
@pytest.mark.parametrize("split", [[], ["--ood=temporal"], ["--ood=popularity"]])
@pytest.mark.parametrize(
    ("dataset", "words", "says"),
    [
        ("no-time", [], "has no column 'timestamp:float' (TIME_FIELD), which this model needs"),
        (
            "parts",
            ["--benchmark_filename=[train,valid,test]"],
            "and 2 more of its files: its first",
        ),
        ("word-time", [], "column 'timestamp:token' (TIME_FIELD) must be 'timestamp:float'"),
        ("whole", ["--TIME_FIELD=null"], "TIME_FIELD: null, but this model needs the order"),
        ("single", [], ""),
    ],
)
def test_data_without_order_or_sequences(home, capsys, model, split, dataset, words, says):
    said = message(capsys, model, dataset, *words, *split)

    if dataset == "single":
        says = "nothing is left for valid" if split else "users with two training interactions"
    assert says in said
    assert not list((home / "runs").glob("*"))


@pytest.mark.parametrize("model", ["IDEA", "GRU4Rec"])
def test_training_rows_of_one_a_user(home, capsys, model):
    said = message(capsys, model, "short", "--benchmark_filename=[train,valid,test]")

    assert "'train' of 30 rows has nothing to learn sequences from" in said
    assert "user_inter_num_interval" in said
    assert not list((home / "runs").glob("*"))


def test_the_record_says_which_layer_set_the_backbone_and_its_options(home):
    (home / "mine.yaml").write_text(
        "backbone: GRU4Rec\nmodels:\n  SASRec: {n_heads: 4}\n  IDEA: {pretrain_epochs: 1}\n"
    )
    words = ["--config_files", "mine.yaml", "--backbone=SASRec", "--run_name=a"]

    assert main(["--model", "IDEA", "--dataset", "whole", *QUICK, *words]) == 0

    options = json.loads((home / "runs" / "a" / "run.json").read_text())["options"]
    assert options["backbone"] == {"value": "SASRec", "layer": "command line"}
    assert options["n_heads"] == {"value": 4, "layer": "config file mine.yaml models.SASRec"}
    assert options["pretrain_epochs"]["layer"] == "config file mine.yaml models.IDEA"
    assert options["inner_size"] == {"value": 256, "layer": "RecBole model/SASRec.yaml"}
    assert options["penalty"]["layer"] == "properties/model/IDEA.yaml"
