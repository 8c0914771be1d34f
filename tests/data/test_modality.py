import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recbole_invariant.data.modality import (
    align_by_token,
    build_modality,
    checksum,
    l2_normalise_rows,
    load_modalities,
)
from recbole_invariant.data.modality_sources.base import TokenFeatures
from recbole_invariant.errors import InputError

FINITE = {"allow_nan": False, "allow_infinity": False}
TOKENS = st.lists(st.text("0127ab ", min_size=1, max_size=3), min_size=1, max_size=8, unique=True)
MATRICES = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(width=32, **FINITE),
)


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[list[str], np.ndarray, dict[str, int], int]:
    """File tokens and rows, and a catalogue that shares at least one token with them."""
    tokens = draw(TOKENS)
    shared = draw(st.lists(st.sampled_from(tokens), min_size=1, unique=True))
    only_catalogue = draw(st.lists(st.sampled_from(["x", "y", "z"]), unique=True))
    order = draw(st.permutations(shared + only_catalogue))
    token2id = {"[PAD]": 0, **{token: k + 1 for k, token in enumerate(order)}}
    values = draw(
        hnp.arrays(
            np.float16, (len(tokens), draw(st.integers(1, 4))), elements=st.floats(-9, 9, width=16)
        )
    )
    return tokens, values, token2id, len(token2id)


@given(catalogues())
def test_alignment_equals_a_loop_over_the_catalogue(
    case: tuple[list[str], np.ndarray, dict[str, int], int],
) -> None:
    tokens, values, token2id, n_items = case
    expected = [[0.0] * values.shape[1] for _ in range(n_items)]
    for token, item in token2id.items():
        if item != 0 and token in tokens:
            expected[item] = [float(value) for value in values[tokens.index(token)]]
    aligned = align_by_token(tokens, values, token2id, n_items)
    assert aligned.dtype == np.float32
    assert aligned.tolist() == expected


@given(catalogues(), st.randoms(use_true_random=False))
def test_order_of_rows_in_the_file_does_not_change_a_bit(
    case: tuple[list[str], np.ndarray, dict[str, int], int], random: Any
) -> None:
    tokens, values, token2id, n_items = case
    order = list(range(len(tokens)))
    random.shuffle(order)
    one = l2_normalise_rows(align_by_token(tokens, values, token2id, n_items))
    other = l2_normalise_rows(
        align_by_token([tokens[k] for k in order], values[order], token2id, n_items)
    )
    assert one.tobytes() == other.tobytes()


@given(MATRICES)
def test_rows_have_norm_one_or_zero(values: np.ndarray) -> None:
    norms = np.linalg.norm(l2_normalise_rows(values).astype(np.float64), axis=1)
    zero = ~values.any(axis=1)
    assert (norms[zero] == 0).all()
    assert np.abs(norms[~zero] - 1).max(initial=0) < 1e-5


@given(MATRICES)
def test_normalising_leaves_its_argument_and_directions_alone(values: np.ndarray) -> None:
    before = values.copy()
    scaled = l2_normalise_rows(values).astype(np.float64)
    assert values.tobytes() == before.tobytes()
    exact = values.astype(np.float64)
    norms = np.linalg.norm(exact, axis=1, keepdims=True)
    exact = np.divide(exact, norms, out=np.zeros_like(exact), where=norms > 0)
    assert np.abs(scaled - exact).max() < 1e-5


@given(MATRICES, st.data())
def test_checksum_changes_if_and_only_if_values_do(values: np.ndarray, data: st.DataObject) -> None:
    assert checksum(values) == checksum(np.asfortranarray(values.copy()))
    row = data.draw(st.integers(0, values.shape[0] - 1))
    column = data.draw(st.integers(0, values.shape[1] - 1))
    changed = values.copy()
    changed[row, column] = np.nextafter(changed[row, column], np.float32(0)) or np.float32(1)
    assert checksum(changed) != checksum(values)


def test_checksum_is_the_sha256_of_the_little_endian_bytes() -> None:
    values = np.array([[1.0, 2.0]], dtype=np.float32)
    by_hand = bytes.fromhex("0000803f00000040")
    assert checksum(values) == hashlib.sha256(by_hand).hexdigest()
    assert checksum(values.astype(">f4")) == checksum(values)


def test_negative_zero_gives_the_checksum_of_zero() -> None:
    minus, plus = (l2_normalise_rows(np.array([[zero, 2.0]])) for zero in (-0.0, 0.0))
    assert checksum(minus) == checksum(plus)


def test_large_float16_rows_are_not_summed_in_float16() -> None:
    values = np.full((2, 512), 60000, dtype=np.float16)
    with np.errstate(over="ignore"):
        assert np.isinf((values[0] * values[0]).sum())  # what would go wrong
    features = TokenFeatures(["a", "b"], values, "file")
    modality = build_modality("visual", features, {"[PAD]": 0, "a": 1, "b": 2}, 3)
    assert torch.allclose(modality.values[1:], torch.full((2, 512), 512**-0.5), atol=1e-7)
    assert modality.source_dtype == "float16"


