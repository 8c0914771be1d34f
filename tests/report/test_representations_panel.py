"""The report's panel of what t and s hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.report.group import make_groups
from recbole_invariant.report.page import render
from recbole_invariant.report.panels import representations
from recbole_invariant.report.wording import DASH
from tests.report.fixtures import CLEAR, write_runs

SEEDS = (0, 1)
MINUS = "\N{MINUS SIGN}"


def diagnose(folder: Path, model: str, spurious: bool) -> None:
    """Give a model's runs representations that differ by 0.02 between the seeds."""
    for file in folder.rglob("run.json"):
        record = json.loads(file.read_text())
        if record["model"] != model:
            continue
        seed = record["seed"]
        measured = {"adjustment_pairwise_loss": 0.5, "adjustment_pairwise_auc": 0.7}
        last: dict[str, float | None] = {"adjustment": 0.6}
        target: dict[str, float | None] = {"adjustment": 0.55}
        diagnostics: dict[str, Any] = {"representations": measured}
        if spurious:
            measured |= {"xcov": -0.001, "hsic": 0.2 + 0.02 * seed}
            measured |= {"spurious_pairwise_loss": 0.69, "spurious_pairwise_auc": 0.6}
            measured |= {"spurious_pairwise_auc_shuffled": 0.55 + 0.02 * seed}
            last["spurious"] = 0.9
            target |= {"spurious": None if seed else 0.65, "cue": None}
            diagnostics["spurious_alive"] = seed == 0
        diagnostics["probes"] = {"colour": {"last_item": last, "target": target}}
        file.write_text(json.dumps({**record, "diagnostics": diagnostics}))


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = write_runs(tmp_path_factory.mktemp("held"), CLEAR, SEEDS, n_users=20)
    diagnose(folder, "BPR", spurious=False)
    diagnose(folder, "PaInvRL", spurious=True)
    (made,) = make_groups(find_runs(folder), "BPR")
    return made


def test_means_over_seeds_stand_in_their_columns(group: Any) -> None:
    content = representations.make(group).content
    names = [name for name, width in content["groups"] for _ in range(width)]
    columns = list(zip(names, content["columns"], strict=True))
    rows = {row.label: dict(zip(columns, row.cells, strict=True)) for row in content["rows"]}
    assert list(rows) == ["PaInvRL", "BPR"], "as the results table orders them"
    assert rows["PaInvRL"] == {
        ("Dependence", "xcov"): f"{MINUS}0.0010",
        ("Dependence", "hsic"): "+0.2100",
        ("Pairwise loss", "t"): "0.500",
        ("Pairwise loss", "s"): "0.690",
        ("Pairwise AUC", "t"): "0.700",
        ("Pairwise AUC", "s"): "0.600",
        ("Pairwise AUC", "s, shuffled"): "0.560",
        ("colour, last item", "t"): "0.600",
        ("colour, last item", "s"): "0.900",
        ("colour, target", "t"): "0.550",
        ("colour, target", "s"): "0.650",
    }
    assert rows["BPR"]["colour, target", "t"] == "0.550"
    assert {cell for column, cell in rows["BPR"].items() if column[1] != "t"} == {DASH}


def test_columns_of_one_group_stand_together_whoever_comes_first(tmp_path: Path) -> None:
    folder = write_runs(tmp_path, CLEAR, SEEDS, n_users=20)
    diagnose(folder, "PaInvRL", spurious=False)
    diagnose(folder, "BPR", spurious=True)
    (made,) = make_groups(find_runs(folder), "BPR")
    content = representations.make(made).content
    assert [width for _, width in content["groups"]] == [2, 2, 3, 2, 2]
    assert content["groups"][0][0] == "Dependence"
    assert content["first"] == [True, False] * 2 + [True, False, False] + [True, False] * 2


def test_a_dead_s_is_named(group: Any) -> None:
    found = {row.label: row.dead for row in representations.make(group).content["rows"]}
    assert found == {"PaInvRL": "s is dead in 1 of 2 seeds", "BPR": ""}
    assert "s is dead in 1 of 2 seeds</small>" in render([group])


def test_nobody_is_told_where_no_model_has_representations(tmp_path: Path) -> None:
    write_runs(tmp_path, CLEAR[:2], SEEDS, n_users=20)
    (made,) = make_groups(find_runs(tmp_path), "BPR")
    assert representations.make(made).missing
    html = render([made])
    assert representations.TITLE not in html
    assert "two representations" not in html
