"""The share of the gap to an oracle on the page."""

from pathlib import Path

import pytest

from recbole_invariant.cli.main import main
from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.errors import InputError
from recbole_invariant.report.group import make_groups
from recbole_invariant.report.page import render
from recbole_invariant.report.panels import table
from tests.report.fixtures import CLEAR, write_runs

HEADING = "Share of the gap between Pop and PaInvRL that is closed</h4>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_runs(tmp_path_factory.mktemp("closed"), CLEAR, (0, 1, 2), n_users=10)


def test_every_line_has_its_share_in_the_order_of_the_results(folder: Path) -> None:
    (group,) = make_groups(find_runs(folder), "Pop", "PaInvRL")
    content = table.make(group).content
    closed = content["closed"]
    assert [row["label"] for row in closed.rows] == [row["label"] for row in content["rows"]]
    assert closed.columns == ["OOD: popularity"]
    cells = {row["label"]: row["cells"] for row in closed.rows}
    assert [cell.value for cell in cells["Pop"]] == ["0.00", "+0.0%"]
    assert cells["PaInvRL"][0].value == "1.00"
    rows = group.comparison.closed.query("metric == @group.metric").set_index("model")
    assert float(cells["BPR"][0].value) == pytest.approx(rows["mean"]["BPR"], abs=0.006)
    low, high = cells["BPR"][0].half.split(", ")
    assert float(low) <= float(cells["BPR"][0].value) <= float(high)
    assert HEADING in render([group])


def test_without_an_oracle_there_is_none(folder: Path) -> None:
    groups = make_groups(find_runs(folder), "Pop")
    assert "Share of the gap" not in render(groups)


def test_an_oracle_that_turns_out_to_be_the_baseline_leaves_the_page(folder: Path) -> None:
    (plain,) = make_groups(find_runs(folder))
    oracle = plain.comparison.baseline
    page = render(make_groups(find_runs(folder), oracle=oracle))
    assert "Share of the gap between" not in page
    assert f"No share of the gap to {oracle}: it is the baseline itself" in page


def test_the_command_takes_it(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    given = ["report", "--runs", str(folder), "--out", str(out), "--baseline=Pop"]
    assert main([*given, "--oracle=PaInvRL"]) == 0
    assert HEADING in out.read_text()


def test_a_wrong_oracle_is_one_error(folder: Path) -> None:
    with pytest.raises(InputError, match="--oracle: 'PaInv' is not among the models"):
        make_groups(find_runs(folder), "Pop", "PaInv")
