"""Do the files of a dataset have the columns that options name? RecBole asks late, or never."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole.utils import ModelType

from recbole_invariant.errors import InputError, suggest

Headers = Mapping[Path, Mapping[str, str]]
"""File -> its columns with their types."""


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


def column_problems(values: Mapping[str, Any], dataset: str, files: list[Path]) -> list[str]:
    """Say which columns are missing that the model needs or `load_col` names.

    Args:
        values: all options, before RecBole changed any.
        dataset: name of the dataset.
        files: its interaction files, which are there.
    """
    if values.get("MODEL_TYPE") is ModelType.SEQUENTIAL and values["TIME_FIELD"] is None:
        return [
            "TIME_FIELD: null, but this model needs the order of the interactions. Name the "
            "column with their times."
        ]
    separator = str(values.get("field_separator") or "\t")
    encoding = str(values.get("encoding") or "utf-8")
    headers = {path: columns_of(path, separator, encoding) for path in files}
    wanted = _wanted(values).items()
    problems = [_problem(values, headers, option, column) for option, column in wanted]
    if any(problems):
        return [problem for problem in problems if problem]
    misspelt = _misspelt(values, "inter", headers)
    for suffix in ("user", "item"):
        path = files[0].parent / f"{dataset}.{suffix}"
        if path.is_file():
            header = {path: columns_of(path, separator, encoding)}
            misspelt += _misspelt(values, suffix, header)
    return misspelt


def _wanted(values: Mapping[str, Any]) -> dict[str, Wanted]:
    """Return the columns of interactions that this run needs, by the option that names them."""
    wanted = {"USER_ID_FIELD": Wanted(), "ITEM_ID_FIELD": Wanted()}
    if values.get("MODEL_TYPE") is ModelType.SEQUENTIAL:
        wanted["TIME_FIELD"] = Wanted("float")  # Histories are put in order by it.
    elif values.get("ood") == "temporal" and values["TIME_FIELD"] is not None:
        wanted["TIME_FIELD"] = Wanted("float", "ood: temporal", loads=False)
    return wanted


def _problem(
    values: Mapping[str, Any], headers: Headers, option: str, column: Wanted
) -> str | None:
    """Say where the column of an option is missing: in a file, or in `load_col`."""
    name = str(values[option])
    found = [(p, said) for p in headers if (said := _lack(headers[p], name, option, column))]
    if found:
        path, said = found[0]
        more = f" and {len(found) - 1} more of its files" if found[1:] else ""
        return f"{path}{more}: {said}"
    loaded = (values.get("load_col") or {}).get("inter")
    if loaded is None or name in loaded or not column.loads:
        return None
    return (
        f"load_col: inter lacks '{name}' ({option}); it is {loaded}. Give "
        f"--load_col='{{inter: [{', '.join([*map(str, loaded), name])}]}}'."
    )


def _misspelt(values: Mapping[str, Any], suffix: str, headers: Headers) -> list[str]:
    """Say which columns `load_col` names that no file has; RecBole leaves them out unsaid."""
    there = {name for header in headers.values() for name in header}
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
