"""Runs that see the truth, and that none of them is the yardstick by default."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from recbole_invariant.comparison.collect import FoundRun, find_runs
from recbole_invariant.comparison.controls import knows_truth
from recbole_invariant.comparison.layout import as_latex, as_markdown, as_text
from recbole_invariant.comparison.summary import summarise
from recbole_invariant.comparison.write import write_comparison
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
        ({"cue_adjustment": "known"}, "valid", True),
        ({"cue_adjustment": "estimated"}, "valid", False),
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


def test_who_sees_the_truth_is_marked_in_every_layout(tmp_path):
    label = "PaInvRL[mask_source=oracle]"
    for seed in (1, 2):
        write_run(tmp_path / f"a{seed}", "PaInvRL", seed, 0.4, label=label, options=SEES)
        write_run(tmp_path / f"b{seed}", "BPR", seed, 0.1, label="BPR")
        write_run(tmp_path / f"c{seed}", "LightGCN", seed, 0.1, selection=BY_TEST)
    found = summarise(find_runs(tmp_path))

    write_comparison(found, tmp_path)

    for text in (as_text(found), as_markdown(found), as_latex(found).replace(r"\_", "_")):
        # the metrics' tables, the paired tests and the note's list of them
        assert text.count(f"{label} (sees the truth)") >= 4
        assert "LightGCN (selected by a test)" in text
        assert "BPR (" not in text.replace("BPR (the strongest", "")
        assert f"(sees the truth): {label} is given planted facts" in text
    for name in ("table", "tests"):
        table = pd.read_csv(tmp_path / f"{name}.csv")
        assert set(table.loc[table["sees_truth"], "model"]) == {label, "LightGCN"}


def test_pop_alone_is_no_plain_baseline_and_it_says_so(tmp_path):
    write_run(tmp_path / "Pop", "Pop", 1)
    for label, better in (("PaInvRL", 0.2), ("PaInvRL[x=1]", 0.1)):
        write_run(tmp_path / label, "PaInvRL", 1, better, label=label)
    assert choose(tmp_path, "PaInvRL", "no tuned plain baseline; Pop is not counted as one")
    shutil.rmtree(tmp_path / "Pop")
    assert choose(tmp_path, "PaInvRL", "there is no plain baseline")


def choose(folder: Path, baseline: str, words: str) -> bool:
    """Say whether this baseline is chosen with these words."""
    found = summarise(find_runs(folder))
    rule = f"{baseline}, the strongest of the models ({words}) on validation"
    return (found.baseline, found.baseline_rule) == (baseline, rule)


def test_what_has_one_epoch_was_chosen_by_no_test() -> None:
    run = found({}, "oracle")
    one = replace(run, record={**run.record, "stages": [{"name": "train", "epochs": 1}]})
    several = replace(run, record={**run.record, "stages": [{"name": "train", "epochs": 2}]})
    assert not knows_truth(one)
    assert knows_truth(several)
