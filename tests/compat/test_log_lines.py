"""A value that RaCT logs without a placeholder is in the log, not a traceback beside it."""

import importlib
import logging
from pathlib import Path

import pytest

from recbole_invariant.compat.log_lines import mend_log_lines


@pytest.fixture
def root():
    logger = logging.getLogger()
    filters = list(logger.filters)
    mend_log_lines()
    importlib.import_module("recbole.model.general_recommender.ract")
    yield logger
    logger.filters[:] = filters


def test_a_value_without_a_place_ends_the_line(root, tmp_path: Path, capsys) -> None:
    handler = logging.FileHandler(tmp_path / "log.txt")
    root.addHandler(handler)
    try:
        root.warning("Load pretrained model from", "a.pth")
        root.warning("%d of %d", 1, 2)
        root.warning("100 %")
    finally:
        root.removeHandler(handler)
        handler.close()

    expected = ["Load pretrained model from a.pth", "1 of 2", "100 %"]
    assert (tmp_path / "log.txt").read_text().splitlines() == expected
    assert "Logging error" not in capsys.readouterr().err
