from typing import Any

import numpy as np
import pytest

from recbole_invariant.data.modality_sources import mmrec
from recbole_invariant.data.modality_sources.base import (
    SourceContext,
    TokenFeatures,
    parse_options,
)
from recbole_invariant.errors import InputError

VALUES = np.arange(6.0).reshape(3, 2)


def read(context: SourceContext, **spec: Any) -> TokenFeatures:
    spec = {"file": "image_feat.npy", **spec}
    return mmrec.read(parse_options("visual", spec, mmrec.KEYS), context)


@pytest.fixture(autouse=True)
def layout(context: SourceContext) -> None:
    np.save(context.folder / "image_feat.npy", VALUES)
    # rows of the mapping are in no order; the number says which feature row is meant
    (context.folder / "i_id_mapping.csv").write_text("asin\titemID\nB2\t2\nB0\t0\n007\t1\n")


def test_mapped_ids_are_row_numbers(context: SourceContext) -> None:
    features = read(context)
    assert list(features.tokens) == ["0", "1", "2"]
    assert np.array_equal(features.values, VALUES)


def test_raw_ids_follow_their_numbers(context: SourceContext) -> None:
    assert list(read(context, id="raw").tokens) == ["B0", "007", "B2"]


def test_folder_and_mapping_can_be_elsewhere(context: SourceContext) -> None:
    other = context.folder.parent / "baby"
    other.mkdir()
    np.save(other / "text_feat.npy", VALUES[:2])
    (other / "ids.csv").write_text("itemID\tparent\n1\tq\n0\tp\n")
    features = read(context, dir="../baby", file="text_feat.npy", mapping="ids.csv", id="raw")
    assert list(features.tokens) == ["p", "q"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("asin,itemID\nB0,0\n", "expected two tab-separated columns"),
        ("asin\tnumber\nB0\t0\n", "expected two tab-separated columns"),
        ("asin\titemID\nB0\t0\nB1\t1\nB2\t1\n", r"count 0 \.\. 2, each once; '1' is there twice"),
        ("asin\titemID\nB0\t1\nB1\t2\nB2\t3\n", "0 is missing"),
        ("asin\titemID\nB0\t0\nB1\t1\n", "3 feature rows but 2 item tokens"),
        ("asin\titemID\nB0\t0\nB0\t1\nB2\t2\n", "item 'B0' has two rows"),
    ],
)
def test_bad_mappings(context: SourceContext, content: str, message: str) -> None:
    (context.folder / "i_id_mapping.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        read(context, id="raw")


def test_missing_files_are_named(context: SourceContext) -> None:
    with pytest.raises(InputError, match=r"no file .*img_feat\.npy.*image_feat\.npy"):
        read(context, file="img_feat.npy")
    (context.folder / "i_id_mapping.csv").unlink()
    assert list(read(context).tokens) == ["0", "1", "2"]
    with pytest.raises(InputError, match=r"no file .*i_id_mapping\.csv"):
        read(context, id="raw")
