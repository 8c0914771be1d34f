"""Is the dataset there? RecBole would otherwise try to download it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recbole.utils import ModelType

from recbole_invariant.configuration.folders import host_folder
from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import suggest
from recbole_invariant.host_models import NEEDED_FILE

SHIPPED_DATASET = "ml-100k"


def dataset_folder(values: Mapping[str, Any], dataset: str) -> Path:
    """Return the folder where RecBole looks for a dataset's files."""
    if dataset == SHIPPED_DATASET:
        return host_folder() / "dataset_example" / dataset
    return Path(str(values["data_path"])) / dataset


def interaction_files(values: Mapping[str, Any], dataset: str) -> list[Path]:
    """Return the interaction files that RecBole will read, whether or not they are there."""
    folder = dataset_folder(values, dataset)
    parts = values.get("benchmark_filename")
    if not parts:
        return [folder / f"{dataset}.inter"]
    return [folder / f"{dataset}.{part}.inter" for part in parts]


def dataset_problems(values: Mapping[str, Any], dataset: str, model: str) -> list[str]:
    """Say which files of a dataset are missing or lack the id columns, and how to get them.

    Args:
        values: all options, before RecBole changed any.
        dataset: name of the dataset.
        model: name of the model.
    """
    folder = dataset_folder(values, dataset)
    files = interaction_files(values, dataset)
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        return [_missing(values, dataset, folder, missing)]
    problems = [_feature_file(folder, dataset, suffix, model) for suffix in _suffixes(values)]
    return [problem for problem in [*problems, *_columns(values, files)] if problem]


def _missing(values: Mapping[str, Any], dataset: str, folder: Path, missing: list[str]) -> str:
    parent = folder.parent
    there = [path.name for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []
    text = (
        f"dataset '{dataset}': looked for {', '.join(missing)} in {folder.absolute()}"
        f"{'' if folder.is_dir() else ', which is not there'}."
        f"{suggest(dataset, [*there, SHIPPED_DATASET])}"
    )
    if folder.is_dir() and (parts := sorted(folder.glob(f"{dataset}.*.inter"))):
        names = ", ".join(path.name.split(".")[-2] for path in parts)
        text += f" It has the parts {names}: name them in order as benchmark_filename."
    if dataset in _host_downloads():
        text += (
            " Nothing is downloaded here. RecBole's data page, https://recbole.io/dataset_list.html"
            f", has this dataset; put its files into {folder} under these names."
        )
    return text + (
        " Give the folder that holds it as --data_path DIR (DIR/<dataset>/<dataset>.inter); "
        f"'{SHIPPED_DATASET}' comes with RecBole and needs none."
    )


def _host_downloads() -> set[str]:
    folder = host_folder() / "properties" / "dataset"
    return {
        name for file in ("url", "kg_url") for name in read_yaml_mapping(folder / f"{file}.yaml")
    }


def _suffixes(values: Mapping[str, Any]) -> list[str]:
    extra = values.get("additional_feat_suffix") or []
    suffixes = [extra] if isinstance(extra, str) else [str(suffix) for suffix in extra]
    return suffixes + (["kg", "link"] if values.get("MODEL_TYPE") is ModelType.KNOWLEDGE else [])


def _feature_file(folder: Path, dataset: str, suffix: str, model: str) -> str | None:
    path = folder / f"{dataset}.{suffix}"
    if path.is_file():
        return None
    text = (
        f"dataset '{dataset}': model '{model}' needs the file {path.absolute()}, which is missing."
    )
    if suffix == "ent" and model in NEEDED_FILE:
        text += f" RecBole does not bring it: it holds {NEEDED_FILE[model]}."
    return text


def _columns(values: Mapping[str, Any], files: list[Path]) -> list[str]:
    wanted = {"USER_ID_FIELD": "token", "ITEM_ID_FIELD": "token"}
    if values.get("MODEL_TYPE") is ModelType.SEQUENTIAL:
        wanted["TIME_FIELD"] = "float"  # Histories are put in order by it.
        if values["TIME_FIELD"] is None:
            return [
                "TIME_FIELD: null, but this model needs the order of the interactions. Name the "
                "column with their times."
            ]
    separator = str(values.get("field_separator") or "\t")
    loaded = (values.get("load_col") or {}).get("inter")
    problems = []
    for path in files:
        with path.open(encoding=str(values.get("encoding") or "utf-8"), errors="replace") as file:
            header = file.readline().rstrip("\r\n").split(separator)
        types = dict(column.partition(":")[::2] for column in header)
        names = list(types)
        for option, kind in wanted.items():
            name = str(values[option])
            if name not in names:
                problems.append(
                    f"{path}: its first line has no column '{name}:{kind}' ({option}), which this "
                    f"model needs; it has {', '.join(names)[:200]}."
                )
            elif kind == "float" and types[name] != kind:
                problems.append(
                    f"{path}: its column '{name}:{types[name]}' ({option}) must be '{name}:float', "
                    "numbers: of words, RecBole keeps the order of appearance only."
                )
            elif loaded is not None and name not in loaded:
                problems.append(f"load_col: inter lacks '{name}' ({option}); it is {loaded}.")
    return problems