def test_many_rows_are_aligned_across_chunks() -> None:
    n = 20_001
    tokens = [str(k) for k in range(n)]
    token2id = {"[PAD]": 0, **{token: n - int(token) for token in tokens}}
    values = np.arange(1, n + 1, dtype=np.float64)[:, None]
    aligned = align_by_token(tokens, values, token2id, n + 1)
    assert aligned[1:, 0].tolist() == list(range(n, 0, -1))
    assert np.array_equal(l2_normalise_rows(aligned)[1:], np.ones((n, 1)))


def test_leading_zeros_make_another_item() -> None:
    aligned = align_by_token(["7"], np.ones((1, 1)), {"[PAD]": 0, "007": 1, "7": 2}, 3)
    assert aligned.tolist() == [[0.0], [0.0], [1.0]]


def test_an_item_named_like_padding_does_not_fill_row_zero() -> None:
    aligned = align_by_token(["[PAD]", "a"], np.ones((2, 1)), {"[PAD]": 0, "a": 1}, 2)
    assert aligned.tolist() == [[0.0], [1.0]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_a_value_that_is_not_finite_names_file_and_first_item(bad: float) -> None:
    values = np.array([[0.0, bad], [1.0, 2.0], [3.0, bad], [bad, 4.0]])
    token2id = {"[PAD]": 0, "d": 1, "c": 2, "b": 3}  # "a" is not in the catalogue
    with pytest.raises(InputError, match=r"image\.npy: item 'c' has the feature value"):
        align_by_token(["a", "b", "c", "d"], values, token2id, 4, "image.npy")


def test_a_bad_value_of_an_item_outside_the_catalogue_is_not_read() -> None:
    aligned = align_by_token(["a", "b"], np.array([[np.nan], [2.0]]), {"[PAD]": 0, "b": 1}, 2)
    assert aligned.tolist() == [[0.0], [2.0]]


def test_no_common_item_shows_tokens_of_both_sides() -> None:
    with pytest.raises(InputError, match=r"f\.npy: none of its 1 items.*\['7'\].*\['007'\]"):
        align_by_token(["7"], np.ones((1, 1)), {"[PAD]": 0, "007": 1}, 2, "f.npy")


def test_coverage_counts_items_with_a_row_that_is_not_zero() -> None:
    features = TokenFeatures(["a", "b", "gone"], np.array([[3.0, 4.0], [0, 0], [1, 1]]), "file")
    modality = build_modality("visual", features, {"[PAD]": 0, "a": 1, "b": 2, "c": 3}, 4)
    assert modality.n_covered == 1
    assert modality.coverage == pytest.approx(1 / 3)
    assert (
        modality.values.tolist()
        == [[0, 0], [pytest.approx(0.6), pytest.approx(0.8)]] + [[0, 0]] * 2
    )
    assert modality.checksum == checksum(modality.values.numpy())


def test_all_zero_features_are_an_error() -> None:
    features = TokenFeatures(["a"], np.zeros((1, 2)), "f.npy")
    with pytest.raises(InputError, match=r"'visual', f\.npy: the features are empty"):
        build_modality("visual", features, {"[PAD]": 0, "a": 1}, 2)


@pytest.fixture
def options(folder: Path) -> Callable[..., dict[str, Any]]:
    def build(modalities: object) -> dict[str, Any]:
        keys = ("field_separator", "seq_separator", "encoding")
        return {
            **dict.fromkeys(keys),
            "modalities": modalities,
            "dataset": "toy",
            "data_path": str(folder),
            "ITEM_ID_FIELD": "item_id",
        }

    return build


def test_load_keeps_the_order_of_the_option_and_logs_each(
    options: Callable[..., dict[str, Any]],
    write_npy: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_npy("visual", np.eye(2, 3, dtype=np.float16), ["9", "7"])
    config = options({"visual": {"source": "npy"}, "kind": {"source": "text", "fields": "kind"}})
    token2id = {"[PAD]": 0, "7": 1, "9": 2, "other": 3}
    with caplog.at_level(logging.INFO):
        loaded = load_modalities(config, token2id, 4)
    assert list(loaded) == ["visual", "kind"]
    assert loaded["visual"].values.tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]]
    line = next(message for message in caplog.messages if "modality visual" in message)
    for part in ("dim 3", "2/3", "(4, 3)", "float16", loaded["visual"].checksum):
        assert part in line


def test_load_reports_the_problems_of_all_modalities(
    options: Callable[..., dict[str, Any]],
) -> None:
    config = options({"a": {"source": "npy"}, "b": {"source": "text", "fields": "titel"}})
    with pytest.raises(InputError) as caught:
        load_modalities(config, {"[PAD]": 0, "7": 1}, 2)
    first, second = caught.value.problems
    assert "toy.a.npy" in first
    assert "no column 'titel'. Did you mean 'title'?" in second


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(2, 9))
def test_dim_and_coverage_match_the_values(dim: int, n_items: int) -> None:
    generator = np.random.default_rng(dim * 10 + n_items)
    values = generator.integers(0, 2, (n_items - 1, dim)).astype(float)
    values[0] = 1
    tokens = [str(k) for k in range(1, n_items)]
    token2id = {"[PAD]": 0, **{token: int(token) for token in tokens}}
    modality = build_modality("m", TokenFeatures(tokens, values, "f"), token2id, n_items)
    assert modality.dim == dim
    assert modality.n_covered == sum(any(row) for row in values.tolist())
