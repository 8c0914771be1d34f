"""From options to a RecBole Config: layers, checks, and RecBole left as it was."""

import sys

import pytest
import yaml
from recbole.utils import ModelType, argument_list

from recbole_invariant.config import USER_LAYERS, build_config
from recbole_invariant.configuration import folders
from recbole_invariant.configuration.folders import host_folder, properties_folder
from recbole_invariant.errors import InputError

ROWS = ["user_id:token\titem_id:token\trating:float", "u1\ti1\t5", "u1\ti2\t3"]


@pytest.fixture
def data(tmp_path):
    """A folder with the dataset `toy`."""
    folder = tmp_path / "data"
    (folder / "toy").mkdir(parents=True)
    (folder / "toy" / "toy.inter").write_text("\n".join(ROWS) + "\n")
    return folder


@pytest.fixture
def our_files(tmp_path, monkeypatch):
    """Our YAML folders, replaced: overall.yaml is kept, the others are empty."""
    overall = (properties_folder() / "overall.yaml").read_text()
    (tmp_path / "properties" / "model").mkdir(parents=True)
    (tmp_path / "dataset_configs").mkdir()
    (tmp_path / "properties" / "overall.yaml").write_text(overall)
    monkeypatch.setattr(folders, "_package_folder", lambda name: tmp_path / name)
    return tmp_path


def problems(*args, **kwargs):
    with pytest.raises(InputError) as caught:
        build_config(*args, **kwargs)
    return caught.value.problems


LAYERS = [
    "RecBole overall.yaml",
    "properties/overall.yaml",
    "properties/model/Base.yaml",
    "properties/model/BPR.yaml",
    "variant quick",
    "dataset_configs/toy.yaml",
    "dataset_configs/toy.yaml models.BPR",
    "config file first.yaml",
    "config file first.yaml models.BPR",
    "config file second.yaml",
    "config=",
    "command line",
]


def write_layers(folder, values):
    """Set `stopping_step` in the layers of `values`; return the arguments of build_config."""
    key = "stopping_step"

    def text(name, **structure):
        own = {key: values[name]} if name in values else {}
        return yaml.safe_dump({**own, **structure})

    def section(name):
        return {"BPR": {key: values[name]}} if name in values else {}

    model = folder / "properties" / "model"
    overall = folder / "properties" / "overall.yaml"
    if "properties/overall.yaml" in values:
        overall.write_text(overall.read_text() + text("properties/overall.yaml"))
    (model / "Base.yaml").write_text(text("properties/model/Base.yaml"))
    variant = {key: values["variant quick"]} if "variant quick" in values else {}
    structure = {"base": "Base", "variant": "quick", "variants": {"quick": variant}}
    (model / "BPR.yaml").write_text(text("properties/model/BPR.yaml", **structure))
    (folder / "dataset_configs" / "toy.yaml").write_text(
        text("dataset_configs/toy.yaml", models=section("dataset_configs/toy.yaml models.BPR"))
    )
    (folder / "first.yaml").write_text(
        text("config file first.yaml", models=section("config file first.yaml models.BPR"))
    )
    (folder / "second.yaml").write_text(text("config file second.yaml"))
    return {
        "config_files": ["first.yaml", "second.yaml"],
        "overrides": {key: values["config="]} if "config=" in values else {},
        "command_line": {key: str(values["command line"])} if "command line" in values else {},
    }


@pytest.mark.parametrize("upper", range(1, len(LAYERS)), ids=lambda i: LAYERS[i])
def test_of_two_adjacent_layers_the_later_wins(our_files, data, monkeypatch, upper):
    monkeypatch.chdir(our_files)
    values = {LAYERS[upper]: 100 + upper}
    if upper > 1:
        values[LAYERS[upper - 1]] = 100 + upper - 1
    given = write_layers(our_files, values)
    given["overrides"]["data_path"] = str(data)

    config = build_config("BPR", "toy", **given)

    assert config["stopping_step"] == 100 + upper
    assert config.layers["stopping_step"] == LAYERS[upper]


def test_without_a_layer_of_ours_the_default_is_recboles(our_files, data, monkeypatch):
    monkeypatch.chdir(our_files)
    given = write_layers(our_files, {})
    given["overrides"]["data_path"] = str(data)

    config = build_config("BPR", "toy", **given)

    assert config["stopping_step"] == 10
    assert config.layers["stopping_step"] == LAYERS[0]


def test_every_resolved_option_has_a_layer():
    config = build_config("PaInvRL", "ml-100k", {"epochs": 2}, command_line={"seed": "7"})

    assert config.layers["epochs"] == "config="
    assert config.layers["seed"] == "command line"
    assert config.layers["n_environments"] == "properties/model/PaInvRL.yaml"
    assert config.layers["n_negatives"] == "properties/model/UltraGCN.yaml"
    assert config.layers["ood"] == "dataset_configs/ml-100k.yaml"
    assert config.layers["learner"] == "RecBole overall.yaml"
    assert config.layers["epochs"].startswith(USER_LAYERS)
    assert not config.layers["ood"].startswith(USER_LAYERS)


