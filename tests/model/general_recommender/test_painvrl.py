"""PaInvRL: its stages, and equality with UltraGCNF and InvRL where options say so."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from recbole_invariant.trainer.painvrl import PaInvRLTrainer
from tests.contracts import N_DIMS, ModelContract

SHORT: dict[str, Any] = {
    "pretrain_epochs": 2,
    "outer_iterations": 2,
    "n_environments": 3,
    "him_epochs": 1,
    "him_rounds": 2,
    "mask_epochs": 2,
}
GATED: dict[str, Any] = {
    **SHORT,
    "stability_gate": True,
    "gate_level": 0.999,  # flags enough dimensions for environments
    "gate_share": 0.0,
    "mask_tolerance": None,
    "reference_folds": 2,
    "reference_epochs": 2,
    "identification": "experts",
    "outer_iterations": 1,
}
SAME_DECAY: dict[str, Any] = {
    "item_decay_ratio": 3.0,
    "projection_decay": 0.02,
    "pretrain_item_decay_ratio": 3.0,
    "pretrain_projection_decay": 0.02,
    "embedding_decay": 0.01,
}


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    state = other.state_dict()
    return all(torch.equal(value, state[name]) for name, value in one.state_dict().items())


class TestPaInvRL(ModelContract):
    """The contract, and what the stages leave behind."""

    name = "PaInvRL"
    options = GATED

    def test_stages_run_in_order(self, after: Any) -> None:
        names = [record["name"] for record in after[1].stage_records]
        assert names == ["pretrain", "reference", "environments", "mask 1", "final"]

    def test_the_mask_was_learned_and_is_gated(self, after: Any) -> None:
        model, trainer, _ = after
        mask, gate = trainer.workspace.mask, trainer.workspace.stability.gate
        assert mask.shape == (N_DIMS,)
        assert float(mask.std()) > 0
        assert bool(((mask >= 0) & (mask <= 1)).all())
        assert float(gate.min()) < 1
        assert torch.equal(model.invariant_mask, mask * gate)

    @pytest.mark.parametrize(
        ("checkpoints", "stage"), [(4, "reference"), (5, "environments"), (6, "mask 1")]
    )
    def test_a_training_killed_between_the_rankings_goes_on_to_the_same_bits(
        self, after: Any, folder: Path, tmp_path: Path, checkpoints: int, stage: str
    ) -> None:
        assert after[1].history.lines[checkpoints - 1]["stage"] == stage
        model, trainer = self.interrupted(folder, tmp_path, checkpoints)
        assert same_weights(after[0], model)
        assert torch.equal(trainer.workspace.labels, after[1].workspace.labels)
        assert torch.equal(trainer.workspace.mask, after[1].workspace.mask)
        assert trainer.diagnostics() == after[1].diagnostics()
        losses = [line["losses"] for line in trainer.history.lines]
        assert losses == [line["losses"] for line in after[1].history.lines]

    def test_labels_are_a_column_of_the_interactions(self, after: Any) -> None:
        _, trainer, data = after
        column = data.parts.train.inter_feat["env_id"]
        assert torch.equal(column, trainer.workspace.labels)
        assert set(column.tolist()) <= {0, 1, 2}

    def test_history_logs_the_weights_and_the_gain_of_the_environments(self, after: Any) -> None:
        lines = after[1].history.lines
        mask = [line for line in lines if line["stage"] == "mask 1"]
        assert len(mask) == 2
        assert all(0 <= line["w_erm"] <= 1 for line in mask)
        gains = [line["log_likelihood_gain"] for line in lines if line["stage"] == "environments"]
        assert len(gains) == 1
        assert gains[0] > 0


class TestMaskOfOnes(ModelContract):
    """With no outer iteration and a mask of ones PaInvRL is UltraGCNF, bit for bit."""

    name = "PaInvRL"
    options: ClassVar[dict[str, Any]] = {
        **SHORT,
        **SAME_DECAY,
        "stability_gate": False,
        "mask_tolerance": None,
        "outer_iterations": 0,
        "mask_init": 1.0,
    }

    def test_equals_ultragcnf(self, after: Any, folder: Path) -> None:
        peer = type("Peer", (ModelContract,), {"name": "UltraGCNF"})()
        decay = {key: SAME_DECAY[key] for key in SAME_DECAY if not key.startswith("pretrain")}
        plain, trainer, _ = peer.trained(folder, **decay, stopping_step=40)
        assert same_weights(plain, after[0])
        assert trainer.best_valid_result == after[1].best_valid_result


def test_pretraining_is_ultragcnf(tmp_path: Path) -> None:
    """The backbone that PaInvRL reports is UltraGCNF trained alone."""
    contract = type("Contract", (ModelContract,), {"name": "PaInvRL", "options": SHORT})()
    peer = type("Peer", (ModelContract,), {"name": "UltraGCNF"})()
    from tests.contracts import write_features
    from tests.host import write_toy

    write_toy(tmp_path)
    write_features(tmp_path)
    _, ours, _ = contract.trained(tmp_path, **SAME_DECAY)
    decay = {key: SAME_DECAY[key] for key in SAME_DECAY if not key.startswith("pretrain")}
    _, plain, _ = peer.trained(tmp_path, **decay, epochs=2)
    assert ours.pretrained == plain.best_valid_result


@pytest.mark.parametrize("checkpoints", [6, 7])
def test_a_training_killed_about_the_choice_of_the_mask_goes_on_to_the_same_bits(
    tmp_path: Path, checkpoints: int
) -> None:
    """After the masked model, or while it is trained again without a mask."""
    options = {**SHORT, "outer_iterations": 0, "stability_gate": False}
    options |= {"mask_init": 0.0, "mask_tolerance": 0.0, "pretrain_epochs": 4, "epochs": 2}
    contract = type("Contract", (ModelContract,), {"name": "PaInvRL", "options": options})()
    from tests.contracts import write_features
    from tests.host import write_toy

    write_toy(tmp_path)
    write_features(tmp_path)
    whole, trainer, _ = contract.trained(tmp_path)
    stages = [record["name"] for record in trainer.stage_records]
    assert stages == ["pretrain", "final", "final without mask"]
    model, resumed = contract.interrupted(tmp_path, tmp_path / "run", checkpoints)
    assert same_weights(whole, model)
    assert [record["name"] for record in resumed.stage_records] == stages
    assert resumed.best_valid_result == trainer.best_valid_result


def test_embeddings_are_frozen_while_the_mask_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[torch.Tensor] = []
    original = PaInvRLTrainer._begin_final

    def begin_final(self: PaInvRLTrainer) -> None:
        assert self.workspace.tables is not None
        kept.extend([self.workspace.tables.user, self.model.user_embedding.weight.clone()])
        original(self)

    monkeypatch.setattr(PaInvRLTrainer, "_begin_final", begin_final)
    contract = type("Contract", (ModelContract,), {"name": "PaInvRL", "options": SHORT})()
    from tests.contracts import write_features
    from tests.host import write_toy

    write_toy(tmp_path)
    write_features(tmp_path)
    contract.trained(tmp_path)
    assert torch.equal(kept[0], kept[1])
