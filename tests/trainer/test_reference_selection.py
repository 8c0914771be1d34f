"""The fold models that count are those to which their held-out clicks are most likely."""

from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from recbole_invariant.stability.reference import TEMPERATURES, FoldTables
from recbole_invariant.trainer.checkpoint import load_checkpoint, save_checkpoint
from recbole_invariant.trainer.reference_selection import PATIENCE, LikelihoodSelection
from recbole_invariant.trainer.reference_stage import ReferenceStage
from tests.toy import ToyDataset
from tests.trainer.test_reference_stage import FOLDS, stage_on, train_epoch

EPOCHS = 40
LIKELIHOOD: dict[str, Any] = {
    "reference_epochs": EPOCHS,
    "reference_selection": "likelihood",
    "reference_items": 0,
}


def stage_that_overfits() -> ReferenceStage:
    stage = stage_on(ToyDataset(), learning_rate=0.1, embedding_decay=0.0, **LIKELIHOOD)
    stage.begin()
    return stage


def tables_of(stage: ReferenceStage) -> FoldTables:
    """Copy the fold models as they are."""
    models = stage.models
    shape = (FOLDS, -1, models.item.shape[-1])
    tables = (models.user.view(shape), models.user_content.view(shape), models.item.view(shape))
    copies = [table.detach().clone() for table in (*tables, models.projection, models.bias)]
    return FoldTables(*copies)


def dense_likelihood(stage: ReferenceStage, tables: FoldTables) -> float:
    """The mean log-likelihood of held-out clicks at the best temperature, by whole matrices."""
    user, content, item, projection, bias = (table.double().numpy() for table in astuple(tables))
    features = stage.model.item_features.double().numpy()
    users, items = stage.pairs.users.numpy(), stage.pairs.items.numpy()
    folds = stage.folds.numpy()
    likelihoods = []
    for temperature in TEMPERATURES:
        found: list[float] = []
        for k in range(FOLDS):
            projected = features @ projection[k].T + bias[k]
            scores = temperature * (user[k] @ item[k].T + content[k] @ projected.T)
            scores[:, 0] = -np.inf
            scores[users[folds != k], items[folds != k]] = -np.inf
            preference = log_softmax(scores, axis=1)[users[folds == k], items[folds == k]]
            found += preference[np.isfinite(preference)].tolist()
        likelihoods.append(float(np.mean(found)))
    return max(likelihoods)


def test_the_best_epoch_is_the_most_likely_one_and_its_models_are_handed_on() -> None:
    stage = stage_that_overfits()
    expected, tables, told = [], [], []
    for epoch in range(EPOCHS):
        train_epoch(stage)
        tables.append(tables_of(stage))
        expected.append(dense_likelihood(stage, tables[-1]))
        end = stage.end_epoch(epoch)
        told.append(end.values["held_out_log_likelihood"])
        if end.finished:
            break
    best = int(np.argmax(expected))
    assert 0 < best < len(expected) - 1, "it neither learns nor overfits: nothing is selected"
    assert len(expected) == best + 1 + PATIENCE
    assert told == pytest.approx(expected, abs=1e-4)
    stage.end()
    handed = stage.workspace.fold_tables
    assert handed is not None
    for one, other in zip(astuple(handed), astuple(tables[best]), strict=True):
        assert torch.equal(one, other)


def test_an_early_best_survives_a_checkpoint(tmp_path: Path) -> None:
    stage = stage_that_overfits()
    for epoch in range(4):
        train_epoch(stage)
        stage.end_epoch(epoch)
    save_checkpoint(tmp_path / "last.safetensors", {"stage": stage.state()})
    resumed = stage_that_overfits()
    resumed.load_state(load_checkpoint(tmp_path / "last.safetensors")["stage"])
    for one in (stage, resumed):
        train_epoch(one)
        one.end_epoch(4)
        one.end()
    first, second = (one.workspace.fold_tables for one in (stage, resumed))
    assert first is not None
    assert second is not None
    for one_table, other_table in zip(astuple(first), astuple(second), strict=True):
        assert torch.equal(one_table, other_table)


def test_equal_epochs_are_no_improvement() -> None:
    selection, model = LikelihoodSelection(), torch.nn.Linear(1, 1)
    assert [selection.offer(epoch, -2.0, model) for epoch in range(PATIENCE + 1)] == [
        *[False] * PATIENCE,
        True,
    ]
    assert selection.epoch == 0


def test_nothing_is_selected_where_pretraining_decides() -> None:
    stage = stage_on(ToyDataset(), pretrained=2, reference_epochs=0)
    stage.begin()
    train_epoch(stage)
    end = stage.end_epoch(0)
    assert (end.values, end.finished, stage.state()["selection"]) == ({}, False, None)
