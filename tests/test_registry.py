"""Names of models: ours, RecBole's, a user's own; and what RecBole makes of ours."""

import importlib
import importlib.util
import os
import pickle
import subprocess
import sys
from unittest.mock import patch

import pytest
import recbole.data.dataset
import recbole.trainer
from recbole.config import Config
from recbole.data.dataset import SequentialDataset
from recbole.utils import ModelType, get_model, get_trainer

from recbole_invariant import host_models, registry
from recbole_invariant.data.dataset import MultimodalDataset
from recbole_invariant.errors import InputError
from recbole_invariant.host_names import HOST_PACKAGE, install_names
from recbole_invariant.registry import MODELS, model_names, resolve

PATH = os.pathsep.join(path for path in sys.path if path)
LIBRARY_MODELS = sorted(host_models.NEEDED_LIBRARY)
SEQUENTIAL = ("IDEA", "Irl4Rec")
DATASETS = {name: SequentialDataset if name in SEQUENTIAL else MultimodalDataset for name in MODELS}


def printed(script, cwd=None):
    """What a fresh Python prints for a script."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": PATH},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def host_config(model, dataset="ml-100k", **options):
    with patch.object(sys, "argv", ["test"]):
        return Config(model=model, dataset=dataset, config_dict=options)


@pytest.mark.parametrize("name", MODELS)
def test_our_models(name):
    entry = resolve(name)

    assert entry.name == entry.model_class.__name__ == name
    assert entry.trainer_class is not None
    assert entry.trainer_class.__name__ == f"{name}Trainer"
    assert entry.dataset_class is DATASETS[name]
    assert entry.is_ours
    assert resolve(entry.model_class) == entry


def test_every_model_of_recbole_is_listed_under_the_name_recbole_takes():
    names = model_names()

    assert names[: len(MODELS)] == list(MODELS)
    assert len(names) == len(set(names)) == len(MODELS) + 94
    for name in set(names) - set(MODELS) - set(LIBRARY_MODELS):
        assert resolve(name).model_class is get_model(name)


def test_a_model_of_recbole_leaves_trainer_and_dataset_to_recbole():
    entry = resolve("LightGCN")

    assert entry.trainer_class is None
    assert entry.dataset_class is None
    assert not entry.is_ours
    assert resolve(entry.model_class) == entry


@pytest.mark.parametrize("name", LIBRARY_MODELS)
def test_a_missing_library_is_named(name):
    library, command = host_models.NEEDED_LIBRARY[name]
    if importlib.util.find_spec(library) is not None:
        pytest.skip(f"{library} is installed")

    with pytest.raises(InputError, match=f"'{library}'") as caught:
        resolve(name)

    assert command in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "right"), [("PaInvRl", "PaInvRL"), ("lightgcn", "LightGCN"), ("xgboost", "XGBoost")]
)
def test_an_unknown_model_gets_the_nearest(wrong, right):
    with pytest.raises(InputError, match=f"'{right}'"):
        resolve(wrong)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of a user with a model of each kind that there can be."""
    folder = tmp_path / "their_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("from their_package.model import Mine\n")
    (folder / "model.py").write_text(
        "from recbole.model.abstract_recommender import AbstractRecommender\n"
        "from recbole.model.general_recommender import BPR\n"
        "from recbole.trainer import Trainer\n"
        "class MyTrainer(Trainer): pass\n"
        "class Mine(BPR):\n"
        "    trainer_class = MyTrainer\n"
        "class Kindless(AbstractRecommender): pass\n"
        "class WrongDefaults(BPR):\n"
        "    default_options = ['a']\n"
        "class Other: pass\n"
        "value = 3\n"
    )
    (folder / "needy.py").write_text("import a_library_that_is_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "their_package"
    for name in [name for name in sys.modules if name.startswith("their_package")]:
        del sys.modules[name]


@pytest.mark.parametrize("path", ["Mine", "model.Mine"])
def test_a_class_by_dotted_path(package, path):
    entry = resolve(f"{package}.{path}")

    assert entry.name == "Mine"
    assert entry.trainer_class is not None
    assert entry.trainer_class.__name__ == "MyTrainer"
    assert entry.dataset_class is None
    assert not entry.is_ours
    assert resolve(entry.model_class) == entry


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("their_package.Nine", "Did you mean 'Mine'"),
        ("their_package.model", "is a module, not a class"),
        ("their_package.model.value", "is a int, not a class"),
        ("their_package.modle.Mine", "no module 'their_package.modle'"),
        ("no_such_package.Model", "no module 'no_such_package'"),
        ("their_package.needy.Model", "'a_library_that_is_not_there', which is not installed"),
        ("their_package.model.Other", "subclass of RecBole's AbstractRecommender"),
        ("their_package.model.Kindless", "must say its kind"),
        ("their_package.model.WrongDefaults", "`default_options` must be a dict"),
        ("my-package.Model", "cannot be the name of a module"),
        (".Model", "cannot be the name of a module"),
    ],
)
def test_a_dotted_path_that_leads_nowhere(package, path, says):
    with pytest.raises(InputError) as caught:
        resolve(path)

    assert says in str(caught.value)


