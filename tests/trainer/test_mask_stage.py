"""One step of the mask stage: whose gradient moves what, and where the projection starts."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF
from recbole_invariant.trainer.checkpoint import load_checkpoint, save_checkpoint
from recbole_invariant.trainer.mask_stage import MaskStage
from recbole_invariant.trainer.workspace import Workspace
from tests.toy import ToyDataset, ToyLoader, model_options

OPTIONS: dict[str, Any] = {
    "train_batch_size": 32,
    "embedding_size": 4,
    "content_embedding_size": 4,
    "init_std": 0.3,
    "n_negatives": 5,
    "n_environments": 3,
    "pareto": "adaptive",
    "erm_weight": 1.0,
    "irm_weight": 1.0,
    "mask_init": 0.5,
    "mask_noise": 0.01,
    "mask_optimizer": "adam",
    "mask_regularisation": 0.0,
    "projection_start": "pretrained",
    "projection_objective": "erm",
    "attention": True,
}


def stage_on(**changes: Any) -> MaskStage:
    """Make a stage after a pretraining that drew its tables, with random environments."""
    dataset = ToyDataset()
    options = model_options("PaInvRL", **OPTIONS | changes)
    torch.manual_seed(0)
    model = UltraGCNF(options, dataset)
    labels = torch.randint(3, (300,), generator=torch.Generator().manual_seed(1))
    workspace = Workspace(torch.ones(6), labels=labels)
    workspace.keep_tables(model)
    stage = MaskStage("mask 1", model, options, ToyLoader(dataset), workspace, 0)
    stage.begin()
    return stage


def gradients(stage: MaskStage, batch: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Gradients of L_ERM and L_IRM by the stage's next draws, which stay its next draws."""
    state = stage.generator.get_state()
    users, items = stage.pairs.users[batch], stage.pairs.items[batch]
    negatives = stage.negatives.draw(users.reshape(-1))
    out = stage.mask_model(users, items, negatives, stage.generator, True)
    stage.generator.set_state(state)
    parameters = [stage.mask, *stage.others]
    found = []
    for objective in stage._objectives(out, True):
        parts = torch.autograd.grad(objective, parameters, retain_graph=True, allow_unused=True)
        pairs = zip(parts, parameters, strict=True)
        found.append([torch.zeros_like(p) if g is None else g for g, p in pairs])
    return found[0], found[1]


def gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def batch_of(stage: MaskStage) -> Tensor:
    return next(iter(stage.batches()))


def test_the_projection_follows_the_empirical_risk_alone() -> None:
    stage = stage_on()
    batch = batch_of(stage)
    erm, irm = gradients(stage, batch)
    assert float(irm[1].norm()) > 0, "or the two objectives could not be told apart"
    stage.step(batch)
    for parameter, expected in zip(stage.others, erm[1:], strict=True):
        assert torch.equal(gradient(parameter), expected)
    assert not torch.equal(gradient(stage.mask), erm[0])


def test_the_projection_follows_both_as_the_mask_does() -> None:
    stage = stage_on(projection_objective="both", pareto_norm="none", pareto="fixed")
    batch = batch_of(stage)
    erm, irm = gradients(stage, batch)
    stage.step(batch)
    for parameter, one, other in zip([stage.mask, *stage.others], erm, irm, strict=True):
        torch.testing.assert_close(gradient(parameter), one + other)


def test_both_gradients_have_the_length_of_the_first_steps_empirical_one() -> None:
    stage = stage_on(pareto_norm="first", mask_learning_rate=0.1)
    batches = [batch_of(stage) for _ in range(3)]
    length = float(gradients(stage, batches[0])[0][0].norm())
    lengths = []
    for batch in batches:
        erm, irm = (of_all[0] for of_all in gradients(stage, batch))
        lengths.append(float(erm.norm()))
        stage.step(batch)
        # unit vectors weigh the same at the shortest point between them
        expected = length / 2 * (erm / erm.norm() + irm / irm.norm())
        torch.testing.assert_close(gradient(stage.mask), expected, rtol=1e-4, atol=1e-6)
        assert float(gradient(stage.mask).norm()) <= length * (1 + 1e-5)
    assert lengths[0] == pytest.approx(length)
    assert lengths[1] != pytest.approx(length, rel=1e-3)


def test_the_pull_of_the_centre_is_added_to_it() -> None:
    plain, pulled = stage_on(), stage_on(mask_regularisation=3.0, mask_regularisation_centre=0.2)
    plain.step(batch_of(plain))
    pulled.step(batch_of(pulled))
    more = gradient(pulled.mask) - gradient(plain.mask)
    torch.testing.assert_close(more, torch.full((6,), 3.0 * 0.3))


def test_where_the_projection_starts() -> None:
    pretrained = stage_on()
    expected = pretrained.workspace.pretrained_projection
    assert expected is not None
    assert torch.equal(pretrained.mask_model.projection, expected)
    drawn = stage_on(projection_start="drawn").mask_model.projection
    assert not torch.equal(drawn, expected)
    assert torch.equal(drawn, stage_on(projection_start="drawn").mask_model.projection)


def test_a_pretrained_start_is_not_moved_for_later_stages() -> None:
    stage = stage_on()
    assert stage.workspace.pretrained_projection is not None
    before = stage.workspace.pretrained_projection.clone()
    stage.step(batch_of(stage))
    stage.end()
    assert torch.equal(stage.workspace.pretrained_projection, before)
    assert stage.workspace.projection is not None
    assert not torch.equal(stage.workspace.projection, before)


def test_the_first_length_outlives_a_checkpoint(tmp_path: Path) -> None:
    whole = stage_on(pareto_norm="first")
    batches = list(whole.batches())
    for batch in batches[:2]:
        whole.step(batch)
    save_checkpoint(tmp_path / "last.safetensors", {"stage": whole.state()})
    whole.step(batches[2])
    resumed = stage_on(pareto_norm="first")
    resumed.load_state(load_checkpoint(tmp_path / "last.safetensors")["stage"])
    resumed.step(batches[2])
    assert torch.equal(resumed.mask, whole.mask)
