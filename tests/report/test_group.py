from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.comparison.collect import FoundRun
from recbole_invariant.report.group import knows_truth


def found(options: dict[str, Any], rule: str = "valid") -> FoundRun:
    values = {key: {"value": value, "layer": "command line"} for key, value in options.items()}
    record = {"options": values, "selection": {"name": rule}}
    return FoundRun("M", "M", "planted", None, 0, record, Path())


@pytest.mark.parametrize(
    ("options", "rule", "sees"),
    [
        ({"mask_source": "oracle"}, "valid", True),
        ({"environment_source": True}, "valid", True),
        ({"environment_source": "true"}, "valid", True),
        ({"environment_source": "random", "mask_source": "learned"}, "valid", False),
        ({}, "ood_valid", False),
        ({}, "oracle", True),
    ],
)
def test_who_sees_what_no_model_in_use_can(options: dict[str, Any], rule: str, sees: bool) -> None:
    assert knows_truth(found(options, rule)) == sees