def test_a_variant_sets_its_options_and_the_user_wins_over_it():
    config = build_config("PaInvRL", "ml-100k", {"variant": "invrl", "attention": True})

    assert config["penalty_gate"] == "unclipped"
    assert config.layers["penalty_gate"] == "variant invrl"
    assert config["attention"] is True


def test_a_variant_that_does_not_exist():
    (problem,) = problems("PaInvRL", "ml-100k", {"variant": "invlr"})

    assert "'invlr'" in problem
    assert "'invrl'" in problem


def test_all_problems_come_at_once(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("[")
    found = problems(
        "PaInvRl",
        "ml-100k",
        {"lerning_rate": 0.1, "topk": 0},
        [str(bad), str(tmp_path / "gone.yaml")],
        {"epochs": "many"},
    )

    for part in ("'PaInvRl'", "bad.yaml", "gone.yaml", "lerning_rate", "topk", "'epochs'"):
        assert sum(part in problem for problem in found) == 1, part
    assert len(found) == 6


def test_all_problems_of_values_and_data_come_at_once(tmp_path):
    found = problems(
        "BPR",
        "toy",
        {"metrics": ["Recal"], "valid_metric": "Recall@3", "POSITION_FIELD": "p"},
        command_line={"data_path": str(tmp_path)},
    )

    for part in ("no metric 'Recal'", "'Recall@3'", "'POSITION_FIELD'", "dataset 'toy'"):
        assert sum(part in problem for problem in found) == 1, part
    assert len(found) == 4


@pytest.mark.parametrize("topk", [0, [], [10, 0], -1, [5, "x"], True])
def test_topk_must_be_positive_and_there(topk):
    found = problems("BPR", "ml-100k", {"topk": topk})

    assert "topk" in found[0]


def test_metric_that_does_not_exist_gets_the_nearest():
    (problem,) = problems("BPR", "ml-100k", {"metrics": ["NDGC", "Recall"]})

    assert "'NDGC'" in problem
    assert "'NDCG'" in problem
    assert problem.startswith("config=")


@pytest.mark.parametrize(
    ("options", "nearest"),
    [
        ({"valid_metric": "MRR@10"}, None),
        ({"valid_metric": "NDCG@100"}, "'NDCG@10'"),
        ({"valid_metric": "NDCG"}, "'NDCG@10'"),
        ({"topk": [5]}, "'NDCG@5'"),
    ],
)
def test_valid_metric_must_be_measured(options, nearest):
    (problem,) = problems("BPR", "ml-100k", options)

    assert "valid_metric" in problem
    assert nearest is None or nearest in problem


def test_metrics_of_rankings_and_values_do_not_mix():
    found = problems("BPR", "ml-100k", {"metrics": ["Recall", "AUC"]})

    assert "one kind in a run" in found[0]


def test_missing_dataset_says_where_it_looked_and_what_is_near(data):
    (problem,) = problems("BPR", "toi", {"data_path": str(data)})

    assert str(data / "toi") in problem
    assert "toi.inter" in problem
    assert "'toy'" in problem
    assert "--data_path" in problem


def test_a_dataset_that_recbole_could_download_is_refused(tmp_path):
    (problem,) = problems("BPR", "ml-1m", {"data_path": str(tmp_path)})

    assert "Nothing is downloaded here" in problem
    assert not (tmp_path / "ml-1m").exists()


def test_parts_of_a_dataset_are_looked_for_and_named(data):
    (data / "cut").mkdir()
    for part in ("train", "test"):
        (data / "cut" / f"cut.{part}.inter").write_text("\n".join(ROWS))
    given = {"data_path": str(data)}

    assert "the parts test, train" in problems("BPR", "cut", given)[0]
    (problem,) = problems("BPR", "cut", {**given, "benchmark_filename": ["train", "valid"]})
    assert "cut.valid.inter" in problem
    config = build_config("BPR", "cut", {**given, "benchmark_filename": ["train", "test"]})
    assert config["benchmark_filename"] == ["train", "test"]


def test_id_columns_must_be_in_the_file(data):
    (problem,) = problems("BPR", "toy", {"data_path": str(data), "USER_ID_FIELD": "uid"})

    assert "'uid:token'" in problem
    assert "toy.inter" in problem


def test_a_sequential_model_needs_times(data):
    given = {"data_path": str(data)}

    (problem,) = problems("SASRec", "toy", given)

    assert "'timestamp:float' (TIME_FIELD)" in problem
    assert build_config("BPR", "toy", given)


def test_columns_that_are_needed_must_be_loaded(data):
    path = data / "toy" / "toy.inter"
    path.write_text("user_id:token\titem_id:token\ttimestamp:float\nu1\ti1\t5\n")
    given = {"data_path": str(data), "load_col": {"inter": ["user_id", "item_id"]}}

    (problem,) = problems("SASRec", "toy", given)

    assert problem.startswith("load_col: inter lacks 'timestamp'")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"BPR": "base: Other\n", "Other": "base: BPR\n"}, "comes back to itself"),
        ({"BPR": "base: Other\n"}, "its base 'Other' has no Other.yaml"),
    ],
)
def test_a_base_that_leads_nowhere(our_files, data, files, says):
    for name, text in files.items():
        (our_files / "properties" / "model" / f"{name}.yaml").write_text(text)

    with pytest.raises(InputError, match=says):
        build_config("BPR", "toy", {"data_path": str(data)})


