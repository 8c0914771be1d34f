"""Fold models know nothing of their fold, and train as separate models would."""

from pathlib import Path
from typing import Any

import pytest
import torch
from recbole.data.interaction import Interaction

from recbole_invariant.data.sampling import UniformNegatives
from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF
from recbole_invariant.stability.reference import FoldTables
from recbole_invariant.trainer.checkpoint import load_checkpoint, save_checkpoint
from recbole_invariant.trainer.optimizer import build_optimizer
from recbole_invariant.trainer.reference_stage import ReferenceStage
from recbole_invariant.trainer.weight_decay import WeightDecay, parameter_groups
from recbole_invariant.trainer.workspace import Workspace
from tests.toy import ToyDataset, ToyLoader, model_options

FOLDS = 3
OPTIONS: dict[str, Any] = {
    "reference_folds": FOLDS,
    "reference_epochs": 2,
    "train_batch_size": 32,
    "embedding_size": 4,
    "content_embedding_size": 4,
    "init_std": 0.3,
    "learning_rate": 0.01,
    "n_negatives": 5,
    "embedding_decay": 0.03,
    "pretrain_item_decay_ratio": 2.0,
    "pretrain_projection_decay": 0.2,
    "neighbour_weight": 1.5,
    "n_neighbours": 3,
}


def stage_on(dataset: ToyDataset, pretrained: int = 1, **changes: Any) -> ReferenceStage:
    """Make a stage after a pretraining of so many epochs."""
    options = model_options("PaInvRL", **OPTIONS | changes)
    model = UltraGCNF(options, dataset)
    workspace = Workspace(torch.ones(6), pretrain_epochs=pretrained)
    return ReferenceStage(model, options, ToyLoader(dataset), workspace, lambda: None)


def trained(stage: ReferenceStage) -> FoldTables:
    stage.begin()
    for _ in range(stage.epochs):
        train_epoch(stage)
    stage.end()
    assert stage.workspace.fold_tables is not None
    return stage.workspace.fold_tables


def train_epoch(stage: ReferenceStage) -> None:
    for batch in stage.batches():
        stage.step(batch)


def rows_of(dataset: ToyDataset, chosen: torch.Tensor) -> ToyDataset:
    """Keep some of the rows only."""
    part = ToyDataset()
    columns = dataset.inter_feat
    part.inter_feat = Interaction({key: columns[key][chosen] for key in ("user_id", "item_id")})
    return part


def test_a_model_does_not_move_with_the_clicks_of_its_fold() -> None:
    before = stage_on(ToyDataset())
    tables = trained(before)
    moved = ToyDataset()
    items, held_out = moved.inter_feat["item_id"], before.folds == 0
    items[held_out] = 1 + (items[held_out] + 6) % 39
    after = stage_on(moved)
    others = trained(after)
    assert torch.equal(after.folds, before.folds)
    for name, table in vars(tables).items():
        other = getattr(others, name)
        assert torch.equal(table[0], other[0]), name
        assert all(not torch.equal(table[k], other[k]) for k in (1, 2)), name


def test_batches_leave_the_fold_out() -> None:
    stage = stage_on(ToyDataset())
    stage.begin()
    seen = torch.cat(list(stage.batches()), dim=1)
    for fold, rows in enumerate(seen):
        assert set(rows.tolist()) == set(torch.nonzero(stage.folds != fold).flatten().tolist())


def test_negatives_do_not_spare_the_clicks_of_the_fold() -> None:
    """RecBole's sampler never draws a training click, which would tell of the held-out ones."""
    stage = stage_on(ToyDataset(), negative_sampler="recbole")
    stage.begin()
    assert isinstance(stage.negatives, UniformNegatives)


