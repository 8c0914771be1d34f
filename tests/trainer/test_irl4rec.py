from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from recbole.data.dataloader import FullSortEvalDataLoader

import recbole_invariant as ri
from recbole_invariant.evaluation.loader import UserRankingLoader
from recbole_invariant.evaluation.measurement import measure_tests
from recbole_invariant.evaluation.reopen import evaluate_run
from recbole_invariant.report.plots import read_history
from recbole_invariant.training import fit
from tests.host import stop_after
from tests.sequences import SMALL, WITH_ITEMS, options, prepared, trained, write_sequences

QUICK: dict[str, Any] = {"encoder": "GRU4Rec", **SMALL["GRU4Rec"]}
KIND: dict[str, Any] = {"s_input": "attribute", "attribute": "kind", **WITH_ITEMS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("irl4rec")
    write_sequences(path)
    return path


def begun(folder: Path, **changes: Any) -> Any:
    """Return the stage, begun, of an untrained Irl4Rec."""
    _, data, model, trainer = prepared(folder, "Irl4Rec", **{**QUICK, **changes})
    trainer.eval_collector.data_collect(data.loaders.train)
    stage = trainer.build_stages(data.loaders.train)[0]
    stage.begin()
    model.train()
    return stage


def weights(module: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_club_fits_its_estimate_and_nothing_else(folder: Path) -> None:
    stage = begun(folder, independence="club", club_steps=3)
    batch = next(iter(stage.train_data))
    _, (t, s) = stage.model.terms(stage.model.encoder.examples(batch))
    before, estimate = weights(stage.model), weights(stage.model.dependence)
    first = float(stage.club.negative_log_likelihood(t, s))
    for _ in range(20):
        stage.fit_estimate(t, s)
    assert float(stage.club.negative_log_likelihood(t, s)) < first
    moved = {name for name, value in weights(stage.model).items() if not value.equal(before[name])}
    assert moved
    assert all(name.startswith("dependence.") for name in moved)
    assert not equal(estimate, weights(stage.model.dependence))


def test_a_step_leaves_the_estimate_to_its_own_optimiser(folder: Path) -> None:
    stage = begun(folder, independence="club", club_learning_rate=1e-12)
    estimate, encoder = weights(stage.club), weights(stage.model.encoder)
    stage.step(next(iter(stage.train_data)))
    after = weights(stage.club)
    assert all(torch.allclose(after[name], value, atol=1e-9) for name, value in estimate.items())
    assert not equal(encoder, weights(stage.model.encoder))


@pytest.mark.parametrize("independence", ["xcov", "hsic", "orth", "club"])
def test_the_measure_that_is_minimised_falls(folder: Path, independence: str) -> None:
    ends = {}
    for weight in (1e-6, 30.0):
        stage = begun(
            folder,
            independence=independence,
            independence_weight=weight,
            posterior="point",
            joint_weight=1.0,
            club_steps=5,
            train_batch_size=256,
        )
        for _ in range(30):
            said = [stage.step(batch)["independence"] for batch in stage.train_data]
        ends[weight] = float(torch.stack(said).mean())
    assert ends[30.0] < 0.6 * ends[1e-6]


def test_maximize_ties_the_two_together(folder: Path) -> None:
    ends = {}
    for independence in ("xcov", "maximize"):
        stage = begun(folder, independence=independence, independence_weight=10.0)
        for _ in range(6):
            said = [stage.step(batch)["independence"] for batch in stage.train_data]
        ends[independence] = float(torch.stack(said).mean())
    assert ends["maximize"] > 3 * ends["xcov"]


def test_history_tells_every_term(folder: Path) -> None:
    _, trainer, _ = trained(folder, "Irl4Rec", **QUICK, independence_weight=2.0)
    line = trainer.history.lines[-1]
    told = line["losses"]
    assert line["stage"] == "disentangle"
    assert set(told) == {"loss", "prediction", "joint", "compression", "independence"}
    wanted = told["prediction"] + 0.1 * told["joint"] + 1e-3 * told["compression"]
    assert told["loss"] == pytest.approx(wanted + 2.0 * told["independence"], rel=1e-5)


@pytest.mark.parametrize("weighing", ["uncertainty", "min_norm"])
def test_adaptive_factors_are_told(folder: Path, weighing: str) -> None:
    own = {**QUICK, "learning_rate": 0.05}
    _, trainer, _ = trained(folder, "Irl4Rec", **own, adaptive_weights=weighing)
    first, last = (trainer.history.lines[k]["losses"] for k in (0, -1))
    names = ("prediction", "joint", "compression", "independence")
    factors = [last[f"factor_{name}"] for name in names]
    if weighing == "min_norm":
        assert sum(factors) == pytest.approx(1.0, abs=1e-5)
    assert [first[f"factor_{name}"] for name in names] != factors
    assert min(factors) >= 0.0


def test_min_norm_that_trains_nothing_is_warned_of_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trained(folder, "Irl4Rec", **{**QUICK, "epochs": 3}, adaptive_weights="min_norm")
    said = [r.getMessage() for r in caplog.records if "hardly learns" in r.getMessage()]
    assert len(said) == 1
    assert "compression_weight" in said[0]


@pytest.mark.parametrize("independence", ["xcov", "hsic", "club", "orth"])
def test_mixed_precision_trains_every_measure(folder: Path, independence: str) -> None:
    stage = begun(folder, independence=independence, enable_amp=True, posterior="point")
    said = [stage.step(batch) for batch in stage.train_data]
    assert all(one["independence"].dtype is torch.float32 for one in said)
    assert all(bool(value.isfinite()) for one in said for value in one.values())


def test_dropout_views_of_a_sequence_agree_more_and_more(folder: Path) -> None:
    own = {**QUICK, "dropout_prob": 0.3, "epochs": 6, "s_input": "none"}
    _, trainer, _ = trained(folder, "Irl4Rec", **own, contrastive="dropout", contrastive_weight=1.0)
    told = [line["losses"]["contrastive"] for line in trainer.history.lines]
    assert told[-1] < 0.7 * told[0]


def test_the_same_seed_gives_the_same_bits_and_another_does_not(folder: Path) -> None:
    own = {**QUICK, "dropout_prob": 0.2}
    model, again, other = (
        trained(folder, "Irl4Rec", **own, seed=seed)[0].state_dict() for seed in (1, 1, 2)
    )
    assert equal(model, again)
    assert not equal(model, other)


@pytest.mark.parametrize(
    "own",
    [
        {"independence": "club", "adaptive_weights": "uncertainty", **KIND},
        {"independence": "hsic", "adaptive_weights": "min_norm"},
        {"encoder": "BERT4Rec", **SMALL["BERT4Rec"], "hidden_dropout_prob": 0.2},
    ],
)
def test_a_killed_training_goes_on_to_the_same_bits(
    folder: Path, tmp_path: Path, own: dict[str, Any]
) -> None:
    own = {**QUICK, "epochs": 3, "dropout_prob": 0.2, "checkpoint_minutes": 0, **own}
    if own["encoder"] == "BERT4Rec":
        own = {key: value for key, value in own.items() if key not in SMALL["GRU4Rec"]}
    whole, whole_trainer, _ = trained(folder, "Irl4Rec", **own)

    def begin() -> tuple[Any, Any, Any, Any]:
        return prepared(folder, "Irl4Rec", **own, run_dir=str(tmp_path / "run"))

    config, data, _, trainer = begin()
    stop_after(trainer, 1)
    with pytest.raises(KeyboardInterrupt):
        fit(config, trainer, data)
    config, data, model, trainer = begin()
    trainer.resume_checkpoint(tmp_path / "run" / "checkpoint" / "last.safetensors")
    fit(config, trainer, data)
    assert equal(whole.state_dict(), model.state_dict())
    losses = [line["losses"] for line in trainer.history.lines]
    assert losses == [line["losses"] for line in whole_trainer.history.lines]
    assert set(measure_tests(trainer, data).metrics) == {"iid"}


def test_a_run_is_stored_and_measured_again_from_its_folder(folder: Path, tmp_path: Path) -> None:
    values = options(folder, **QUICK, **KIND)
    result = ri.run("Irl4Rec", "toy", config=values, output_dir=tmp_path)
    assert result.record["diagnostics"]["encoder"] == "GRU4Rec"
    assert result.record["options"]["hidden_size"]["value"] == 12
    assert result.record["not_stored"] == []
    assert result.run_dir is not None
    again = evaluate_run(result.run_dir)
    assert again.metrics["iid"] == result.metrics["iid"]
    line = next(line for line in read_history(result.run_dir / "history.jsonl"))
    assert {"xcov", "hsic", "spurious_pairwise_loss", "ndcg@5"} <= set(line["valid"])


def test_what_has_no_effect_stands_in_the_log_and_below_the_table(
    folder: Path, tmp_path: Path
) -> None:
    own = {**QUICK, "joint_weight": 0.0, "independence_weight": 0.0, "hsic_rows": 64}
    result = ri.run("Irl4Rec", "toy", config=options(folder, **own), output_dir=tmp_path)
    idle, dead = result.record["notes"]
    assert idle.startswith("config=: option 'hsic_rows' has an effect with independence: hsic only")
    assert dead.startswith("the spurious encoder says nothing of a history")
    assert result.run_dir is not None
    log = (result.run_dir / "log.txt").read_text()
    assert all(log.count(f"WARNING {note}") == 1 for note in (idle, dead))
    assert log.index(idle) < log.index("Irl4Rec(") < log.index(dead)
    assert {idle, dead} <= set(result.table.splitlines())
    again = evaluate_run(result.run_dir, {"topk": [3]})
    assert again.record["notes"] == [idle, dead]
    assert {idle, dead} <= set(again.table.splitlines())


def test_diagnostics_are_those_of_the_selected_weights(tmp_path: Path) -> None:
    write_sequences(tmp_path, n_users=200)  # a probe wants 20 rows of a value
    _, trainer, _ = trained(tmp_path, "Irl4Rec", **{**QUICK, "epochs": 4}, **KIND)
    told = trainer.diagnostics()
    selected = trainer.history.lines[trainer.best_epoch]["valid"]
    assert {name: selected[name] for name in told["representations"]} == told["representations"]
    assert set(told["probes"]) == {"kind", "tags"}
    # s reads the attribute alone, and the last item's is in it
    assert told["probes"]["kind"]["last_item"]["spurious"] > 0.9


def test_an_idle_spurious_encoder_is_warned_of(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = {**QUICK, "joint_weight": 0.0, "independence_weight": 0.0}
    _, trainer, _ = trained(folder, "Irl4Rec", **own)
    assert trainer.diagnostics()["spurious_alive"] is False
    said = [r.getMessage() for r in caplog.records if "spurious encoder" in r.getMessage()]
    assert len(said) == 1
    assert "joint_weight (now 0.0)" in said[0]
    assert trainer.notes() == said


def test_a_test_that_selects_is_not_looked_at(folder: Path) -> None:
    own = {**QUICK, "ood": "random", "selection": "oracle", "eval_args": {"mode": "full"}}
    _, trainer, _ = trained(folder, "Irl4Rec", **own)
    assert trainer.diagnostics() == {"encoder": "GRU4Rec"}
    assert "xcov" not in trainer.history.lines[0].get("valid", {})


def test_without_validation_rows_there_are_no_diagnostics(folder: Path) -> None:
    config, data, _, trainer = prepared(folder, "Irl4Rec", **QUICK)
    dataset = data.loaders.valid._dataset
    nothing = dataset.copy(dataset.inter_feat[:0])
    none = np.empty(0, np.int64)
    for empty in (
        FullSortEvalDataLoader(config, nothing, None),
        UserRankingLoader(config, nothing, nothing.inter_feat, (none, none), (none, none)),
    ):
        trainer.fit(data.loaders.train, empty)
        assert trainer.diagnostics() == {"encoder": "GRU4Rec"}
        assert len(trainer.history.lines) == 2


def test_hosts_own_entry_point_trains_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from recbole.quick_start import run_recbole

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["test"])
    values = options(folder, **{**QUICK, "epochs": 1})
    result = run_recbole(model="Irl4Rec", dataset="toy", config_dict=values)
    assert set(result["test_result"]) >= {"ndcg@5"}
