"""Where the YAML files of this package and of RecBole lie."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path


def host_folder() -> Path:
    """Return the folder of the installed RecBole package."""
    return Path(str(import_module("recbole").__file__)).parent


def host_yaml_files() -> list[Path]:
    """Return every YAML file of RecBole that holds options (not its download addresses)."""
    properties = host_folder() / "properties"
    return [
        properties / "overall.yaml",
        properties / "dataset" / "sample.yaml",
        properties / "dataset" / "ml-100k.yaml",
        *sorted((properties / "quick_start_config").glob("*.yaml")),
        *sorted((properties / "model").glob("*.yaml")),
    ]


def _package_folder(name: str) -> Path:
    """Return a YAML folder: the top level of a source tree, a sub-package where installed.

    The tree is asked first: where another one is installed for editing, the sub-package is that
    one's, and code and options would be of two versions.
    """
    tree, full_name = Path(__file__).parents[2], f"recbole_invariant.{name}"
    if (tree / "setup.py").is_file() or find_spec(full_name) is None:
        return tree / name
    return Path(next(iter(import_module(full_name).__path__)))


def properties_folder() -> Path:
    """Return the folder of `overall.yaml`, `model/` and `tune/`."""
    return _package_folder("properties")


def dataset_configs_folder() -> Path:
    """Return the folder with one YAML a dataset."""
    return _package_folder("dataset_configs")


def model_yaml(name: str) -> Path:
    """Return the path of a model's YAML of ours, which may not exist."""
    return properties_folder() / "model" / f"{name}.yaml"


def dataset_yaml(name: str) -> Path:
    """Return the path of a dataset's YAML of ours, which may not exist."""
    return dataset_configs_folder() / f"{name}.yaml"


def host_model_yaml(name: str) -> Path | None:
    """Return RecBole's YAML of a model, or None.

    Case is ignored, since RecBole itself looks for `XGBoost.yaml` and ships `xgboost.yaml`.
    """
    files = (host_folder() / "properties" / "model").glob("*.yaml")
    return next((path for path in files if path.stem.lower() == name.lower()), None)
