"""Runs that see the truth, and that none of them is the yardstick by default."""

from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.comparison.collect import FoundRun, find_runs
from recbole_invariant.comparison.controls import knows_truth
from recbole_invariant.comparison.summary import summarise
from tests.comparison.folders import write_run

SEES = {"mask_source": {"value": "oracle", "layer": "command line"}}
BY_TEST = {"metric": "ndcg@10", "rule": "highest oracle:ndcg@10", "name": "oracle"}


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


def test_who_sees_the_truth_is_no_baseline_unless_named(tmp_path):
    label = "PaInvRL[mask_source=oracle]"
    write_run(tmp_path / "a", "PaInvRL", 1, 0.4, label=label, options=SEES)
    write_run(tmp_path / "b", "PaInvRL", 1, 0.1, label="PaInvRL")
    write_run(tmp_path / "c", "UltraGCN", 1, 0.3, label="UltraGCN", selection=BY_TEST)

    found = summarise(find_runs(tmp_path))

    assert found.baseline == "PaInvRL"
    assert set(found.tests["model"]) == {label, "UltraGCN"}
    assert summarise(find_runs(tmp_path), baseline=label).baseline == label


def test_where_all_see_the_truth_nobody_is_the_baseline(tmp_path):
    for model in ("PaInvRL", "UltraGCN"):
        write_run(tmp_path / model, model, 1, selection=BY_TEST)

    found = summarise(find_runs(tmp_path))

    assert found.baseline is None
    assert found.tests.empty
    assert any("none: every model sees what a model in use cannot" in n for n in found.notes)
