"""Environments from held-out clicks: every click is labelled, by chance where little is flagged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from recbole.data.interaction import Interaction

from recbole_invariant.environment.labels import random_labels
from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF
from recbole_invariant.seeding import torch_generator
from recbole_invariant.stability.flags import Stability
from recbole_invariant.stability.folds import user_folds
from recbole_invariant.stability.gate import make_reference
from recbole_invariant.stability.reference import FoldTables
from recbole_invariant.trainer import expert_stage
from recbole_invariant.trainer.checkpoint import load_checkpoint, save_checkpoint
from recbole_invariant.trainer.expert_stage import ExpertStage
from recbole_invariant.trainer.workspace import Workspace
from tests.toy import ToyDataset, ToyLoader, model_options

FOLDS, USERS, ITEMS, DIMS = 2, 30, 60, 6


class Styles(ToyDataset):
    """Five dimensions made of one style, which half of the clicks like and half dislike."""

    def __init__(self) -> None:
        super().__init__(USERS, ITEMS, 1200, DIMS)
        drawn = torch.Generator().manual_seed(3)
        style = torch.randn(ITEMS, 1, generator=drawn)
        noise = torch.randn(ITEMS, DIMS, generator=drawn)
        style_share = torch.tensor([1.0] * 5 + [0.0])
        self.features = style * style_share + (1.3 - style_share) * noise
        self.features[0] = 0
        self.truth = torch.randint(2, (1200,), generator=drawn)
        wish = 2.0 * style[1:, 0] * (2.0 * self.truth.unsqueeze(-1) - 1)
        items = 1 + torch.multinomial(wish.softmax(dim=-1), 1, generator=drawn).squeeze(-1)
        users = self.inter_feat["user_id"]
        _, place = np.unique((users * ITEMS + items).numpy(), return_index=True)
        self.truth = self.truth[place]
        self.inter_feat = Interaction({"user_id": users[place], "item_id": items[place]})


def tables() -> FoldTables:
    """Models that expect nothing of anyone."""
    sizes = [(USERS, 4), (USERS, 4), (ITEMS, 4), (4, DIMS), (4,)]
    return FoldTables(*(torch.zeros(FOLDS, *size) for size in sizes))


class Repeated(Styles):
    """All clicks again: a fold's models have seen most of what is held out."""

    def __init__(self) -> None:
        super().__init__()
        columns = self.inter_feat
        self.truth = self.truth.repeat(2)
        twice = {key: columns[key].repeat(2) for key in ("user_id", "item_id")}
        self.inter_feat = Interaction(twice)


def stage_on(dataset: ToyDataset, flagged: int = 5, **changes: Any) -> ExpertStage:
    """Make a stage after a reference that knows nothing and flagged the first dimensions."""
    options = model_options("PaInvRL", **{"n_environments": 2, "seed": 4, **changes})
    model = UltraGCNF(options, dataset)
    users, items = dataset.inter_feat["user_id"], dataset.inter_feat["item_id"]
    folds = user_folds(users, FOLDS, torch.Generator().manual_seed(0))
    rows = (users, items, folds)
    reference = make_reference(tables(), model.item_features, rows, 0, 0)
    flags, zeros = torch.arange(DIMS) < flagged, torch.zeros(DIMS)
    stability = Stability(zeros, zeros, flags, torch.where(flags, 0.2, 1.0))
    workspace = Workspace(torch.ones(DIMS), reference=reference, stability=stability)
    return ExpertStage(model, options, ToyLoader(dataset), workspace)


def trained(stage: ExpertStage) -> torch.Tensor:
    stage.begin()
    for epoch in range(stage.epochs):
        for batch in stage.batches():
            stage.step(batch)
        stage.end_epoch(epoch)
    stage.end()
    assert stage.workspace.labels is not None
    return stage.workspace.labels


def test_environments_that_are_there_are_found() -> None:
    dataset = Styles()
    labels = trained(stage_on(dataset))
    agreed = float((labels == dataset.truth).float().mean())
    assert max(agreed, 1 - agreed) > 0.8
    assert torch.equal(dataset.inter_feat["env_id"], labels)


def test_clicks_that_another_fold_repeats_are_spread_over_the_environments() -> None:
    labels = trained(stage_on(Repeated(), n_environments=3))
    assert len(labels) == len(Repeated().truth)
    assert float(labels.bincount(minlength=3).max()) < 0.7 * len(labels)


def test_the_gain_is_reported_and_positive() -> None:
    stage = stage_on(Styles())
    stage.begin()
    before = stage.end_epoch(0).values["log_likelihood_gain"]
    for batch in stage.batches():
        stage.step(batch)
    after = stage.end_epoch(0).values["log_likelihood_gain"]
    assert after > max(before, 0.1)


def test_the_same_seed_gives_the_same_labels() -> None:
    labels = trained(stage_on(Styles(), n_environments=3))
    assert torch.equal(labels, trained(stage_on(Styles(), n_environments=3)))
    other = trained(stage_on(Styles(), n_environments=3, seed=5))
    assert not torch.equal(labels, other)


def fitted_users(stage: ExpertStage) -> list[int]:
    return [sum(len(block.preference) for block in fold) for fold in stage.clicks]


def test_all_clicks_are_labelled_where_some_users_are_fitted_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset = Styles()
    expected = trained(stage_on(dataset))

    def cells(block_size: int, kept: int) -> tuple[ExpertStage, torch.Tensor]:
        monkeypatch.setattr(expert_stage, "PREFERENCES_KEPT", kept)
        stage = stage_on(dataset)
        assert stage.workspace.reference is not None
        stage.workspace.reference.block_size = block_size
        return stage, trained(stage)

    whole, labels = cells(7, 1 << 23)
    assert torch.equal(labels, expected)
    assert fitted_users(whole) == [USERS] * FOLDS
    part, labels = cells(7, USERS * ITEMS // 2)
    assert all(0 < users < USERS for users in fitted_users(part))
    agreed = float((labels == expected).float().mean())
    assert max(agreed, 1 - agreed) > 0.9


@pytest.mark.parametrize("flagged", [0, 3])
def test_labels_are_random_where_too_little_is_flagged(flagged: int) -> None:
    stage = stage_on(Styles(), flagged, n_environments=3)
    labels = trained(stage)
    assert stage.epochs == 0
    assert stage.state() == {}
    drawn = torch_generator(4, "environments/environments")
    assert torch.equal(labels, random_labels(len(labels), 3, drawn))
    assert len(labels) == len(Styles().truth)


def test_a_stage_without_reference_says_so() -> None:
    stage = stage_on(Styles())
    stage.workspace.reference = None
    with pytest.raises(RuntimeError, match="needs the held-out reference first"):
        stage.begin()


def test_a_checkpoint_at_the_end_gives_the_same_labels(tmp_path: Path) -> None:
    stage = stage_on(Styles())
    expected = trained(stage)
    save_checkpoint(tmp_path / "last.safetensors", {"stage": stage.state()})
    resumed = stage_on(Styles())
    resumed.begin()
    resumed.load_state(load_checkpoint(tmp_path / "last.safetensors")["stage"])
    resumed.end()
    assert resumed.workspace.labels is not None
    assert torch.equal(resumed.workspace.labels, expected)
