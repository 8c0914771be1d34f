from collections.abc import Callable

import numpy as np
import pytest

from recbole_invariant.data.modality_sources import npy
from recbole_invariant.data.modality_sources.base import (
    SourceContext,
    TokenFeatures,
    parse_options,
)
from recbole_invariant.errors import InputError

VALUES = np.arange(6, dtype=np.float16).reshape(3, 2)


def read(context: SourceContext, **spec: str) -> TokenFeatures:
    return npy.read(parse_options("visual", spec, npy.KEYS), context)


def test_default_files_are_mapped_not_copied(
    context: SourceContext, write_npy: Callable[..., None]
) -> None:
    write_npy("visual", VALUES, ["9", "7", "007"])
    features = read(context)
    assert list(features.tokens) == ["9", "7", "007"]
    assert isinstance(features.values, np.memmap)
    assert features.values.dtype == np.float16
    assert np.array_equal(features.values, VALUES)
    assert "toy.visual.npy" in features.origin


def test_files_can_be_elsewhere(context: SourceContext) -> None:
    elsewhere = context.folder.parent / "features"
    elsewhere.mkdir()
    np.save(elsewhere / "image.npy", VALUES)
    (elsewhere / "ids.txt").write_text("1\n2\n3")
    absolute = read(context, file=str(elsewhere / "image.npy"), tokens="../features/ids.txt")
    assert list(absolute.tokens) == ["1", "2", "3"]
    assert np.array_equal(absolute.values, VALUES)


@pytest.mark.parametrize(
    "content",
    [
        b"9\n7\n007",
        b"9\n7\n007\n",
        b"9\n7\n007\n\n\n",
        b"9\r\n7\r\n007\r\n",
        b"\xef\xbb\xbf9\n7\n007\n",
    ],
    ids=["no end", "end", "blank lines at the end", "windows", "byte order mark"],
)
def test_token_lists_from_any_editor(context: SourceContext, content: bytes) -> None:
    path = context.folder / "toy.item_tokens.txt"
    path.write_bytes(content)
    assert npy.read_tokens(path, context) == ["9", "7", "007"]


def test_tokens_keep_rare_separators_and_spaces(context: SourceContext) -> None:
    path = context.folder / "toy.item_tokens.txt"
    tokens = ["a\u2028b", "c d", "e\x0bf"]
    path.write_text("\n".join(tokens), encoding="utf-8")
    assert npy.read_tokens(path, context) == tokens


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"9\n\n7\n", "line 2 is empty"),
        (b"\xff\xfe9", "is not utf-8 text"),
    ],
)
def test_bad_token_lists(context: SourceContext, content: bytes, message: str) -> None:
    path = context.folder / "toy.item_tokens.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        npy.read_tokens(path, context)


def test_missing_files_are_named(context: SourceContext, write_npy: Callable[..., None]) -> None:
    with pytest.raises(InputError, match=r"no file .*toy\.visual\.npy.*set `file`"):
        read(context)
    write_npy("visual", VALUES)
    with pytest.raises(InputError, match=r"no file .*toy\.item_tokens\.txt.*set `tokens`"):
        read(context)


def test_rows_that_do_not_fit_the_tokens(
    context: SourceContext, write_npy: Callable[..., None]
) -> None:
    write_npy("visual", VALUES, ["9", "7"])
    with pytest.raises(InputError, match=r"toy\.visual\.npy.*3 feature rows but 2 item tokens"):
        read(context)


def test_pickled_objects_are_refused(
    context: SourceContext, write_npy: Callable[..., None]
) -> None:
    write_npy("visual", np.array([{"code": 1}, None, None], dtype=object), ["1", "2", "3"])
    with pytest.raises(InputError, match=r"toy\.visual\.npy is not a readable \.npy matrix"):
        read(context)


@pytest.mark.parametrize("damage", ["cut", "text", "nothing"])
def test_damaged_matrices(
    context: SourceContext, write_npy: Callable[..., None], damage: str
) -> None:
    write_npy("visual", VALUES, ["1", "2", "3"])
    path = context.folder / "toy.visual.npy"
    contents = {"cut": path.read_bytes()[:-4], "text": b"1,2,3\n", "nothing": b""}
    path.write_bytes(contents[damage])
    with pytest.raises(InputError, match=r"toy\.visual\.npy is not a readable"):
        read(context)


def test_archives_are_refused(context: SourceContext, write_npy: Callable[..., None]) -> None:
    write_npy("visual", VALUES, ["1", "2", "3"])
    np.savez(context.folder / "toy.npz", a=VALUES)
    with pytest.raises(InputError, match=r"toy\.npz is an archive"):
        read(context, file="toy.npz")
