"""Source `text`: columns of the dataset's .item file as TF-IDF, reduced by truncated SVD.

It needs no file beside RecBole's own, so that a dataset with titles or tags is multimodal offline.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from recbole_invariant.data.modality_sources.base import SourceContext, SpecKey, TokenFeatures
from recbole_invariant.errors import suggest

KEYS = {
    "fields": SpecKey((str, list), required=True),
    "dim": SpecKey((int,), default=64, minimum=1),
    "min_df": SpecKey((int,), default=1, minimum=1),
    "ngram_min": SpecKey((int,), default=1, minimum=1),
    "ngram_max": SpecKey((int,), default=1, minimum=1),
    "analyzer": SpecKey((str,), default="word", choices=("word", "char_wb", "token")),
}
# The projection describes the data, so it does not follow the run's seed.
SVD_SEED = 0
# TF-IDF rows have norm 1; what is left of a row below this is rounding, not content.
NO_CONTENT = 1e-6


def read(spec: dict[str, Any], context: SourceContext) -> TokenFeatures:
    """Turn text columns of `<dataset>.item` into features.

    Only items of the catalogue are read, so document frequencies describe the catalogue.

    Args:
        spec: `fields` (one column or a list); `dim`, the most dimensions; `min_df`, the fewest
            items a term stands in; `ngram_min`, `ngram_max`; `analyzer`: `word`, `char_wb`
            (characters inside words) or `token` (each part of the column as it stands, which
            suits genres, tags and category ids).
        context: the dataset.

    Returns:
        (n_rows, at most dim) float64; the TF-IDF itself where it has at most dim terms.

    Raises:
        InputError: no .item file, no such column, or no term left.
    """
    tokens, columns, origin = read_fields(spec["fields"], context)
    return TokenFeatures(
        tokens, reduce(weigh_terms(columns, spec, context, origin), spec["dim"]), origin
    )


def read_fields(
    fields: str | list[str], context: SourceContext
) -> tuple[list[str], dict[str, pd.Series], str]:
    """Read columns of `<dataset>.item` for the items of the catalogue.

    Args:
        fields: one column or several.
        context: the dataset.

    Returns:
        The items' tokens in the order of the file, the columns by name, and where they are from.

    Raises:
        InputError: no .item file, no such column, or none of its items is in the catalogue.
    """
    names = [fields] if isinstance(fields, str) else list(fields)
    if not names or not all(isinstance(name, str) for name in names):
        raise context.fail(f"`fields` must name one or more columns of .item, not {names}")
    path = context.existing_file(
        context.folder / f"{context.dataset}.item", "The features are read from its columns."
    )
    table = read_columns(path, [context.item_field, *names], context)
    table = table[table[context.item_field].isin(set(context.token2id))]
    origin = f"{path} ({', '.join(names)})"
    if table.empty:
        raise context.fail(f"{origin}: none of its items is in the interactions")
    return list(table[context.item_field]), {name: table[name] for name in names}, origin


def read_columns(path: Path, names: list[str], context: SourceContext) -> pd.DataFrame:
    """Read columns of an atomic file as text, named without their types.

    Raises:
        InputError: a column is not there; the message lists those that are.
    """
    with path.open(encoding=context.encoding) as file:
        header = file.readline().rstrip("\r\n").split(context.field_separator)
    typed = {column.split(":")[0]: column for column in header}
    missing = [name for name in names if name not in typed]
    if missing:
        raise context.fail(
            f"{path} has no column '{missing[0]}'.{suggest(missing[0], typed)} "
            f"Its columns: {', '.join(typed)}"
        )
    # an item called "None" or "NA" is a name, not a missing value
    table = pd.read_csv(
        path,
        sep=context.field_separator,
        usecols=[typed[name] for name in names],
        dtype=str,
        na_filter=False,
        encoding=context.encoding,
        engine="python" if len(context.field_separator) > 1 else "c",
    )
    return table.rename(columns={column: name for name, column in typed.items()})


def weigh_terms(
    columns: dict[str, pd.Series], spec: dict[str, Any], context: SourceContext, origin: str
) -> csr_matrix:
    """Compute the TF-IDF matrix (n_rows, n_terms), rows of norm 1 or 0."""
    if spec["ngram_min"] > spec["ngram_max"]:
        raise context.fail(f"ngram_min {spec['ngram_min']} is above ngram_max {spec['ngram_max']}")
    shared = {"min_df": spec["min_df"], "ngram_range": (spec["ngram_min"], spec["ngram_max"])}
    documents: list[Any]
    if spec["analyzer"] == "token":
        if spec["ngram_max"] > 1:
            raise context.fail("analyzer 'token' knows no n-grams; leave ngram_max out")
        documents = prefixed_parts(columns, context.seq_separator)
        vectorizer = TfidfVectorizer(analyzer=list, **shared)
    else:
        documents = [" ".join(parts) for parts in zip(*columns.values(), strict=True)]
        vectorizer = TfidfVectorizer(analyzer=spec["analyzer"], **shared)
    try:
        return csr_matrix(vectorizer.fit_transform(documents))
    except ValueError as error:
        raise context.fail(
            f"{origin}: no term is left to describe items by ({error}); lower min_df, or set "
            "analyzer: token for columns of ids, since 'word' leaves out one-letter words"
        ) from error


def reduce(terms: csr_matrix, dim: int) -> np.ndarray:
    """Project (n_rows, n_terms) to at most dim dimensions; a row without content becomes zero."""
    n_rows, n_terms = terms.shape
    if n_terms <= dim:
        return terms.toarray()
    projected = TruncatedSVD(min(dim, n_rows), random_state=SVD_SEED).fit_transform(terms)
    projected[np.linalg.norm(projected, axis=1) < NO_CONTENT] = 0.0
    return projected


def prefixed_parts(columns: dict[str, pd.Series], separator: str) -> list[list[str]]:
    """List the parts of each item's columns, as `column=part`.

    The column's name goes before each part, so that the same word in two columns stays two terms.
    """
    return [
        [
            f"{name}={part}"
            for name, text in zip(columns, row, strict=True)
            for part in text.split(separator)
            if part
        ]
        for row in zip(*columns.values(), strict=True)
    ]
