import math
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from recbole_invariant.data.modality_sources import text
from recbole_invariant.data.modality_sources.base import (
    SourceContext,
    TokenFeatures,
    parse_options,
)
from recbole_invariant.errors import InputError


def read(context: SourceContext, **spec: Any) -> TokenFeatures:
    return text.read(parse_options("title", spec, text.KEYS), context)


def tfidf(documents: list[list[str]]) -> list[dict[str, float]]:
    """TF-IDF by hand: smooth idf ln((1 + n) / (1 + df)) + 1, rows of norm 1."""
    df = Counter(term for document in documents for term in set(document))
    rows = []
    for document in documents:
        row = {
            term: count * (math.log((1 + len(documents)) / (1 + df[term])) + 1)
            for term, count in Counter(document).items()
        }
        norm = math.sqrt(sum(value**2 for value in row.values()))
        rows.append({term: value / norm for term, value in row.items()})
    return rows


def test_small_vocabularies_stay_as_tfidf(context: SourceContext) -> None:
    features = read(context, fields="tags", analyzer="token")
    assert list(features.tokens) == ["9", "7", "a b", "007"]  # of the catalogue, in file order
    expected = tfidf([["1", "2"], ["1"], [], ["2", "3"]])
    table = [[row.get(term, 0.0) for term in ("1", "2", "3")] for row in expected]
    np.testing.assert_allclose(features.values, table, atol=1e-12)


def test_word_analyzer_drops_what_token_keeps(context: SourceContext) -> None:
    with pytest.raises(InputError, match=r"toy\.item \(tags\): no term is left"):
        read(context, fields="tags", analyzer="word")  # one-letter words


def test_equal_words_of_two_columns_stay_apart(context: SourceContext) -> None:
    together = read(context, fields=["tags", "kind"], analyzer="token").values
    assert together.shape == (4, 5)  # tags 1, 2, 3 and kinds film, series
    twice = read(context, fields=["kind", "kind"], analyzer="token").values
    assert twice.shape == (4, 2)


def test_words_that_look_like_missing_values_are_words(context: SourceContext) -> None:
    values = read(context, fields="title", dim=99).values
    assert values.any(axis=1).all()  # "None" and "Null Hypothesis" have features


def test_long_vocabularies_are_projected(context: SourceContext) -> None:
    values = read(context, fields="title", analyzer="char_wb", ngram_max=3, dim=2).values
    assert values.shape == (4, 2)
    fox = values[:2] / np.linalg.norm(values[:2], axis=1, keepdims=True)
    assert fox[0] @ fox[1] > 0.9  # The Red Fox, The Blue Fox


def test_two_processes_give_the_same_bytes(context: SourceContext) -> None:
    script = (
        "import sys, hashlib; from pathlib import Path; import recbole_invariant\n"
        "from recbole_invariant.data.modality_sources import text\n"
        "from recbole_invariant.data.modality_sources.base import SourceContext, parse_options\n"
        "c = SourceContext('t', 'toy', Path(sys.argv[1]), {'7': 1, '9': 2, '007': 3}, 'item_id')\n"
        "spec = {'fields': 'title', 'analyzer': 'char_wb', 'dim': 2}\n"
        "values = text.read(parse_options('t', spec, text.KEYS), c).values\n"
        "print(hashlib.sha256(values.tobytes()).hexdigest())"
    )
    run = [sys.executable, "-c", script, str(context.folder)]
    outputs = {
        subprocess.run(
            run,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert len(outputs.pop().strip().splitlines()[-1]) == 64


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(2, 15), st.integers(1, 20), st.integers(0, 10**6))
def test_projection_is_the_best_of_its_rank(n_rows: int, n_terms: int, dim: int, seed: int) -> None:
    terms = np.random.default_rng(seed).random((n_rows, n_terms))
    projected = text.reduce(csr_matrix(terms), dim)
    if n_terms <= dim:
        assert np.array_equal(projected, terms)
        return
    kept = min(dim, n_rows)
    assert projected.shape == (n_rows, kept)
    # inner products agree with those of the exact SVD cut at the same rank
    left, values, _ = np.linalg.svd(terms, full_matrices=False)
    exact = left[:, :kept] * values[:kept]
    np.testing.assert_allclose(projected @ projected.T, exact @ exact.T, atol=1e-6)


def test_a_row_without_content_is_zero_not_noise() -> None:
    terms = np.zeros((6, 8))
    terms[:3, :4] = np.random.default_rng(0).random((3, 4)) + 1
    terms[3, 5] = 1e-9  # orthogonal to all others, too weak for any kept dimension
    projected = text.reduce(csr_matrix(terms), 2)
    assert projected[:3].any(axis=1).all()
    assert not projected[3:].any()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"fields": "titel"}, r"toy\.item has no column 'titel'. Did you mean 'title'\?"),
        ({"fields": "titel"}, "Its columns: item_id, title, tags, kind"),
        ({"fields": []}, "fields"),
        ({"fields": ["title", 3]}, "fields"),
        ({"fields": "title", "min_df": 9}, "no term is left"),
        ({"fields": "title", "ngram_min": 3}, "ngram_min 3 is above ngram_max 1"),
        ({"fields": "tags", "analyzer": "token", "ngram_max": 2}, "knows no n-grams"),
    ],
)
def test_bad_text_specs(context: SourceContext, spec: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(context, **spec)


def test_no_item_file_is_named(context: SourceContext) -> None:
    (context.folder / "toy.item").unlink()
    with pytest.raises(InputError, match=r"no file .*toy\.item"):
        read(context, fields="title")


def test_item_file_of_other_items_is_named(context: SourceContext) -> None:
    (context.folder / "toy.item").write_text("item_id:token\ttitle:token_seq\nq\tQuiet\n")
    with pytest.raises(InputError, match=r"toy\.item \(title\): none of its items"):
        read(context, fields="title")


def test_windows_line_ends(context: SourceContext) -> None:
    (context.folder / "toy.item").write_bytes(
        b"item_id:token\ttitle:token_seq\r\n7\tRed Fox\r\n9\tBlue Fox\r\n"
    )
    assert read(context, fields="title").values.shape == (2, 3)
