"""Is the dataset there? RecBole would otherwise try to download it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole.utils import ModelType

from recbole_invariant.configuration.folders import dataset_configs_folder, host_folder
from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import InputError, suggest
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
    return [problem for problem in [*problems, *_columns(values, dataset, files)] if problem]


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


@dataclass(frozen=True)
class Wanted:
    """A column that there must be.

    Attributes:
        kind: its type.
        by: what asks for it.
        loads: whether `load_col` must name it; otherwise it is loaded where it is needed.
    """

    kind: str = "token"
    by: str = "this model"
    loads: bool = True


def _columns(values: Mapping[str, Any], dataset: str, files: list[Path]) -> list[str]:
    wanted = {"USER_ID_FIELD": Wanted(), "ITEM_ID_FIELD": Wanted()}
    if values.get("MODEL_TYPE") is ModelType.SEQUENTIAL:
        wanted["TIME_FIELD"] = Wanted("float")  # Histories are put in order by it.
        if values["TIME_FIELD"] is None:
            return [
                "TIME_FIELD: null, but this model needs the order of the interactions. Name the "
                "column with their times."
            ]
    elif values.get("ood") == "temporal" and values["TIME_FIELD"] is not None:
        wanted["TIME_FIELD"] = Wanted("float", "ood: temporal", loads=False)
    separator = str(values.get("field_separator") or "\t")
    encoding = str(values.get("encoding") or "utf-8")
    headers = {path: columns_of(path, separator, encoding) for path in files}
    loaded = (values.get("load_col") or {}).get("inter")
    problems = []
    for option, column in wanted.items():
        name = str(values[option])
        found = [(p, said) for p in files if (said := _lack(headers[p], name, option, column))]
        if found:
            path, said = found[0]
            more = f" and {len(found) - 1} more of its files" if found[1:] else ""
            problems.append(f"{path}{more}: {said}")
        elif loaded is not None and name not in loaded and column.loads:
            problems.append(
                f"load_col: inter lacks '{name}' ({option}); it is {loaded}. Give "
                f"--load_col='{{inter: [{', '.join([*map(str, loaded), name])}]}}'."
            )
    if problems:
        return problems
    folder = files[0].parent
    others = {s: [p] for s in ("user", "item") if (p := folder / f"{dataset}.{s}").is_file()}
    for suffix, paths in {"inter": files, **others}.items():
        there = {name for path in paths for name in columns_of(path, separator, encoding)}
        problems += _misspelt(values, suffix, there)
    return problems


def _misspelt(values: Mapping[str, Any], suffix: str, there: set[str]) -> list[str]:
    """Say which columns `load_col` names that no file has; RecBole leaves them out unsaid."""
    named = (values.get("load_col") or {}).get(suffix) or []
    return [
        f"load_col: {suffix}: no file has the column '{name}'.{suggest(str(name), there)} There "
        f"are {', '.join(sorted(there))[:200]}."
        for name in named
        if name not in there
    ]


def columns_of(path: Path, separator: str, encoding: str) -> dict[str, str]:
    """Return the columns of a file with their types.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open(encoding=encoding, errors="replace") as file:
            line = file.readline()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    header = line.removeprefix("\ufeff").rstrip("\r\n").split(separator)
    return dict(column.partition(":")[::2] for column in header)


def _lack(header: Mapping[str, str], name: str, option: str, wanted: Wanted) -> str | None:
    """Say what is wrong with the column of an option, or return None."""
    column = f"{name}:{wanted.kind}"
    if name not in header:
        found = ", ".join(filter(None, header))[:200]
        joined = len(header) == 1 and any(f"{name}:" in kind for kind in header.values())
        return (
            f"its first line has no column '{column}' ({option}), which {wanted.by} needs; it has "
            f"{found or 'nothing'}."
            + (" Columns stand with tabs between them (field_separator)." if joined else "")
        )
    if wanted.kind == "float" and header[name] != wanted.kind:
        return (
            f"its column '{name}:{header[name]}' ({option}) must be '{column}', numbers: of words, "
            "RecBole keeps the order of appearance only."
        )
    return None
