import json
from pathlib import Path
from typing import Any

from matplotlib.image import imread

from recbole_invariant.report import plots

HISTORY = [
    {"stage": "pretrain", "epoch": 0, "losses": {"loss": 3.0}, "valid": {"ndcg@10": 0.1}},
    {"stage": "pretrain", "epoch": 1, "losses": {"loss": 2.0}},
    {"stage": "identify", "epoch": 0, "losses": {}, "environment_sizes": [3, 7]},
    {"stage": "final", "epoch": 0, "losses": {"loss": 1.0}, "valid": {"ndcg@10": 0.2}},
]
METRICS = {
    "BPR": {"valid": {"recall@10": 0.9}, "iid": {"recall@10": 0.2}, "ood_x": {"recall@10": 0.1}},
    "Pop": {"iid": {"recall@10": 0.05}},
}


def test_curves_hold_each_stages_points_at_its_place_in_the_run() -> None:
    figure: Any = plots.training_curves(HISTORY, "ndcg@10")
    above, below = figure.axes
    points = [line.get_xydata().tolist() for line in above.lines]
    assert points == [[[0, 3], [1, 2]], [[3, 1]]]
    assert [line.get_xydata().tolist() for line in below.lines] == [[[0, 0.1]], [[3, 0.2]]]
    assert [text.get_text() for text in above.get_legend().get_texts()] == ["pretrain", "final"]


def test_bars_are_the_metrics_of_tests_only() -> None:
    figure: Any = plots.iid_against_ood(METRICS, "recall@10")
    (axes,) = figure.axes
    heights = [[bar.get_height() for bar in group] for group in axes.containers]
    assert heights == [[0.2, 0.05], [0.1, 0.0]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["iid", "ood_x"]


def test_masks_are_counted_by_modality() -> None:
    figure: Any = plots.masks([0.0, 0.0, 1.0, 0.5], {"text": slice(0, 3), "image": slice(3, 4)})
    counts = [sum(bar.get_height() for bar in axes.patches) for axes in figure.axes]
    assert counts == [3, 1]
    assert "text: mean 0.33" in figure.axes[0].get_title()


def test_environments_need_sizes() -> None:
    assert plots.environments(HISTORY[:2]) is None
    assert plots.environments(HISTORY) is not None


def test_a_runs_pictures_are_readable_files(tmp_path: Path) -> None:
    lines = "".join(json.dumps(line) + "\n" for line in HISTORY)
    (tmp_path / "history.jsonl").write_text(lines + '{"stage": "fin')
    plots.plot_run(tmp_path, METRICS, ("ndcg@10", "recall@10"), [0.1, 0.9], {"text": slice(0, 2)})
    names = ["environments.png", "iid_ood.png", "masks.png", "training.png"]
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == names
    for name in names:
        picture = imread(tmp_path / "plots" / name)
        assert picture.shape[0] > 100
        assert picture.std() > 0


def test_a_run_without_history_or_mask_has_one_picture(tmp_path: Path) -> None:
    plots.plot_run(tmp_path, METRICS, ("ndcg@10", "recall@10"), None, {})
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["iid_ood.png"]
