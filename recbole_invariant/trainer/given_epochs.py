"""Stages that train for a given number of epochs: the option `refit_epochs`."""

from collections.abc import Mapping, Sequence
from typing import Any

from recbole_invariant.errors import InputError, suggest
from recbole_invariant.trainer.stage import Stage
from recbole_invariant.trainer.stages import StagedTrainer

OPTION = "refit_epochs"


def give_epochs(trainer: Any, train_data: Any, given: Mapping[str, int]) -> None:
    """Let the stages of a training have a given number of epochs each.

    Stages that are not named keep their own; those that would validate must be named, since
    without validation nothing ends them but a limit that is far too high.

    Args:
        trainer: a staged trainer before its training.
        train_data: the training loader.
        given: stage -> epochs, >= 1.

    Raises:
        InputError: the trainer has no stages, or the names are not those of its stages.
    """
    model = type(trainer.model).__name__
    if not isinstance(trainer, StagedTrainer):
        raise InputError(
            f"{OPTION}: {model} is trained by a loop of RecBole's own, which has no stages of "
            "given length. Leave it away; the model is then selected on validation rows."
        )
    problems = epochs_problems(model, trainer.plan_stages(train_data), given)
    if problems:
        raise InputError(problems)
    trainer.stage_epochs = dict(given)


def epochs_problems(model: str, stages: Sequence[Stage], given: Mapping[str, int]) -> list[str]:
    """Say which names are not those of stages, and which stages are missing.

    Args:
        model: name of the model.
        stages: its stages; one without epochs trains nothing and cannot be named.
        given: stage -> epochs.
    """
    names = [stage.name for stage in stages if stage.epochs]
    problems = [
        f"{OPTION}: {model} has no stage '{name}'.{suggest(name, names)} "
        f"Its stages are {', '.join(names)}."
        for name in given
        if name not in names
    ]
    validating = [stage.name for stage in stages if stage.validates and not stage.optional]
    missing = [name for name in validating if name not in given]
    if missing:
        problems.append(
            f"{OPTION}: no epochs for {', '.join(missing)}. Without validation nothing ends a "
            "stage early, so that every stage that validates needs its number: "
            f"{', '.join(validating)}."
        )
    return problems
