"""Named snapshots stand with their own means, whether the baseline has a frontier or not."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.comparison.layout import as_latex, as_markdown, as_text
from recbole_invariant.comparison.snapshot_grids import ends_grid
from recbole_invariant.comparison.summary import Comparison, summarise
from recbole_invariant.comparison.write import write_comparison
from recbole_invariant.report.group import make_groups
from recbole_invariant.report.page import render
from recbole_invariant.report.panels import table
from tests.comparison.folders import write_run


def metrics(iid: float, ood: float) -> dict[str, Any]:
    return {"iid": {"ndcg@10": iid}, "ood_popularity": {"ndcg@10": ood}}


def write(folder: Path, n_seeds: int = 3, named: bool = True) -> Comparison:
    for seed in range(n_seeds):
        plain = {"stage": "pretrain", "epoch": 1, "frontier": False, "valid": {"ndcg@10": 0.3}}
        plain |= metrics(0.3 + 0.01 * seed, 0.2)
        path = {**plain, "frontier": True}
        own = {"valid": {"ndcg@10": 0.3}, **metrics(0.25, 0.22)}
        snapshots = {"plain backbone": plain, "pretrain 0": path} if named else {"pretrain 0": path}
        write_run(folder / f"idea{seed}", "IDEA", seed, metrics=own, snapshots=snapshots)
        write_run(folder / f"bpr{seed}", "BPR", seed, metrics=own)
    return summarise(find_runs(folder))


def test_means_are_over_seeds_of_tests_only_and_no_epoch_of_the_frontier(tmp_path: Path) -> None:
    ends = write(tmp_path).ends
    assert set(ends["model"]) == {"IDEA"}
    assert set(ends["snapshot"]) == {"", "plain backbone"}
    assert set(ends["test"]) == {"iid", "ood_popularity"}
    (row,) = ends[(ends["snapshot"] != "") & (ends["test"] == "iid")].to_dict("records")
    assert (row["n_seeds"], row["mean"]) == (3, pytest.approx(0.31))
    # t(.975, 2) = 4.303 times .01 / sqrt(3)
    assert row["high"] - row["mean"] == pytest.approx(4.3027 * 0.01 / 3**0.5, rel=1e-4)


def test_every_layout_and_the_files_have_them(tmp_path: Path) -> None:
    comparison = write(tmp_path / "runs")
    header, lines = ends_grid(comparison, "ndcg@10")
    assert header == ["model", "iid", "ood_popularity"]
    assert lines[0][0] == "IDEA"
    assert lines[1] == ["IDEA: plain backbone", "0.3100 ± 0.0248", "0.2000 ± 0.0000"]
    for text in (as_text(comparison), as_markdown(comparison), as_latex(comparison)):
        assert "ndcg@10 at the ends of the stages" in text
        assert "IDEA: plain backbone" in text
    write_comparison(comparison, tmp_path / "out")
    written = pd.read_csv(tmp_path / "out" / "ends.csv")
    assert set(written["snapshot"].dropna()) == {"plain backbone"}


@pytest.mark.parametrize(("n_seeds", "half"), [(2, ""), (3, "0.0248")])
def test_the_page_has_them_folded(tmp_path: Path, n_seeds: int, half: str) -> None:
    write(tmp_path, n_seeds)
    (group,) = make_groups(find_runs(tmp_path))
    selected, plain = table.make(group).content["ends"]
    assert (selected["label"], selected["snapshot"]) == ("IDEA", "")
    assert plain["snapshot"] == "plain backbone"
    assert plain["cells"][group.tests.index("iid") * len(group.metrics)].half == half
    html = render([group])
    assert "<summary>Ends of the stages</summary>" in html
    assert "IDEA: plain backbone</th>" in html


def test_without_named_snapshots_there_is_no_table(tmp_path: Path) -> None:
    comparison = write(tmp_path, named=False)
    assert comparison.ends.empty
    assert "ends of the stages" not in as_text(comparison)
