"""Which rows are positives: ratings of at least `positive_threshold`, in every split alike.

RecBole takes every row as a positive unless told otherwise. Where the interactions have a
rating, lower ones are dropped before anything is counted, filtered or split. A dataset without
ratings keeps all rows, and so does a model that is measured on labels (AUC, ...), which needs
the negatives; one that ranks items draws its negatives.
"""

from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from recbole.utils import EvaluatorType, ModelType

from recbole_invariant.data.raw_columns import RAW
from recbole_invariant.errors import InputError

LABELLED = (ModelType.CONTEXT, ModelType.DECISIONTREE)


def request_positives(config: Any) -> None:
    """Ask RecBole, before it loads a dataset, to keep positives only.

    It filters by the option `val_interval`, before its own filters by number of interactions. A
    range that the user gave for the rating stays.

    Args:
        config: a RecBole config; `val_interval` and `load_col` are changed.
    """
    threshold, rating = config["positive_threshold"], config["RATING_FIELD"]
    if not _applies(config) or config["benchmark_filename"]:
        return
    intervals = dict(config["val_interval"] or {})
    if rating in intervals:
        getLogger().info(f"positives: {rating} in {intervals[rating]}, as val_interval says")
        return
    config["val_interval"] = {**intervals, rating: f"[{threshold},inf)"}
    columns = config["load_col"]
    if columns and "inter" in columns and rating not in columns["inter"]:
        config["load_col"] = {**columns, "inter": [*columns["inter"], rating]}
    getLogger().info(f"positives: rows with {rating} >= {threshold} (positive_threshold)")


def drop_negatives(config: Any, dataset: Any) -> None:
    """Drop low ratings from a dataset of files split beforehand, which RecBole never filters.

    Args:
        config: the dataset's config.
        dataset: a RecBole dataset whose `build` was not called yet; changed in place.

    Raises:
        InputError: no row is a positive.
    """
    if not _applies(config) or not config["benchmark_filename"]:
        return
    threshold, rating = config["positive_threshold"], config["RATING_FIELD"]
    ratings = np.concatenate([_ratings(path, config) for path in inter_files(config)])
    positive = ratings >= threshold
    if not positive.any():
        raise InputError(
            f"positive_threshold: no {rating} is >= {threshold}; the highest is {ratings.max()}. "
            "Lower it, or set it to null to take every row as a positive."
        )
    ends = np.cumsum(dataset.file_size_list)
    dataset.file_size_list = [int(part.sum()) for part in np.split(positive, ends[:-1])]
    dataset.inter_feat = dataset.inter_feat[positive].reset_index(drop=True)
    if getattr(dataset, RAW, None) is not None:
        setattr(dataset, RAW, getattr(dataset, RAW)[positive].reset_index(drop=True))
    getLogger().info(
        f"positives: {positive.sum()} of {len(positive)} rows have {rating} >= {threshold}"
    )


def inter_files(config: Any) -> list[Path]:
    """List the interaction files that RecBole reads for this config, whether there or not."""
    folder, name = Path(config["data_path"]), config["dataset"]
    parts = config["benchmark_filename"]
    if not parts:
        return [folder / f"{name}.inter"]
    return [folder / f"{name}.{part}.inter" for part in parts]


def _applies(config: Any) -> bool:
    """Tell whether ratings decide what a positive is."""
    labelled = config["MODEL_TYPE"] in LABELLED and config["eval_type"] == EvaluatorType.VALUE
    if config["positive_threshold"] is None or labelled:
        return False
    hidden = (config["unload_col"] or {}).get("inter", [])
    first = inter_files(config)[0]
    rating = config["RATING_FIELD"]
    return rating not in hidden and first.is_file() and rating in file_columns(first, config)


def file_columns(path: Path, config: Any) -> dict[str, str]:
    """Map the column names of an atomic file to their headers, type included."""
    with path.open(encoding=config["encoding"] or "utf-8", errors="replace") as file:
        headers = file.readline().rstrip("\r\n").split(config["field_separator"] or "\t")
    return {header.split(":")[0]: header for header in headers}


def _ratings(path: Path, config: Any) -> np.ndarray:
    """Read the rating of every row of an interaction file, `(n,)` float64."""
    header = file_columns(path, config)[config["RATING_FIELD"]]
    table = pd.read_csv(
        path,
        sep=config["field_separator"] or "\t",
        usecols=[header],
        encoding=config["encoding"] or "utf-8",
    )
    return table[header].to_numpy(dtype=np.float64)
