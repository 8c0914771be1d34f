"""Margins over the baseline's frontier, by hand, seed by seed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.comparison.layout import as_latex, as_markdown, as_text
from recbole_invariant.comparison.summary import Comparison, summarise
from recbole_invariant.comparison.write import write_comparison
from tests.comparison.folders import write_run

PATH = [(0.1, 0.3), (0.2, 0.2), (0.4, 0.1), (0.4, 0.05)]
SEEDS = (0, 1, 2)


def metrics(iid: float, ood: float) -> dict[str, Any]:
    return {"iid": {"ndcg@10": iid}, "ood_popularity": {"ndcg@10": ood}}


def path(shift: float) -> dict[str, Any]:
    return {
        f"train {k}": {
            "stage": "train",
            "epoch": k,
            "frontier": True,
            **metrics(iid, ood + shift),
        }
        for k, (iid, ood) in enumerate(PATH)
    }


def write(folder: Path, frontier: bool = True, **changes: Any) -> Comparison:
    """BPR ends on its last epoch; Robust is half way between two of its epochs, and above."""
    for seed in SEEDS:
        shift = 0.01 * seed
        values = {"valid": {"ndcg@10": 0.5}}
        snapshots = path(shift) if frontier else {}
        own = {**values, **metrics(0.4, 0.05 + shift)}
        write_run(folder / f"bpr{seed}", "BPR", seed, metrics=own, snapshots=snapshots)
        last = {"stage": "two", "epoch": 3, "frontier": False, **metrics(0.05, 0.3 + shift)}
        own = {**values, **metrics(0.3, 0.15 + shift + 0.02 + 0.001 * seed)}
        also = {**changes, "snapshots": {"last": last, **changes.get("snapshots", {})}}
        write_run(folder / f"ours{seed}", "Robust", seed, metrics=own, **also)
    return summarise(find_runs(folder), "BPR")


def row(comparison: Comparison, model: str, snapshot: str = "") -> Any:
    table = comparison.margins
    (found,) = table[(table["model"] == model) & (table["snapshot"] == snapshot)].to_dict("records")
    return found


def test_a_margin_is_over_the_same_seeds_frontier_at_equal_iid(tmp_path: Path) -> None:
    comparison = write(tmp_path)
    ours = row(comparison, "Robust")
    assert (ours["n_seeds"], ours["test"], ours["metric"]) == (3, "ood_popularity", "ndcg@10")
    assert ours["mean"] == pytest.approx(0.021)
    # t(.975, 2) = 4.303 times .001 / sqrt(3)
    assert ours["high"] - ours["mean"] == pytest.approx(4.3027 * 0.001 / 3**0.5, rel=1e-4)
    assert row(comparison, "BPR")["mean"] == pytest.approx(-0.05)
    assert row(comparison, "Robust", "last")["mean"] == pytest.approx(0.0)
    assert any("favours the baseline" in note for note in comparison.notes)


def test_epochs_of_other_settings_of_the_baselines_model_count_too(tmp_path: Path) -> None:
    write(tmp_path)
    for seed in SEEDS:
        own = {"valid": {"ndcg@10": 0.4}, **metrics(0.1, 0.1)}
        snapshots = path(0.01 * seed + 0.04)
        folder = tmp_path / f"other{seed}"
        write_run(folder, "BPR", seed, metrics=own, snapshots=snapshots)
    runs = [
        replace(run, label="BPR[weight_decay=0.1]") if "other" in run.folder.name else run
        for run in find_runs(tmp_path)
    ]
    comparison = summarise(runs, "BPR")
    assert row(comparison, "Robust")["mean"] == pytest.approx(0.021 - 0.04)
    assert row(comparison, "BPR")["mean"] == pytest.approx(-0.05 - 0.04)


def test_every_layout_and_the_files_have_it(tmp_path: Path) -> None:
    comparison = write(tmp_path / "runs")
    heading = "ndcg@10: margin over the frontier of BPR"
    for text in (as_text(comparison), as_markdown(comparison), as_latex(comparison)):
        assert heading in text
        assert "Robust: last" in text
        assert "+0.0210" in text
        assert "-0.0500" in text
    write_comparison(comparison, tmp_path / "out")
    assert (tmp_path / "out" / "margins.csv").read_text().startswith("model,snapshot,test,metric")


def test_without_a_frontier_there_is_no_table(tmp_path: Path) -> None:
    comparison = write(tmp_path, frontier=False)
    assert comparison.margins.empty
    assert "margin over" not in as_text(comparison)


def test_a_frontier_of_another_model_is_none_of_the_baseline(tmp_path: Path) -> None:
    comparison = write(tmp_path, frontier=False, snapshots=path(0.0))
    assert comparison.margins.empty
    assert "run it with frontier: true (Robust has one)" in as_text(comparison)


def test_another_split_has_no_margin(tmp_path: Path) -> None:
    comparison = write(tmp_path, split_checksum="other", n_interactions={"train": 1})
    assert set(comparison.margins["model"]) == {"BPR"}


def test_where_lower_is_better_positive_is_still_better(tmp_path: Path) -> None:
    for seed, ood in ((0, 0.9), (1, 0.8)):
        entry = {
            "stage": "train",
            "epoch": 0,
            "frontier": True,
            "iid": {"mae": 0.5},
            "ood_x": {"mae": 1.0},
        }
        own = {"valid": {"mae": 0.5}, "iid": {"mae": 0.5}, "ood_x": {"mae": ood}}
        base = {**own, "ood_x": {"mae": 1.0}}
        write_run(tmp_path / f"a{seed}", "BPR", seed, metrics=base, snapshots={"train 0": entry})
        write_run(tmp_path / f"b{seed}", "Robust", seed, metrics=own)
    comparison = summarise(find_runs(tmp_path), "BPR")
    assert row(comparison, "Robust")["mean"] == pytest.approx(0.15)
