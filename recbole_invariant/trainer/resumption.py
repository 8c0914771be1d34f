"""The whole state of a training: taken from a trainer, and put back into one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recbole_invariant.trainer.checkpoint import (
    clone_state,
    random_states,
    restore_state,
    set_random_states,
)
from recbole_invariant.trainer.epoch_run import EpochRun
from recbole_invariant.trainer.optimizer import settings_kept
from recbole_invariant.trainer.stage import Stage

if TYPE_CHECKING:
    from recbole_invariant.trainer.stages import StagedTrainer


@dataclass(frozen=True)
class Place:
    """Where a training stands.

    Attributes:
        stage: number of the stage, from 0.
        epoch: epochs of it that are done.
        finished: whether it needs no further epoch.
        seconds: it has taken so far.
        running: the epoch that is going on; None between two epochs.
    """

    stage: int
    epoch: int
    finished: bool
    seconds: float
    running: EpochRun | None = None


def training_state(trainer: "StagedTrainer", place: Place) -> dict[str, Any]:
    """Return everything that an exact resume needs: tensors and plain values."""
    return {
        "stage": place.stage,
        "epoch": place.epoch,
        "finished": place.finished,
        "seconds": place.seconds,
        "running": None if place.running is None else place.running.state(),
        "stage_state": trainer.stages[place.stage].state(),
        "extra": trainer.extra_state(),
        "model": clone_state(trainer.model),
        "best_state": trainer.best_state,
        "selection": {
            "score": float(trainer.best_valid_score),
            "cur_step": trainer.cur_step,
            "result": trainer.best_valid_result,
            "epoch": trainer.best_epoch,
        },
        "history": trainer.history.lines,
        "snapshots": trainer.snapshots.index(),
        "stage_records": trainer.stage_records,
        "random": random_states(),
    }


def restore_training(
    trainer: "StagedTrainer", stage: Stage, state: dict[str, Any]
) -> EpochRun | None:
    """Put a checkpoint into model, stage and selection, all but what `extra_state` gave.

    The random states come last: whatever else is put back may draw on its way.

    Args:
        trainer: to go on.
        stage: the one that the checkpoint is of, begun.
        state: as `training_state` returned it.

    Returns:
        The epoch that was going on, None where the checkpoint stands between two.
    """
    running = None
    if state.get("running") is not None:
        epoch = int(state["epoch"])
        running = EpochRun.taken_up(stage, epoch, trainer.model, state["running"])
    with settings_kept(stage.optimizers() if trainer.keeps_settings else ()):
        stage.load_state(state["stage_state"])
    restore_state(trainer.model, state["model"])
    selection = state["selection"]
    trainer.best_valid_score, trainer.cur_step = selection["score"], selection["cur_step"]
    trainer.best_valid_result, trainer.best_epoch = selection["result"], selection["epoch"]
    trainer.best_state = state["best_state"]
    set_random_states(state["random"])
    trainer.logger.info(f"resume: going on {_place_of(stage, int(state['epoch']), running)}")
    return running


def _place_of(stage: Stage, epochs_done: int, running: EpochRun | None) -> str:
    """Say where a training goes on; epochs are numbered from 0, as in the log's lines."""
    if running is not None:
        return f"in epoch {running.number} of {stage.name}, after {running.n_steps} of its steps"
    return f"with epoch {epochs_done} of {stage.name}"
