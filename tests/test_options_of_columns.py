"""A column that only RecBole looks for: the message says which option names it."""

from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.config import build_config
from recbole_invariant.errors import InputError
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from tests.host import write_toy


@pytest.mark.parametrize("key", ["normalize_field", "numerical_features", "alias_of_user_id"])
def test_an_unknown_column_is_told_with_its_option(tmp_path: Path, key: str) -> None:
    write_toy(tmp_path)
    options: dict[str, Any] = {"data_path": str(tmp_path), key: ["x"]}
    config = build_config("BPR", "toy", options)

    with pytest.raises(InputError) as caught:
        prepare(config, resolve("BPR"))
    (problem,) = caught.value.problems
    assert f"Named by {key}." in problem
    assert "[x]" in problem or "'x'" in problem


@pytest.mark.parametrize("columns", [{}, {"item": ["item_id"]}])
def test_columns_without_interactions_are_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="load_col lacks inter"):
        build_config("BPR", "ml-100k", {"load_col": columns})


def test_an_extra_file_that_is_missing_is_told_with_its_option() -> None:
    with pytest.raises(InputError, match=r"additional_feat_suffix needs the file \S+ml-100k\.emb"):
        build_config("BPR", "ml-100k", {"additional_feat_suffix": ["emb"]})
