"""The report's panel of the paths that training took."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.report.group import make_groups
from recbole_invariant.report.page import render
from recbole_invariant.report.panels import frontier, table
from recbole_invariant.report.panels.margin_table import MarginCell, margin_cell
from recbole_invariant.report.wording import DASH
from tests.report.fixtures import CLEAR, Made, write_runs

SEEDS = (0, 1, 2)
MINUS = "\N{MINUS SIGN}"


def record_paths(folder: Path, model: str, n_epochs: int = 8) -> None:
    """Give a model's runs a path that rises and then falls out of distribution."""
    for file in folder.rglob("run.json"):
        record = json.loads(file.read_text())
        if record["model"] != model:
            continue
        end = record["metrics"]
        record["snapshots"] = {
            f"train {epoch}": {
                "stage": "train",
                "epoch": epoch,
                "frontier": True,
                "iid": {"ndcg@10": end["iid"]["ndcg@10"] * (epoch + 1) / n_epochs},
                "ood_popularity": {
                    "ndcg@10": end["ood_popularity"]["ndcg@10"] * (1.3 - abs(epoch - 4) / 10)
                },
            }
            for epoch in range(n_epochs)
        }
        file.write_text(json.dumps(record))


def record_named(folder: Path, model: str, ood: float) -> None:
    """Give a model's runs a named snapshot at their own IID."""
    for file in folder.rglob("run.json"):
        record = json.loads(file.read_text())
        if record["model"] == model:
            iid = {"ndcg@10": record["metrics"]["iid"]["ndcg@10"]}
            entry = {"stage": "alternate", "epoch": 3, "iid": iid}
            record["snapshots"] = {"last": entry | {"ood_popularity": {"ndcg@10": ood}}}
            file.write_text(json.dumps(record))


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = write_runs(tmp_path_factory.mktemp("frontier"), CLEAR, SEEDS, n_users=20)
    record_paths(folder, "BPR")
    record_named(folder, "PaInvRL", 0.01)
    (made,) = make_groups(find_runs(folder), "BPR")
    return made


def test_the_paths_of_every_seed_and_the_selected_marks(group: Any) -> None:
    panel = frontier.make(group)
    (figure,) = panel.content["figures"]
    assert not panel.missing
    assert figure.svg.count("line c1 faint") == len(SEEDS) - 1
    assert figure.svg.count('class="line c1"') == 2, "the first seed's path and its one point"
    for made in CLEAR:
        assert f"<title>{made.label} at" in figure.svg
        assert f">{made.label}<title>" in figure.svg, "few lines are all named"
    assert figure.caption == ""


def test_every_line_has_its_margin_in_the_order_of_the_results(group: Any) -> None:
    margins = frontier.make(group).content["selected"]
    assert [row["label"] for row in margins.rows] == [
        row["label"] for row in table.make(group).content["rows"]
    ]
    assert margins.groups == [("OOD: popularity", 1)]
    found = {row["label"]: row["cells"][0] for row in margins.rows}
    rows = group.comparison.margins.query("metric == 'ndcg@10' and snapshot == ''")
    for _, row in rows.iterrows():
        cell = found[row["model"]]
        assert float(cell.value.replace(MINUS, "-")) == pytest.approx(row["mean"], abs=6e-5)
        low, high = (float(end.replace(MINUS, "-")) for end in cell.interval.split(" to "))
        assert (low, high) == pytest.approx((row["low"], row["high"]), abs=6e-5)
    assert found["Pop"].value.startswith(MINUS)
    assert found["Pop"].mark == ""


def test_named_snapshots_have_a_table_of_their_own(group: Any) -> None:
    margins = frontier.make(group).content["snapshots"]
    assert [row["label"] for row in margins.rows] == ["PaInvRL"]
    assert margins.columns == ["last"]
    html = render([group])
    assert "<summary>Margins of the named snapshots</summary>" in html
    assert html.index("Margin over the frontier of BPR</h4>") < html.index("named snapshots</s")


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        ((3, 0.0123, 0.004, 0.02), MarginCell("+0.0123", "+0.0040 to +0.0200", "▲")),
        ((3, 0.0123, -0.004, 0.03), MarginCell("+0.0123", f"{MINUS}0.0040 to +0.0300", "△")),
        ((2, 0.0123, 0.004, 0.02), MarginCell("+0.0123", "", "△")),
        ((1, -0.5, math.nan, math.nan), MarginCell(f"{MINUS}0.5000")),
        ((3, -1e-9, -0.01, 0.01), MarginCell("0.0000", f"{MINUS}0.0100 to +0.0100")),
        (None, MarginCell(DASH)),
    ],
)
def test_a_margin_has_its_sign_and_an_interval_from_three_seeds_on(row: Any, cell: Any) -> None:
    keys = ("n_seeds", "mean", "low", "high")
    assert margin_cell(row and dict(zip(keys, row, strict=True))) == cell


def test_of_many_lines_those_below_the_frontier_are_marks_only(tmp_path: Path) -> None:
    below = [Made(f"UltraGCN[n_layers={n}]", 0.2, 0.02) for n in range(frontier.MOST_NAMES)]
    above = Made("InvRL", 0.2, 0.4)
    write_runs(tmp_path, [Made("BPR", 0.2, 0.09), *below, above], (0,), n_users=10)
    record_paths(tmp_path, "BPR")
    (group,) = make_groups(find_runs(tmp_path), "BPR")
    (figure,) = frontier.make(group).content["figures"]
    assert figure.svg.count("line-name") == 2
    for named in ("BPR", "InvRL"):
        assert f">{named}<title>" in figure.svg
    for made in below:
        assert f"<title>{made.label} at" in figure.svg, "the mark stays"
    assert f"{len(below)} lines without a path of their own" in figure.caption


def test_the_page_shows_it_after_the_trade_off(group: Any) -> None:
    html = render([group])
    assert html.index("In against out of distribution</h3>") < html.index(f"{frontier.TITLE}</h3>")
    assert html.index(f"{frontier.TITLE}</h3>") < html.index("Recall as the list grows</h3>")


def test_without_a_frontier_nobody_misses_it(tmp_path: Path) -> None:
    write_runs(tmp_path, CLEAR[:3], (0,), n_users=10)
    html = render(make_groups(find_runs(tmp_path)))
    assert frontier.TITLE not in html
    assert "frontier" not in html.partition("Not shown")[2]


def test_a_frontier_of_another_model_than_the_baseline_gives_no_table(tmp_path: Path) -> None:
    write_runs(tmp_path, CLEAR[:3], (0,), n_users=10)
    record_paths(tmp_path, "UltraGCN")
    groups = make_groups(find_runs(tmp_path), "BPR")
    assert frontier.make(groups[0]).content["selected"] is None
    html = render(groups)
    assert f"{frontier.TITLE}</h3>" in html
    assert "Margin over the frontier of" not in html
