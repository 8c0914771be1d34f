"""Trainings that are stopped within an epoch and go on end with the same bits."""

from pathlib import Path
from typing import Any

import pytest
import torch

from recbole_invariant.config import build_config
from recbole_invariant.errors import InputError
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder
from recbole_invariant.trainer.epoch_run import EpochRun
from recbole_invariant.trainer.stage import EpochEnd, Stage
from recbole_invariant.training import build, fit
from tests.contracts import write_features
from tests.host import write_toy
from tests.sequences import ATTENTION, write_sequences

COMMON: dict[str, Any] = {
    "topk": [5],
    "valid_metric": "NDCG@5",
    "show_progress": False,
    "use_gpu": False,
    "train_batch_size": 32,
    "epochs": 2,
    "eval_step": 1,
    "checkpoint_minutes": 10,
    "checkpoint_steps": 2,
}
ORDER = {"load_col": {"inter": ["user_id", "item_id", "timestamp"]}}
LOOK = {"modalities": {"look": {"source": "npy"}}}
STAGED: dict[str, Any] = {
    **LOOK, "pretrain_epochs": 2, "mask_epochs": 2, "n_negatives": 4, "n_environments": 2,
    "pareto_norm": "first", "mask_tolerance": None,
}  # fmt: skip
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "PaInvRL": ("items", {**STAGED, "reference_epochs": 2, "reference_selection": "likelihood"}),
    "InvRL": ("items", {**STAGED, "him_epochs": 1, "him_rounds": 2, "outer_iterations": 1}),
    "UltraGCN": ("items", {"n_negatives": 4}),
    "BPR": ("items", {}),
    "LightGCN": ("items", {"n_layers": 1}),
    "SASRec": ("sequences", {**ORDER, **ATTENTION, "hidden_dropout_prob": 0.3}),
    "IDEA": ("sequences", {**ORDER, "pretrain_epochs": 1, "dropout_prob": 0.2}),
    "Irl4Rec": ("sequences", {**ORDER, "independence": "club", "adaptive_weights": "uncertainty"}),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made: dict[str, Path] = {kind: tmp_path_factory.mktemp(kind) for kind in ("items", "sequences")}
    write_toy(made["items"], n_users=24)
    write_features(made["items"])
    write_sequences(made["sequences"], n_users=20)
    return made


def begin(folder: Path, model: str, run_dir: Path, **changes: Any) -> tuple[Any, Any, Any]:
    entry = resolve(model)
    values = {**COMMON, **MODELS[model][1], "data_path": str(folder), **changes}
    config = build_config(model, "toy", values)
    config["run_dir"], config["checkpoint_dir"] = str(run_dir), str(run_dir / "checkpoint")
    data = prepare(config, entry)
    return config, data, build(config, entry, data)[1]


def stop_within(trainer: Any, checkpoints: int) -> None:
    """Interrupt a training after so many checkpoints within its epochs."""
    save, written = trainer._checkpoint, []

    def checkpoint(place: Any) -> None:
        save(place)
        if place.running is not None:
            written.append(place)
        if len(written) == checkpoints:
            raise KeyboardInterrupt

    trainer._checkpoint = checkpoint


def told(trainer: Any) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k != "seconds"} for line in trainer.history.lines]


@pytest.mark.parametrize("model", MODELS)
def test_a_training_stopped_within_epochs_goes_on_to_the_same_bits(
    model: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = folders[MODELS[model][0]]
    config, data, whole = begin(folder, model, tmp_path / "whole", checkpoint_steps=0)
    metrics = fit(config, whole, data)
    stopped: list[tuple[int, int]] = []
    for _ in range(9):
        config, data, trainer = begin(folder, model, tmp_path / "run")
        if stopped:
            trainer.resume_checkpoint(tmp_path / "run" / "checkpoint")
        stop_within(trainer, 3 ** len(stopped))
        try:
            again = fit(config, trainer, data)
        except KeyboardInterrupt:
            state = CheckpointFolder(tmp_path / "run" / "checkpoint").newest()[1]
            assert state["running"] is not None
            stopped.append((state["stage"], state["epoch"]))
            continue
        break
    assert len(stopped) >= 2, stopped
    assert again == metrics
    assert told(trainer) == told(whole)
    assert trainer.best_epoch == whole.best_epoch
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, trainer.model.state_dict()[name]), name
    for kept in whole.snapshots:
        for name, value in whole.snapshots.state(kept.name)["weights"].items():
            assert torch.equal(value, trainer.snapshots.state(kept.name)["weights"][name]), name


class Counting(Stage):
    """Batches drawn from a stream of its own and from torch's global one."""

    def __init__(self, n_batches: int = 6) -> None:
        super().__init__("count", 1)
        self.stream = torch.Generator().manual_seed(1)
        self.n_batches = n_batches

    def batches(self) -> Any:
        return [torch.rand(2, generator=self.stream) + torch.rand(2) for _ in range(self.n_batches)]

    def step(self, batch: Any) -> dict[str, torch.Tensor]:
        return {"loss": batch.sum()}

    def end_epoch(self, epoch: int) -> EpochEnd:
        return EpochEnd()

    def generators(self) -> dict[str, torch.Generator]:
        return {"stream": self.stream}


def test_an_epoch_taken_up_has_the_batches_that_were_left() -> None:
    model, stage = torch.nn.Linear(1, 1), Counting()
    torch.manual_seed(0)
    run = EpochRun(stage, 3, model)
    batches = [batch.clone() for batch in run]
    torch.manual_seed(0)
    stage = Counting()
    run = EpochRun(stage, 3, model)
    for _ in range(2):
        run.losses.add(stage.step(next(iter(run))))
    state = run.state()
    torch.manual_seed(99)
    again = EpochRun.taken_up(Counting(), 3, model, state)
    assert (again.number, again.n_steps, again.n_batches) == (3, 2, 6)
    assert all(torch.equal(a, b) for a, b in zip(again, batches[2:], strict=True))
    assert again.means() == run.means()
    assert again.seconds() >= state["seconds"]


def test_an_epoch_that_became_shorter_is_wrong_input() -> None:
    stage = Counting()
    run = EpochRun(stage, 0, torch.nn.Linear(1, 1))
    for batch in run:
        run.losses.add(stage.step(batch))
    with pytest.raises(InputError, match=r"after 6 steps .* but that epoch has 4 now"):
        EpochRun.taken_up(Counting(4), 0, torch.nn.Linear(1, 1), run.state())
