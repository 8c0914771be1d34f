"""The picture of representations shows what history and record say of them, and nothing else."""

import json
from math import log
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

from recbole_invariant.report.representation_plot import (
    plot_representations,
    representation_figure,
    selected_step,
)

HISTORY: list[dict[str, Any]] = [
    {
        "stage": "disentangle",
        "epoch": epoch,
        "losses": {
            "loss": 3.0 - epoch,
            "prediction": 2.0,
            "independence": 0.1,
            "factor_prediction": -1.0,
        },
        "valid": {
            "ndcg@10": 0.1,
            "xcov": 0.2 - epoch / 10,
            "hsic": 0.3,
            "adjustment_pairwise_loss": 0.5,
            "spurious_pairwise_loss": 0.6,
        },
    }
    for epoch in range(3)
]
del HISTORY[1]["valid"]  # not every epoch is validated
NOTHING = "log 2: nothing, not even popularity"
PROBES: dict[str, dict[str, dict[str, float | None]]] = {
    "colour": {
        "last_item": {"adjustment": 0.6, "spurious": 0.9},
        "target": {"adjustment": 0.7, "spurious": None, "cue": 0.4},
    }
}


def lines(axes: Any) -> dict[str, list[list[float]]]:
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def test_terms_are_drawn_by_epoch_and_the_rest_by_validation() -> None:
    figure: Any = representation_figure(HISTORY, PROBES)
    terms, dependence, predictions, _ = figure.axes
    assert lines(terms) == {
        "loss": [[0, 3], [1, 2], [2, 1]],
        "prediction": [[0, 2], [1, 2], [2, 2]],
        "independence": [[0, 0.1], [1, 0.1], [2, 0.1]],
    }
    assert terms.get_yscale() == "log"
    found = lines(dependence)
    assert found["xcov"] == [[0, 0.2], [2, pytest.approx(0)]]
    assert found["hsic"] == [[0, 0.3], [2, 0.3]]
    found = lines(predictions)
    assert found["t"] == [[0, 0.5], [2, 0.5]]
    assert found["s"] == [[0, 0.6], [2, 0.6]]
    assert {y for _, y in found[NOTHING]} == {log(2)}


def test_bars_are_areas_from_chance_on() -> None:
    figure: Any = representation_figure(HISTORY, PROBES)
    axes = figure.axes[3]
    ends = {
        bars.get_label(): [bar.get_x() + bar.get_width() for bar in bars]
        for bars in axes.containers
    }
    assert ends == {
        "t": [pytest.approx(0.6), pytest.approx(0.7)],
        "s": [pytest.approx(0.9)],
        "last item's value": [pytest.approx(0.4)],
    }
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["last item's colour", "target's colour"]
    low, high = axes.get_xlim()
    assert low < 0.4
    assert high == 1


def test_terms_that_fall_below_zero_are_drawn_too() -> None:
    below = [{**line, "losses": {"loss": -1.0, "prediction": 1.0}} for line in HISTORY]
    figure: Any = representation_figure(below)
    assert figure.axes[0].get_yscale() == "linear"
    assert len(figure.axes) == 3


def test_without_a_spurious_encoder_there_is_t_alone() -> None:
    keys = ("ndcg@10", "adjustment_pairwise_loss")
    alone = [
        {**line, "valid": {key: line["valid"][key] for key in keys}}
        for line in HISTORY
        if "valid" in line
    ]
    figure: Any = representation_figure(alone, {"colour": {"last_item": {"adjustment": 0.6}}})
    _, predictions, probes = figure.axes
    assert set(lines(predictions)) == {"t", NOTHING}
    assert [bars.get_label() for bars in probes.containers] == ["t"]


def test_the_selected_epoch_is_marked_over_epochs_and_named_over_probes() -> None:
    figure: Any = representation_figure(HISTORY, PROBES, 2)
    *over_epochs, probes = figure.axes
    for axes in over_epochs:
        assert [[2, 0], [2, 1]] in [line.get_xydata().tolist() for line in axes.lines]
        assert [text.get_text() for text in axes.texts] == ["selected: 2"]
    assert not probes.texts
    assert "of the selected epoch (2)" in probes.get_title()
    unknown: Any = representation_figure(HISTORY, PROBES)
    assert not any(axes.texts for axes in unknown.axes)
    assert "selected" not in unknown.axes[3].get_title()


def test_an_epoch_is_counted_in_its_stage() -> None:
    stages = [{"stage": name, "epoch": epoch} for name in ("a", "b") for epoch in range(3)]
    assert selected_step(stages, 1) == 4
    assert selected_step(stages, 9) is None
    assert selected_step(stages, None) is None
    assert selected_step([], 0) is None


def test_legends_cover_no_curve() -> None:
    figure: Any = representation_figure(HISTORY, PROBES, 2)
    figure.draw_without_rendering()
    for axes in figure.axes:
        assert axes.get_legend().get_window_extent().y1 < axes.get_window_extent().y0


def test_it_is_written_only_where_representations_were_measured(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    record = {"diagnostics": {"probes": PROBES}}
    plot_representations(tmp_path, record)
    plain = [{**line, "valid": {"ndcg@10": 0.1}} for line in HISTORY]
    file.write_text("".join(json.dumps(line) + "\n" for line in plain))
    plot_representations(tmp_path, record)
    assert not (tmp_path / "plots").exists()
    file.write_text("".join(json.dumps(line) + "\n" for line in HISTORY))
    plot_representations(tmp_path, {})
    plot_representations(tmp_path, record)
    assert imread(tmp_path / "plots" / "representations.png").std() > 0
