"""The table of docs/inference.md: which models load without their data."""

import os
import re
from pathlib import Path

import pytest

from recbole_invariant.registry import model_names
from tests.inference.models import DRAWS, EQUAL, REFUSED, UNTRIED, outcome
from tests.inference.runs import write_data

PAGE = Path(__file__).parents[2] / "docs" / "inference.md"
ALL = "RECBOLE_INVARIANT_ALL_MODELS"
FEW = ("DMF", "SimpleX", "FM", "FPMC", "IDEA", "Irl4Rec")
"""Beside those of test_load.py: a rating, drawn histories, columns, a vector for every user."""


def table() -> dict[str, str]:
    """Read model -> outcome from the page."""
    text = PAGE.read_text(encoding="utf-8").partition("<!-- models -->")[2]
    rows = re.findall(r"^\| (equal|draws|refused|untried) \| (.*?) \|", text, re.MULTILINE)
    return {name: kind for kind, names in rows for name in re.findall(r"\w+", names)}


def test_the_table_has_every_model_once() -> None:
    assert sorted(table()) == sorted(model_names())
    assert set(table().values()) <= {EQUAL, DRAWS, REFUSED, UNTRIED}


@pytest.mark.parametrize("model", model_names() if os.environ.get(ALL) else FEW)
def test_the_table_is_right(tmp_path: Path, model: str) -> None:
    write_data(tmp_path)
    found, why = outcome(tmp_path, model)
    assert found == table()[model], why
