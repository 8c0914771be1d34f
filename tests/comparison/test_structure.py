"""Runs that compare did not make are told apart by what they wrap and by their variant."""

from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.comparison.structure import structural_label, structural_options
from recbole_invariant.comparison.summary import summarise
from tests.comparison.folders import FULL, write_run


def options(layer: str, **values: Any) -> dict[str, Any]:
    return {key: {"value": value, "layer": layer} for key, value in values.items()}


def test_what_any_model_wraps_is_structural() -> None:
    assert {"backbone", "variant"} <= set(structural_options())


@pytest.mark.parametrize("layer", ["command line", "config file mine.yaml models.IDEA"])
def test_what_the_user_set_stands_in_the_label(layer: str) -> None:
    given = options(layer, backbone="SASRec", variant="cue_adjusted", penalty_weight=3)
    label = structural_label({"model": "IDEA", "options": given})
    assert label == "IDEA[backbone=SASRec,variant=cue_adjusted]"


def test_defaults_do_not() -> None:
    given = options("properties/model/IDEA.yaml", backbone="GRU4Rec", variant="paper")
    assert structural_label({"model": "IDEA", "options": given}) == "IDEA"
    assert structural_label({"model": "IDEA"}) == "IDEA"


def test_unlike_runs_have_lines_of_their_own(tmp_path: Path) -> None:
    for name in ("GRU4Rec", "SASRec"):
        given = {"eval_args": FULL, **options("command line", backbone=name)}
        write_run(tmp_path / name, "IDEA", 1, options=given)
    given = {"eval_args": FULL, **options("command line", variant="cue_adjusted")}
    write_run(tmp_path / "variant", "IDEA", 1, options=given)
    write_run(tmp_path / "compared", "IDEA", 1, label="IDEA[lr=1]", options=given)
    assert set(summarise(find_runs(tmp_path)).models) == {
        "IDEA[backbone=GRU4Rec]",
        "IDEA[backbone=SASRec]",
        "IDEA[variant=cue_adjusted]",
        "IDEA[lr=1]",
    }
