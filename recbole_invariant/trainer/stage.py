"""What a stage of training is."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from torch import Generator, Tensor
from torch.optim import Optimizer


@dataclass
class EpochEnd:
    """What a stage says at the end of an epoch.

    Attributes:
        values: numbers for the history (environment sizes, labels changed, weights, ...).
        finished: True when the stage needs no further epoch.
    """

    values: dict[str, Any] = field(default_factory=dict)
    finished: bool = False


class Stage(ABC):
    """A part of training with its own parameters, optimisers and batches.

    The loop in `trainer.stages` calls `begin`, then for every epoch `batches`, `step` on each
    batch and `end_epoch`, and at last `end`. `state` and `load_state` carry what a killed run
    needs to go on; the loop itself keeps the model, the best weights and the cursor.

    Attributes:
        name: shown in the progress bar, the history and `run.json`.
        epochs: at most so many.
        epochs_given: whether `epochs` was asked for by the stage's name and is not to be changed.
        validates: whether the model is validated, early stopped and its best weights kept.
        eval_step: epochs between validations.
        patience: validations without improvement before the stage stops.
        optional: whether `is_needed` may leave the stage out.
    """

    def __init__(self, name: str, epochs: int) -> None:
        self.name = name
        self.epochs = epochs
        self.epochs_given = False
        self.validates = False
        self.eval_step = 1
        self.patience = 10
        self.optional = False

    def is_needed(self) -> bool:
        """Whether it runs at all, asked when the stages before it are done."""
        return True

    def begin(self) -> None:  # noqa: B027 - a hook that a stage may leave empty
        """Make the parameters and optimisers of this stage."""

    @abstractmethod
    def batches(self) -> Iterable[Any]:
        """Return the batches of one epoch; must have a length."""

    @abstractmethod
    def step(self, batch: Any) -> dict[str, Tensor]:
        """Take one optimisation step.

        Returns:
            Detached 0-d losses by name; all must be finite, and `loss` must be among them.
        """

    def end_epoch(self, epoch: int) -> EpochEnd:
        """Finish epoch number `epoch` (from 0)."""
        return EpochEnd()

    def end(self) -> None:  # noqa: B027 - a hook that a stage may leave empty
        """Hand the stage's result on, after its last epoch and with its best weights loaded."""

    def optimizers(self) -> Iterable[Optimizer]:
        """Return the optimisers whose settings may change while it trains; none by default."""
        return ()

    def generators(self) -> dict[str, Generator]:
        """Return the random streams that an epoch's batches may be drawn from; none by default.

        The global ones of torch, NumPy and Python are known anyway. All of them are part of
        `state` as well.
        """
        return {}

    def state(self) -> dict[str, Any]:
        """Return everything but the model that an exact resume needs: tensors and plain values.

        It is asked after any step and after `end_epoch`.
        """
        return {}

    def load_state(self, state: dict[str, Any]) -> None:  # noqa: B027 - as `begin`
        """Take back what `state` returned.

        Called after `begin` and, where the checkpoint was written within an epoch, `batches`.
        """
