"""What benchmarks/stage_cost.py makes of the seconds it measures."""

import pytest

from benchmarks.stage_cost import Bench, StageCost, main, model_defaults, ratio, rows_of
from benchmarks.training_step import SIZES, Size

COSTS = [
    StageCost("pretrain", step=0.5, steps=100, epochs=7, once=3.0),
    StageCost("reference", step=0.2, steps=10, epochs=5, once=1.0),
    StageCost("environments", step=0.01, steps=120, epochs=1, once=2.8),
    StageCost("mask 1", step=1.0, steps=3, epochs=2, once=0.0),
    StageCost("mask 2", step=1.0, steps=3, epochs=1, once=0.0),
    StageCost("final", step=0.1, steps=20, epochs=5, once=2.0),
]


def test_the_ratio_is_of_all_that_is_not_the_backbone() -> None:
    # 11 + 4 + 6 + 3 over 12; pretraining's 353 are not in it
    assert ratio(COSTS) == pytest.approx(24 / 12)


def test_a_line_of_the_table() -> None:
    assert rows_of(COSTS)[1] == ["reference", "200.0", 10, 5, "1.0", "11", "0.92"]
    assert [row[-1] for row in rows_of(COSTS)][-1] == "1.00"


def test_stages_have_the_steps_and_epochs_of_a_run() -> None:
    bench = Bench(Size(40, 60, 1100, 40), epochs=7, steps=1, train_batch_size=100, n_negatives=2)
    costs = {cost.name: cost for cost in bench.costs()}
    assert list(costs) == ["pretrain", "reference", "environments", "mask 1", "final"]
    assert [costs[name].epochs for name in ("pretrain", "reference", "final")] == [7, 7, 7]
    assert costs["mask 1"].epochs == model_defaults()["mask_epochs"]
    assert costs["final"].steps == costs["pretrain"].steps == 11
    assert costs["reference"].steps == 6  # each model has half of the rows
    labels = bench.trainer.workspace.labels
    assert labels is not None
    assert costs["mask 1"].steps == -(-int(labels.bincount().max()) // 100)
    assert all(cost.step > 0 for cost in costs.values())


def test_the_command_prints_the_ratio_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Bench, "costs", lambda self: COSTS)
    monkeypatch.setitem(SIZES, "small", Size(40, 60, 500, 16))
    main(["--size", "small", "--epochs", "5"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "(reference + environments + mask) / final: 2.00"
    assert "5 epochs of pretraining" in lines[-2]