def test_equals_separate_models_of_the_rows_without_a_fold() -> None:
    """Loss, graph, decay and steps are those of UltraGCNF on a data set without the fold."""
    dataset = ToyDataset()
    stage = stage_on(dataset)
    stage.begin()
    decay = WeightDecay(0.03, 2.0, 0.2)
    models, optimizers = [], []
    for fold in range(FOLDS):
        model = UltraGCNF(stage.config, rows_of(dataset, stage.folds != fold))
        model.load_state_dict(state_of(stage, fold), strict=False)
        models.append(model)
        optimizers.append(build_optimizer("adam", parameter_groups(model, decay), 0.01))
    for batch in stage.batches():
        # the same draws for both
        drawn = torch.Generator().manual_seed(0)
        drawn.set_state(stage.generator.get_state())
        negatives = UniformNegatives(40, 5, drawn).draw(batch.flatten()).view(FOLDS, -1, 5)
        users, items = stage.pairs.users[batch], stage.pairs.items[batch]
        found = float(stage.step(batch)["loss"])
        losses = []
        for fold, (model, optimizer) in enumerate(zip(models, optimizers, strict=True)):
            optimizer.zero_grad()
            loss = model.pair_losses(users[fold], items[fold], negatives[fold]).sum()
            loss.backward()
            optimizer.step()
            losses.append(float(loss))
        assert found == pytest.approx(sum(losses) / FOLDS, rel=1e-4)
    for fold, model in enumerate(models):
        for name, value in state_of(stage, fold).items():
            torch.testing.assert_close(model.state_dict()[name], value, rtol=1e-3, atol=1e-5)


def state_of(stage: ReferenceStage, fold: int) -> dict[str, torch.Tensor]:
    """One fold's parameters by the names of UltraGCNF."""
    models = stage.models
    return {
        "user_embedding.weight": models.user.detach().view(FOLDS, 30, -1)[fold],
        "user_content_embedding.weight": models.user_content.detach().view(FOLDS, 30, -1)[fold],
        "item_embedding.weight": models.item.detach().view(FOLDS, 40, -1)[fold],
        "item_projection.weight": models.projection.detach()[fold],
        "item_projection.bias": models.bias.detach()[fold],
    }


def test_the_fold_models_are_handed_on_before_the_call() -> None:
    stage = stage_on(ToyDataset())
    handed: list[bool] = []
    states: list[dict[str, torch.Tensor]] = []

    def on_end() -> None:
        handed.append(stage.workspace.fold_tables is not None)
        states.extend(state_of(stage, fold) for fold in range(FOLDS))

    stage.on_end = on_end
    tables = trained(stage)
    assert handed == [True]
    assert not hasattr(stage, "models"), "it would keep what the workspace lets go"
    assert stage.workspace.folds is stage.folds
    for fold in range(FOLDS):
        state = states[fold]
        assert torch.equal(tables.item[fold], state["item_embedding.weight"])
        assert torch.equal(tables.user_content[fold], state["user_content_embedding.weight"])
        assert torch.equal(tables.projection[fold], state["item_projection.weight"])


@pytest.mark.parametrize(
    ("asked", "limit", "pretrained", "epochs"), [(0, 7, 3, 3), (0, 2, 5, 2), (4, 7, 3, 4)]
)
def test_epochs_are_those_of_pretraining_unless_asked_for(
    asked: int, limit: int, pretrained: int, epochs: int
) -> None:
    changes = {"reference_epochs": asked, "pretrain_epochs": limit}
    stage = stage_on(ToyDataset(), pretrained, **changes)
    stage.begin()
    assert stage.epochs == epochs


def test_epochs_that_are_given_stay() -> None:
    stage = stage_on(ToyDataset(), 3, reference_epochs=0, pretrain_epochs=9)
    stage.epochs, stage.epochs_given = 5, True
    stage.begin()
    assert stage.epochs == 5


def test_a_checkpoint_keeps_epochs_and_bits(tmp_path: Path) -> None:
    changes = {"reference_epochs": 0, "pretrain_epochs": 9}
    whole = stage_on(ToyDataset(), 3, **changes)
    expected = trained(whole)
    half = stage_on(ToyDataset(), 3, **changes)
    half.begin()
    train_epoch(half)
    save_checkpoint(tmp_path / "last.safetensors", {"stage": half.state()})

    torch.rand(5)
    resumed = stage_on(ToyDataset(), 1, **changes)
    resumed.begin()
    resumed.load_state(load_checkpoint(tmp_path / "last.safetensors")["stage"])
    assert resumed.epochs == 3
    train_epoch(resumed)
    train_epoch(resumed)
    resumed.end()
    for name, table in vars(expected).items():
        assert torch.equal(table, getattr(resumed.workspace.fold_tables, name)), name
