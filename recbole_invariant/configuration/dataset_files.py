"""Is the dataset there? RecBole would otherwise try to download it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recbole.utils import ModelType

from recbole_invariant.configuration.file_columns import column_problems, columns_of
from recbole_invariant.configuration.folders import dataset_configs_folder, host_folder
from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import suggest
from recbole_invariant.host_models import NEEDED_FILE
from recbole_invariant.options import shown

SHIPPED_DATASET = "ml-100k"
LONGEST_NAME = 200
"""Characters of a dataset's name at most: file systems take 255 bytes, suffixes included."""


def name_problem(dataset: str) -> str | None:
    """Say why a name cannot be that of a dataset: it names a folder, and the files in it."""
    if len(dataset) > LONGEST_NAME or not dataset.isprintable():
        return f"dataset {shown(dataset)}: no files can have that name."
    if not dataset or dataset in (".", "..") or Path(dataset).name != dataset:
        return f"dataset '{dataset}': expected a name without folders."
    return None


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
    problems = [
        _feature_file(folder, dataset, suffix, model, why)
        for suffix, why in _suffixes(values, model).items()
    ]
    return [problem for problem in [*problems, *column_problems(values, dataset, files)] if problem]


def _missing(values: Mapping[str, Any], dataset: str, folder: Path, missing: list[str]) -> str:
    parent = folder.parent
    there = [path.name for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []
    near = [name for name in (*there, SHIPPED_DATASET) if name != dataset]
    parts = {path.name.split(".")[-2]: path for path in sorted(folder.glob(f"{dataset}.*.inter"))}
    text = (
        f"dataset '{dataset}': looked for {', '.join(missing)} in {folder.absolute()}"
        f"{'' if folder.is_dir() else ', which is not there'}."
        f"{'' if parts else suggest(dataset, near)}"
    )
    if parts:
        text += f" It has the parts {', '.join(parts)}: "
        file = _shipped_options(parts)
        if file is not None:
            return (
                f"{text}those of '{file.stem}', whose options are found by themselves under that "
                f"name only. Add --config_files {file}"
            )
        text += "name them in order as benchmark_filename."
    if dataset in _host_downloads():
        text += (
            " Nothing is downloaded here. RecBole's data page, https://recbole.io/dataset_list.html"
            f", has this dataset; put its files into {folder} under these names."
        )
    return text + (
        " Give the folder that holds it as --data_path DIR (DIR/<dataset>/<dataset>.inter); "
        f"'{SHIPPED_DATASET}' comes with RecBole and needs none."
    )


def _shipped_options(parts: Mapping[str, Path]) -> Path | None:
    """Find the file of options that was written for data in these parts, if there is one.

    Parts such as train, valid and test may be anybody's; those of planted data are named by their
    shift. Where several files name the same parts, the columns decide.

    Args:
        parts: name of a part -> its file.
    """
    if not any(name.startswith("ood_") for name in parts):
        return None
    header = set(columns_of(next(iter(parts.values())), "\t", "utf-8"))
    found: list[tuple[int, Path]] = []
    for path in sorted(dataset_configs_folder().glob("*.yaml")):
        options = read_yaml_mapping(path)
        columns = set((options.get("load_col") or {}).get("inter") or [])
        if set(options.get("benchmark_filename") or []) == set(parts) and columns <= header:
            found.append((len(columns), path))
    return max(found)[1] if found else None


def _host_downloads() -> set[str]:
    folder = host_folder() / "properties" / "dataset"
    return {
        name for file in ("url", "kg_url") for name in read_yaml_mapping(folder / f"{file}.yaml")
    }


def _suffixes(values: Mapping[str, Any], model: str) -> dict[str, str]:
    """Return the endings of the files that are read beside, and what asks for each."""
    extra = values.get("additional_feat_suffix") or []
    named = [extra] if isinstance(extra, str) else [str(suffix) for suffix in extra]
    asked = dict.fromkeys(named, "additional_feat_suffix")
    if values.get("MODEL_TYPE") is ModelType.KNOWLEDGE:
        asked |= dict.fromkeys(("kg", "link"), f"model '{model}'")
    return asked


def _feature_file(folder: Path, dataset: str, suffix: str, model: str, why: str) -> str | None:
    path = folder / f"{dataset}.{suffix}"
    if path.is_file():
        return None
    text = f"dataset '{dataset}': {why} needs the file {path.absolute()}, which is missing."
    if suffix == "ent" and model in NEEDED_FILE:
        text += f" RecBole does not bring it: it holds {NEEDED_FILE[model]}."
    return text
