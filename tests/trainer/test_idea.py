from pathlib import Path
from typing import Any

import pytest
import torch

import recbole_invariant as ri
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.measurement import measure_tests
from recbole_invariant.trainer.alternating_stage import AlternatingStage
from recbole_invariant.training import fit
from tests.host import stop_after
from tests.sequences import SMALL, options, prepared, trained, write_sequences

QUICK: dict[str, Any] = {"pretrain_epochs": 2, "epochs": 2, **SMALL["GRU4Rec"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("idea")
    write_sequences(path)
    return path


def alternation(folder: Path, **changes: Any) -> tuple[AlternatingStage, Any]:
    """Return the second stage, begun, of an untrained IDEA, and the examples of a batch."""
    _, data, model, trainer = prepared(folder, "IDEA", **{**QUICK, **changes})
    trainer.eval_collector.data_collect(data.loaders.train)
    stage = trainer.build_stages(data.loaders.train)[1]
    stage.begin()
    model.train()
    return stage, model.encoder.examples(next(iter(data.loaders.train)))


def weights(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("keep_rate_weight", [0.0, 1.0])
def test_exploration_moves_the_extractors_only(folder: Path, keep_rate_weight: float) -> None:
    stage, examples = alternation(folder, keep_rate_weight=keep_rate_weight)
    encoder, extractors = weights(stage.model.encoder), weights(stage.model.simulation.extractors)
    stage.explore(examples)
    assert equal(encoder, weights(stage.model.encoder))
    assert all(p.grad is None for p in stage.model.parameters())
    after = weights(stage.model.simulation.extractors)
    assert not any(torch.equal(value, after[name]) for name, value in extractors.items())


@pytest.mark.parametrize("penalty", ["vrex", "irmv1"])
def test_a_recommender_step_moves_the_backbone_only(folder: Path, penalty: str) -> None:
    stage, examples = alternation(folder, penalty=penalty, penalty_weight=10.0)
    encoder, extractors = weights(stage.model.encoder), weights(stage.model.simulation.extractors)
    stage.recommend(examples)
    assert equal(extractors, weights(stage.model.simulation.extractors))
    after = weights(stage.model.encoder)
    assert not any(torch.equal(value, after[name]) for name, value in encoder.items())


def test_exploration_climbs_the_variance_that_it_maximises(folder: Path) -> None:
    stage, examples = alternation(folder, extractor_learning_rate=0.01, lambda_level="environment")

    def variance() -> float:
        stage.generator.manual_seed(1)
        stage.model.eval()
        found = [float(stage.recommend(examples)["risk_variance"]) for _ in range(30)]
        return sum(found) / len(found)

    stage.optimizer = torch.optim.SGD(stage.model.encoder.parameters(), lr=0.0)
    before = variance()
    for _ in range(100):
        stage.explore(examples)
    assert variance() > 1.5 * before


def test_ungated_environments_have_the_plain_loss_and_no_variance(folder: Path) -> None:
    stage, _ = alternation(folder, environments="none", penalty_weight=1e4)
    batch = next(iter(stage.train_data))
    plain = float(stage.model.calculate_loss(batch))
    said = stage.recommend(stage.model.encoder.examples(batch))
    assert float(said["loss"]) == pytest.approx(plain, rel=2e-6)
    assert float(said["risk_variance"]) == 0.0


def test_every_fifth_step_explores(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, _ = alternation(folder, exploration_interval=5)
    explored: list[int] = []
    monkeypatch.setattr(stage, "explore", lambda _: explored.append(stage.n_steps))
    batch = next(iter(stage.train_data))
    for _ in range(11):
        stage.step(batch)
    assert explored == [0, 5, 10]


def test_gates_leave_places_without_items_alone(folder: Path) -> None:
    stage, examples = alternation(folder, backbone="BERT4Rec", **SMALL["BERT4Rec"])
    embeddings = stage.model.encoder.embed(examples.item_sequence)
    gates = stage.model.simulation(embeddings, examples, stage.generator).gates
    assert gates.shape == (4, *examples.item_sequence.shape)
    assert bool((gates[:, ~examples.is_item] == 1).all())
    assert float(gates[:, examples.is_item].min()) < 0.1


@pytest.mark.parametrize("backbone", ["GRU4Rec", "SASRec"])
def test_the_first_stage_is_the_plain_backbone_bit_for_bit(folder: Path, backbone: str) -> None:
    own = {**SMALL[backbone]}
    own.pop("dropout_prob", None)  # dropout is drawn from the same stream too
    plain, host, _ = trained(folder, backbone, **own, epochs=3)
    own = {**own, "backbone": backbone, "pretrain_epochs": 3, "epochs": 1, "keep": "pretrain"}
    model, trainer, _ = trained(folder, "IDEA", **own)
    assert equal(plain.state_dict(), model.backbone.state_dict())
    assert trainer.kept == "pretrain"
    assert trainer.pretrained.score == host.best_valid_score
    assert trainer.pretrained.epoch == host.best_epoch


@pytest.mark.parametrize("keep", ["pretrain", "best", "last", "better"])
def test_the_model_ends_with_the_weights_that_keep_names(folder: Path, keep: str) -> None:
    model, trainer, data = trained(folder, "IDEA", **{**QUICK, "epochs": 3}, keep=keep)
    ends = {"pretrain": trainer.pretrained, "best": trainer.best, "last": trainer.last}
    if keep == "better":
        wanted = "best" if trainer.best.score > trainer.pretrained.score else "pretrain"
    else:
        wanted = keep
    assert trainer.kept == wanted
    assert equal(ends[wanted].state["weights"], model.state_dict())
    assert trainer.best_valid_score == ends[wanted].score
    found = trainer.diagnostics()
    assert found["kept"] == wanted
    assert found["last"]["epoch"] == 2
    assert found[wanted]["valid"] == trainer.best_valid_result
    assert {snapshot.name for snapshot in trainer.snapshots} == {
        "plain backbone", "alternate best", "alternate last",
    }  # fmt: skip
    assert set(measure_tests(trainer, data).metrics) == {"iid"}


def test_history_tells_risks_penalty_and_keep_rates(folder: Path) -> None:
    _, trainer, _ = trained(folder, "IDEA", **QUICK, n_extractors=2, penalty_weight=7.0)
    line = trainer.history.lines[-1]
    assert line["stage"] == "alternate"
    told = line["losses"]
    assert set(told) == {
        "loss", "mean_risk", "risk_variance", "penalty_ratio", "keep_rate_1", "keep_rate_2",
    }  # fmt: skip
    assert told["loss"] == pytest.approx(told["mean_risk"] + 7.0 * told["risk_variance"], rel=1e-5)
    assert told["penalty_ratio"] == pytest.approx(
        7.0 * told["risk_variance"] / told["mean_risk"], rel=0.05
    )
    assert 0.0 < told["keep_rate_1"] < 1.0


def test_a_strong_penalty_is_warned_of_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    own = {**QUICK, "epochs": 3, "penalty_weight": 1e7}
    trained(folder, "IDEA", **own)
    said = [r.getMessage() for r in caplog.records if "of the mean risk" in r.getMessage()]
    assert len(said) == 1
    assert "penalty_weight" in said[0]


def test_fakes_are_put_into_training_histories_only(folder: Path) -> None:
    own = {**QUICK, "fake_ratio": 0.3, "n_fake_items": 5}
    model, _, data = trained(folder, "IDEA", **own)
    histories = data.parts.fitted.inter_feat["item_id_list"]
    is_fake = histories >= model.n_items
    assert 0.25 < float(is_fake.sum() / (histories > 0).sum()) < 0.35
    assert int(histories.max()) < model.n_items + 5
    assert int(data.parts.fitted.inter_feat["item_id"].max()) < model.n_items
    assert int(data.parts.tests["iid"].inter_feat["item_id_list"].max()) < model.n_items
    assert model.encoder.fake_embedding.weight.grad is not None
    batch = next(iter(data.loaders.valid))[0]
    assert model.full_sort_predict(batch).shape == (len(batch), model.n_items)


def test_without_epochs_of_the_second_stage_there_is_the_plain_backbone(folder: Path) -> None:
    model, trainer, _ = trained(folder, "IDEA", **{**QUICK, "epochs": 0})
    assert [record["name"] for record in trainer.stage_records] == ["pretrain"]
    assert trainer.kept == "pretrain"
    assert trainer.pretrained.epoch is not None
    assert equal(trainer.pretrained.state["weights"], model.state_dict())
    with pytest.raises(InputError, match="pretrain_epochs"):
        trained(folder, "IDEA", epochs=0)


def test_stage_one_takes_the_second_stages_budget_where_it_has_none(folder: Path) -> None:
    own = {**SMALL["GRU4Rec"], "epochs": 3, "stopping_step": 1}
    _, trainer, _ = trained(folder, "IDEA", **own)
    pretrain, alternate = trainer.stages
    assert (pretrain.epochs, pretrain.patience) == (3, 1)
    assert (alternate.epochs, alternate.patience) == (3, 1)


def test_the_same_seed_gives_the_same_bits_and_another_does_not(folder: Path) -> None:
    own = {**QUICK, "keep": "last", "dropout_prob": 0.2}
    model, again, other = (
        trained(folder, "IDEA", **own, seed=seed)[0].state_dict() for seed in (1, 1, 2)
    )
    assert equal(model, again)
    assert not equal(model, other)


@pytest.mark.parametrize("checkpoints", [1, 2, 3])
def test_a_killed_training_goes_on_to_the_same_bits(
    folder: Path, tmp_path: Path, checkpoints: int
) -> None:
    own = {**QUICK, "dropout_prob": 0.2, "checkpoint_minutes": 0, "warm_start": False}
    whole, whole_trainer, _ = trained(folder, "IDEA", **own)

    def begin() -> tuple[Any, Any, Any, Any]:
        config, data, model, trainer = prepared(
            folder, "IDEA", **own, run_dir=str(tmp_path / "run")
        )
        return config, data, model, trainer

    config, data, _, trainer = begin()
    stop_after(trainer, checkpoints)
    with pytest.raises(KeyboardInterrupt):
        fit(config, trainer, data)
    config, data, model, trainer = begin()
    trainer.resume_checkpoint(tmp_path / "run" / "checkpoint" / "last.safetensors")
    fit(config, trainer, data)
    assert equal(whole.state_dict(), model.state_dict())
    assert trainer.diagnostics() == whole_trainer.diagnostics()
    losses = [line["losses"] for line in trainer.history.lines]
    assert losses == [line["losses"] for line in whole_trainer.history.lines]


def test_a_run_says_which_weights_were_kept_and_tests_all_three(
    folder: Path, tmp_path: Path
) -> None:
    result = ri.run("IDEA", "toy", config=options(folder, **QUICK), output_dir=tmp_path)
    record = result.record
    ends = record["snapshots"]
    assert set(ends) == {"plain backbone", "alternate best", "alternate last"}
    kept = {"pretrain": "plain backbone", "best": "alternate best"}[record["diagnostics"]["kept"]]
    assert ends[kept]["iid"] == record["metrics"]["iid"]
    assert record["options"]["hidden_size"]["value"] == 12
    assert "IDEA: plain backbone" in result.table


def test_hosts_own_entry_point_knows_the_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from recbole.quick_start import run_recbole

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["test"])
    values = options(folder, **{**QUICK, "pretrain_epochs": 1, "epochs": 1})
    result = run_recbole(model="IDEA", dataset="toy", config_dict=values)
    assert set(result["test_result"]) >= {"ndcg@5"}