def test_a_knowledge_model_needs_its_files(data):
    found = problems("CKE", "toy", {"data_path": str(data), "load_col": None})

    assert [problem.split("needs the file ")[1].split(",")[0] for problem in found] == [
        str(data / "toy" / "toy.kg"),
        str(data / "toy" / "toy.link"),
    ]


@pytest.mark.parametrize("model", ["GRU4RecKG", "KSR"])
def test_pretrained_entities_are_asked_for(model):
    (problem,) = problems(model, "ml-100k")

    assert "ml-100k.ent" in problem
    assert "ent_emb:float_seq" in problem


@pytest.mark.parametrize(("model", "kind"), [("BPR", "general"), ("Pop", "traditional")])
def test_a_sequence_option_on_another_model(model, kind):
    (problem,) = problems(model, "ml-100k", {"MAX_ITEM_LIST_LENGTH": 20})

    for part in ("MAX_ITEM_LIST_LENGTH", model, kind):
        assert part in problem


def test_a_sequence_option_is_fine_where_it_is_read_or_unchanged():
    assert build_config("SASRec", "ml-100k", {"MAX_ITEM_LIST_LENGTH": 20})
    assert build_config("BPR", "ml-100k", {"MAX_ITEM_LIST_LENGTH": 50})


def test_sequential_cross_entropy_takes_no_negatives():
    config = build_config("SASRec", "ml-100k")

    assert config["train_neg_sample_args"]["distribution"] == "none"
    assert "CE" in config.layers["train_neg_sample_args"]
    (problem,) = problems(
        "SASRec", "ml-100k", {"train_neg_sample_args": {"distribution": "uniform"}}
    )
    assert "loss_type CE" in problem


def test_what_recbole_refuses_is_an_input_error():
    (problem,) = problems("SASRec", "ml-100k", {"repeatable": False})

    assert "RecBole refuses these options" in problem
    assert "repeatable" in problem


def test_context_models_keep_recboles_measures():
    config = build_config("FM", "ml-100k")

    assert config["MODEL_TYPE"] is ModelType.CONTEXT
    assert config["metrics"] == ["AUC", "LogLoss"]
    assert config["eval_args"]["mode"]["test"] == "labeled"


def test_a_subclass_keeps_the_options_of_its_model(tmp_path, monkeypatch):
    (tmp_path / "my_light.py").write_text(
        "from recbole.model.general_recommender import LightGCN\n"
        "class MyLight(LightGCN):\n"
        "    default_options = {'warmth': 0.5, 'n_layers': 3}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    config = build_config("my_light.MyLight", "ml-100k", command_line={"warmth": "1"})

    assert config["embedding_size"] == 64
    assert config["n_layers"] == 3
    assert config["warmth"] == 1
    assert config.layers["n_layers"] == "MyLight.default_options"
    (problem,) = problems("my_light.MyLight", "ml-100k", {"warmht": 1})
    assert "'warmth'" in problem
    (problem,) = problems("my_light.MyLight", "ml-100k", {"warmth": "high"})
    assert "must be float" in problem


def test_the_process_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["prog", "--epochs=99", "--nonsense=1"])
    before = {name: list(v) for name, v in vars(argument_list).items() if isinstance(v, list)}
    options = {"train_neg_sample_args": {"distribution": "uniform"}}

    config = build_config("BPR", "ml-100k", options)

    assert config["epochs"] == 100  # of dataset_configs, not 99 of sys.argv
    assert config["nonsense"] is None
    assert options == {"train_neg_sample_args": {"distribution": "uniform"}}
    assert config["train_neg_sample_args"]["sample_num"] == 1
    assert {name: v for name, v in vars(argument_list).items() if isinstance(v, list)} == before


def test_text_of_the_user_is_not_evaluated(tmp_path):
    victim = tmp_path / "victim"
    bait = f"open({str(victim)!r}, 'w')"

    config = build_config(
        "BPR", "ml-100k", {"wandb_project": bait}, command_line={"LABEL_FIELD": bait}
    )

    assert config["wandb_project"] == bait
    assert config["LABEL_FIELD"] == bait
    assert not victim.exists()


def test_ml_100k_ships_with_recbole():
    config = build_config("BPR", "ml-100k", {"data_path": "/nowhere"})

    assert (host_folder() / "dataset_example" / "ml-100k").samefile(config["data_path"])


def test_without_gpu_the_device_is_the_processor():
    config = build_config("BPR", "ml-100k", {"use_gpu": False})

    assert config["gpu_id"] == ""
    assert config["device"].type == "cpu"


def test_a_warning_says_what_has_no_effect():
    config = build_config("BPR", "ml-100k", {"ssl_temp": 0.1})

    assert len(config.warnings) == 1
    assert "'ssl_temp'" in config.warnings[0]
    assert "BPR" in config.warnings[0]
