"""The picture of a run's frontier shows each epoch, stage by stage, and what was selected."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

from recbole_invariant.evaluation.snapshot_records import (
    frontier_paths,
    named_snapshots,
    snapshot_metrics,
)
from recbole_invariant.report.frontier_plot import frontier_figure, plot_frontier

METRIC = "ndcg@10"


def entry(stage: str, epoch: int, iid: float, ood: float, frontier: bool = True) -> dict[str, Any]:
    metrics = {"iid": {METRIC: iid}, "ood_x": {METRIC: ood}, "ood_y": {METRIC: ood}}
    return {"stage": stage, "epoch": epoch, "frontier": frontier, **metrics}


RECORD: dict[str, Any] = {
    "metrics": {
        "valid": {METRIC: 0.9},
        **{name: {METRIC: v} for name, v in (("iid", 0.3), ("ood_x", 0.1), ("ood_y", 0.1))},
    },
    "snapshots": {
        "pretrain 0": entry("pretrain", 0, 0.1, 0.2),
        "pretrain 1": entry("pretrain", 1, 0.3, 0.1),
        "plain backbone": {**entry("pretrain", 1, 0.3, 0.1, False), "valid": {METRIC: 0.9}},
        "alternate 0": entry("alternate", 0, 0.2, 0.05),
    },
}


def test_paths_are_the_validated_epochs_by_stage() -> None:
    paths = frontier_paths(RECORD, "ood_x", METRIC)
    assert paths == {"pretrain": [(0.1, 0.2), (0.3, 0.1)], "alternate": [(0.2, 0.05)]}
    assert frontier_paths(RECORD, "ood_z", METRIC) == {}
    assert frontier_paths({"metrics": {}}, "ood_x", METRIC) == {}


def test_named_snapshots_have_their_metrics_by_test() -> None:
    assert list(named_snapshots(RECORD)) == ["plain backbone"]
    metrics = snapshot_metrics(RECORD["snapshots"]["plain backbone"])
    assert list(metrics) == ["iid", "ood_x", "ood_y", "valid"]
    assert named_snapshots({}) == {}


def test_a_panel_has_the_front_the_paths_what_is_named_and_what_is_selected() -> None:
    figure: Any = frontier_figure(RECORD, METRIC)
    assert len(figure.axes) == 2
    drawn = {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}
    assert drawn == {
        "front of all epochs": [[0.1, 0.2], [0.3, 0.1]],
        "pretrain": [[0.1, 0.2], [0.3, 0.1]],
        "alternate": [[0.2, 0.05]],
        "plain backbone": [[0.3, 0.1]],
        "selected": [[0.3, 0.1]],
    }
    assert figure.axes[1].get_ylabel() == "ood_y ndcg@10"


def test_the_numbers_of_a_small_range_do_not_overlap() -> None:
    near = {f"pretrain {k}": entry("pretrain", k, 0.0412 + k * 1e-5, 0.1) for k in range(9)}
    figure: Any = frontier_figure({**RECORD, "snapshots": near, "metrics": {"ood_x": {}}}, METRIC)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    drawn = [
        label.get_window_extent()
        for place, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        if low <= place <= high
    ]
    assert len(drawn) > 1
    assert all(one.x1 < other.x0 for one, other in pairwise(drawn))


def test_it_is_written_only_where_a_frontier_was_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    named = {name: made for name, made in RECORD["snapshots"].items() if not made["frontier"]}
    plot_frontier(tmp_path, {**RECORD, "snapshots": named}, METRIC)
    assert not (tmp_path / "plots").exists()
    plot_frontier(tmp_path, RECORD, METRIC)
    assert imread(tmp_path / "plots" / "frontier.png").std() > 0
    (line,) = caplog.messages
    assert str(tmp_path / "plots" / "frontier.png") in line
