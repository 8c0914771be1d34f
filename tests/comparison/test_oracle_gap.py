"""Shares of the gap between baseline and oracle, by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.comparison.layout import as_latex, as_markdown, as_text
from recbole_invariant.comparison.oracle_grid import CHANGE, SHARE, share_text
from recbole_invariant.comparison.summary import Comparison, summarise
from recbole_invariant.comparison.write import describe, write_comparison
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.ratio_interval import ratio_interval
from tests.comparison.folders import write_run

FLIP, REMOVE = "ood_flip", "ood_remove"
BASE = np.array([0.10, 0.11, 0.09])
TOLD = np.array([0.15, 0.15, 0.145])
OURS = np.array([0.14, 0.13, 0.125])
IID = {"GRU4Rec": 0.2, "Robust": 0.18, "Told": 0.19}


def write(
    folder: Path, told: np.ndarray = TOLD, metric: str = "ndcg@10", **changes: Any
) -> list[Any]:
    """Three seeds of a baseline, a method and an oracle; on `ood_remove` no gap at all."""
    for model, values in (("GRU4Rec", BASE), ("Robust", OURS), ("Told", told)):
        for seed, value in enumerate(values):
            found = {"valid": 0.2, "iid": IID[model], FLIP: float(value), REMOVE: 0.1}
            metrics = {name: {metric: each} for name, each in found.items()}
            run = write_run(folder / f"{model}{seed}", model, seed, metrics=metrics, **changes)
            (run / "per_user.parquet").unlink()  # tests over users take time and stand elsewhere
    return find_runs(folder)


def compared(folder: Path, **changes: Any) -> Comparison:
    return summarise(write(folder, **changes), "GRU4Rec", oracle="Told")


def row(comparison: Comparison, model: str, test: str = FLIP) -> dict[Any, Any]:
    table = comparison.closed
    (found,) = table[(table["model"] == model) & (table["test"] == test)].to_dict("records")
    return found


def test_the_share_is_a_ratio_of_means_with_fiellers_interval(tmp_path: Path) -> None:
    comparison = compared(tmp_path)
    ours = row(comparison, "Robust")
    assert ours["n_seeds"] == 3
    assert ours["gap"] == pytest.approx((TOLD - BASE).mean())
    assert ours["mean"] == pytest.approx((OURS - BASE).sum() / (TOLD - BASE).sum())
    expected = ratio_interval(OURS - BASE, TOLD - BASE)
    assert (ours["low"], ours["high"]) == pytest.approx((expected.low, expected.high))
    assert ours["iid_change"] == pytest.approx(-0.1)
    assert row(comparison, "GRU4Rec")["mean"] == pytest.approx(0)
    assert row(comparison, "Told")["mean"] == pytest.approx(1)
    assert row(comparison, "Told")["iid_change"] == pytest.approx(-0.05)


def test_where_lower_is_better_a_share_is_still_one(tmp_path: Path) -> None:
    higher = row(compared(tmp_path / "high"), "Robust")["mean"]
    lower = compared(tmp_path / "low", metric="averagepopularity@10")
    # the same figures, of which the oracle's are now the worse ones
    assert np.isnan(row(lower, "Robust")["mean"])
    turned = summarise(find_runs(tmp_path / "low"), "Told", oracle="GRU4Rec")
    assert row(turned, "Robust")["mean"] == pytest.approx(1 - higher)


def test_no_gap_is_no_share_and_is_said(tmp_path: Path) -> None:
    comparison = compared(tmp_path)
    assert np.isnan(row(comparison, "Robust", REMOVE)["mean"])
    assert "share of the gap, ood_remove ndcg@10: Told is no better than GRU4Rec" in str(comparison)
    assert FLIP not in next(n for n in comparison.notes if "is no better" in n)


def test_a_gap_that_may_be_none_has_no_interval_and_shows_no_share(tmp_path: Path) -> None:
    comparison = compared(tmp_path, told=np.array([0.16, 0.12, 0.09]))
    ours = row(comparison, "Robust")
    assert ours["mean"] == pytest.approx(0.095 / 0.07)
    assert np.isnan(ours["low"])
    assert "ood_flip ndcg@10: Told is not clearly better than GRU4Rec" in str(comparison)
    assert share_text(ours, SHARE, ".2f") == ("n/a", "")
    assert share_text(ours, CHANGE, "+.1%")[0] == "-10.0%"
    assert "1.36" not in str(comparison)


def test_only_seeds_that_all_three_have_count(tmp_path: Path) -> None:
    runs = [run for run in write(tmp_path) if (run.label, run.seed) != ("Told", 2)]
    comparison = summarise(runs, "GRU4Rec", oracle="Told")
    assert row(comparison, "Robust")["n_seeds"] == 2
    assert row(comparison, "Robust")["gap"] == pytest.approx((TOLD - BASE)[:2].mean())
    assert "Robust (n=2)" in as_text(comparison)
    none = [run for run in runs if run.label != "Told" or run.seed == 1]
    only = [run for run in none if run.label != "GRU4Rec" or run.seed == 0]
    alone = summarise(only, "GRU4Rec", oracle="Told")
    assert alone.closed.empty
    assert "no share of the gap to Told: no seed" in str(alone)


def test_another_split_has_no_share(tmp_path: Path) -> None:
    runs = write(tmp_path)
    for run in runs:
        run.record["split_checksum"] = run.label if run.label == "Robust" else "same"
    comparison = summarise(runs, "GRU4Rec", oracle="Told")
    assert "Robust" not in set(comparison.closed["model"])
    for run in runs:
        run.record["split_checksum"] = run.label if run.label == "Told" else "same"
    comparison = summarise(runs, "GRU4Rec", oracle="Told")
    assert comparison.closed.empty
    assert "no share of the gap to Told: Told: its split differs" in str(comparison)


def test_every_layout_and_the_files_have_it(tmp_path: Path) -> None:
    comparison = compared(tmp_path / "runs")
    heading = "share of the gap between GRU4Rec and Told that is closed"
    ours = row(comparison, "Robust")
    shown = f"{ours['mean']:.2f} [{ours['low']:.2f}, {ours['high']:.2f}]"
    for text in (as_text(comparison), as_markdown(comparison), as_latex(comparison)):
        assert heading in text
        assert shown in text
        assert "n/a" in text
        assert "10.0" in text
    lines = [line.split() for line in as_text(comparison).splitlines()]
    assert ["Told", "1.00", "n/a", "-5.0%"] in [[*line[:3], line[-1]] for line in lines if line]
    write_comparison(comparison, tmp_path / "out")
    head = "model,test,metric,n_seeds,gap,mean,low,high,iid_change,iid_low,iid_high"
    assert (tmp_path / "out" / "closed.csv").read_text().startswith(head)
    assert describe(comparison, tmp_path, None)["oracle"] == "Told"


@pytest.mark.parametrize(
    ("values", "share", "change"),
    [
        ((-0.0049, -0.0049, 0.004), ("0.00", "0.00, 0.00"), ("-0.5%", "-0.5%, +0.4%")),
        ((-0.0004, -0.0051, -0.0), ("0.00", "-0.01, 0.00"), ("+0.0%", "-0.5%, +0.0%")),
        ((0.0004, -0.00049, 1.0), ("0.00", "0.00, 1.00"), ("+0.0%", "+0.0%, +100.0%")),
        ((-0.1, -20.0, 10.0), ("-0.10", "-20.00, 10.00"), ("-10.0%", "-2000.0%, +1000.0%")),
    ],
)
def test_what_is_zero_to_the_digits_shown_has_no_minus(
    values: tuple[float, ...], share: tuple[str, str], change: tuple[str, str]
) -> None:
    row = {"n_seeds": 5, **dict(zip((*SHARE, *CHANGE), values * 2, strict=True))}
    assert share_text(row, SHARE, ".2f") == share
    assert share_text(row, CHANGE, "+.1%") == change


def test_without_an_oracle_there_is_no_table(tmp_path: Path) -> None:
    comparison = summarise(write(tmp_path / "runs"), "GRU4Rec")
    assert comparison.closed.empty
    assert "share of the gap" not in as_text(comparison)
    write_comparison(comparison, tmp_path / "out")
    assert not (tmp_path / "out" / "closed.csv").exists()


@pytest.mark.parametrize(
    ("oracle", "said"),
    [("Tolt", "not among the models.*Did you mean 'Told'"), ("GRU4Rec", "is the baseline")],
)
def test_a_wrong_oracle_is_one_error(tmp_path: Path, oracle: str, said: str) -> None:
    with pytest.raises(InputError, match=f"oracle: .*{said}") as caught:
        summarise(write(tmp_path), "GRU4Rec", oracle=oracle)
    assert len(caught.value.problems) == 1


def test_an_oracle_that_turns_out_to_be_the_baseline_is_a_note(tmp_path: Path) -> None:
    comparison = summarise(write(tmp_path), oracle="GRU4Rec")
    assert comparison.baseline == comparison.oracle == "GRU4Rec"
    assert comparison.closed.empty
    assert not comparison.cells.empty
    said = "no share of the gap to GRU4Rec: it is the baseline itself; name another model as"
    assert said in as_text(comparison)
    assert "of the gap between" not in as_text(comparison)


def test_balanced_rows_are_no_plain_baseline_and_add_no_epochs_to_its_frontier(
    tmp_path: Path,
) -> None:
    both = {"iid": {"ndcg@10": 0.2}, FLIP: {"ndcg@10": 0.1}}
    given = {"balanced_attribute": {"value": "colour", "layer": "command line"}}
    for name, valid, iid, options in (("plain", 0.2, 0.2, {}), ("other", 0.3, 0.1, given)):
        epoch = {"stage": "train", "epoch": 0, "frontier": True, **both}
        epoch |= {"iid": {"ndcg@10": iid}, FLIP: {"ndcg@10": 0.1 if name == "plain" else 0.4}}
        metrics = {"valid": {"ndcg@10": valid}, **both}
        more: dict[str, Any] = {"options": options, "snapshots": {"train 0": epoch}}
        write_run(tmp_path / name, "GRU4Rec", 0, metrics=metrics, **more)
    comparison = summarise(find_runs(tmp_path))
    assert comparison.models == ["GRU4Rec", "GRU4Rec[balanced_attribute=colour]"]
    assert comparison.baseline == "GRU4Rec"
    margins = comparison.margins.set_index("model")["mean"]
    assert margins["GRU4Rec"] == pytest.approx(0)