@pytest.mark.parametrize("name", MODELS)
def test_recbole_finds_our_names(name):
    entry = resolve(name)

    assert get_model(name) is entry.model_class
    assert get_trainer(entry.model_class.type, name) is entry.trainer_class
    assert getattr(recbole.data.dataset, f"{name}Dataset") is DATASETS[name]
    assert pickle.loads(pickle.dumps(entry.model_class)) is entry.model_class


def test_the_module_that_recbole_sees_is_not_ours_in_disguise():
    seen = importlib.import_module(f"{HOST_PACKAGE}.painvrl")
    real = sys.modules["recbole_invariant.model.general_recommender.painvrl"]

    assert seen.PaInvRL is real.PaInvRL
    assert real.__spec__ is not None
    assert real.__spec__.name == real.__name__


def test_recboles_own_names_stay():
    assert get_trainer(ModelType.GENERAL, "BPR") is recbole.trainer.Trainer
    assert not hasattr(recbole.trainer, "NoSuchTrainer")
    assert not hasattr(recbole.data.dataset, "BPRDataset")
    with pytest.raises(ImportError):
        importlib.import_module(f"{HOST_PACKAGE}.no_such_model")


def test_a_second_install_changes_nothing():
    finders, patched = list(sys.meta_path), Config._load_internal_config_dict

    install_names(MODELS)
    registry.install()

    assert sys.meta_path == finders
    assert Config._load_internal_config_dict is patched


def test_recboles_config_gets_our_layers_for_our_models():
    config = host_config("PaInvRL", seed=3)

    assert config["n_environments"] == 3
    assert config["mask_learning_rate"] == 0.05
    assert config["epochs"] == 80  # models.PaInvRL of dataset_configs/ml-100k.yaml
    assert config["modalities"].keys() == {"title", "genre", "year"}
    assert config["valid_metric"] == "NDCG@10"
    assert config["seed"] == 3
    assert config["val_interval"] == {"rating": "[4,inf)"}


def test_recboles_config_takes_the_variant_that_the_user_names():
    assert host_config("PaInvRL", variant="invrl")["penalty_gate"] == "unclipped"
    assert host_config("PaInvRL")["penalty_gate"] == "sampled"


def test_recboles_config_of_its_own_models_is_untouched():
    script = (
        "import sys; sys.argv = ['x']\n"
        "{}\n"
        "import numpy as np\n"
        "for n in ('float_', 'complex_', 'unicode_'):\n"
        "    vars(np).setdefault(n, np.float64)\n"
        "from recbole.config import Config\n"
        "config = Config('BPR', 'ml-100k', config_dict={{'seed': 3}})\n"
        "final = {{k: str(v) for k, v in config.final_config_dict.items()}}\n"
        "print(sorted(final.items()))\n"
    )
    shown = [printed(script.format(line)) for line in ("", "import recbole_invariant")]

    assert "('valid_metric', 'MRR@10')" in shown[0]
    assert shown[0] == shown[1]


def test_importing_the_package_loads_no_model_and_no_ray():
    script = (
        "import sys, recbole_invariant\n"
        "names = ('ray', 'recbole.quick_start', 'recbole.trainer', 'recbole_invariant.trainer')\n"
        "print([name for name in names if name in sys.modules])\n"
    )

    assert printed(script) == "[]"


def test_run_recbole_trains_our_model_and_its_own(tmp_path):
    script = (
        "import sys; sys.argv = ['x']\n"
        "import recbole_invariant\n"
        "from recbole.quick_start import run_recbole\n"
        "few = dict(epochs=1, eval_step=1, show_progress=False, state='ERROR',\n"
        "           user_inter_num_interval='[150,inf)')\n"
        "for model in ('UltraGCN', 'BPR'):\n"
        "    found = run_recbole(model, 'ml-100k', config_dict=few)\n"
        "    print(model, *sorted(found['test_result']))\n"
    )

    ours, theirs = printed(script, tmp_path).splitlines()[-2:]
    assert ours == "UltraGCN ndcg@10 ndcg@20 precision@10 precision@20 recall@10 recall@20"
    assert theirs == "BPR hit@10 mrr@10 ndcg@10 precision@10 recall@10"
