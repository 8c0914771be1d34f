"""Source `mmrec`: the folder layout of the MMRec toolbox.

MMRec keeps `image_feat.npy` and `text_feat.npy` whose row k is the item numbered k, and
`i_id_mapping.csv` (tab-separated: raw id and `itemID`) with that numbering.
Source of the layout: https://github.com/enoche/MMRec, `preprocessing/`.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from recbole_invariant.data.modality_sources.base import (
    SourceContext,
    SpecKey,
    TokenFeatures,
    first_duplicate,
)
from recbole_invariant.data.modality_sources.npy import open_matrix

KEYS = {
    "file": SpecKey((str,), required=True),
    "dir": SpecKey((str,)),
    "id": SpecKey((str,), default="mapped", choices=("mapped", "raw")),
    "mapping": SpecKey((str,), default="i_id_mapping.csv"),
}
NUMBER_COLUMN = "itemID"


def read(spec: dict[str, Any], context: SourceContext) -> TokenFeatures:
    """Open one of MMRec's feature files.

    Args:
        spec: `file` (e.g. `image_feat.npy`); `dir`, the folder (default: the dataset's);
            `id`, whether the .inter file holds MMRec's numbers (`mapped`) or the `raw` ids;
            `mapping`, the numbering, needed for `raw`.
        context: the dataset.

    Returns:
        The memory-mapped matrix and the token of each row.

    Raises:
        InputError: a file is missing, or the numbering is not 0 .. rows - 1.
    """
    folder = context.resolve(spec["dir"]) if spec["dir"] else context.folder
    path = context.existing_file(
        folder / spec["file"], "MMRec names them image_feat.npy and text_feat.npy; set `file`."
    )
    values = open_matrix(path, context)
    if spec["id"] == "raw":
        tokens = read_mapping(folder / spec["mapping"], context)
    else:
        tokens = [str(number) for number in range(values.shape[0] if values.ndim else 0)]
    return TokenFeatures(tokens, values, str(path))


def read_mapping(path: Path, context: SourceContext) -> list[str]:
    """Read the raw ids in the order of their numbers.

    Raises:
        InputError: no `itemID` column, not two columns, or numbers other than 0 .. n - 1.
    """
    context.existing_file(path, "It maps raw ids to row numbers; set `mapping`, or `id: mapped`.")
    table = pd.read_csv(path, sep="\t", dtype=str, na_filter=False, encoding=context.encoding)
    if NUMBER_COLUMN not in table or len(table.columns) != 2:
        raise context.fail(
            f"{path}: expected two tab-separated columns, the raw id and '{NUMBER_COLUMN}', "
            f"found {list(table.columns)}"
        )
    raw = next(column for column in table.columns if column != NUMBER_COLUMN)
    by_number = dict(zip(table[NUMBER_COLUMN], table[raw], strict=True))
    numbers = [str(number) for number in range(len(table))]
    missing = [number for number in numbers if number not in by_number]
    if missing:
        twice = first_duplicate(list(table[NUMBER_COLUMN]))
        cause = f"'{twice}' is there twice" if twice is not None else f"{missing[0]} is missing"
        raise context.fail(
            f"{path}: '{NUMBER_COLUMN}' must count 0 .. {len(table) - 1}, each once; {cause}"
        )
    return [by_number[number] for number in numbers]
