"""Whether a model's state can be handed from one member of a population to another."""

from collections.abc import Iterator
from typing import Any

from recbole_invariant.config import build_config
from recbole_invariant.errors import InputError
from recbole_invariant.preparation import Prepared
from recbole_invariant.registry import resolve
from recbole_invariant.trainer.stage import Stage
from recbole_invariant.trainer.stages import StagedTrainer
from recbole_invariant.tuning.plan import SearchPlan

INSTEAD = "take --scheduler asha"


def require_exchangeable(plan: SearchPlan, trainer: Any, data: Prepared) -> None:
    """Make sure that population based training can serve.

    A member goes on from another's weights and optimiser with other options. That needs a training
    of one stage whose weights have the same shapes under all options of the space.

    Args:
        plan: of the search.
        trainer: of a trial; its stages are planned.
        data: of that trial.

    Raises:
        InputError: the model trains in several stages, in a loop of RecBole's own or in one pass;
            an option changes the shapes of its weights, or is read under a condition only.
    """
    if not isinstance(trainer, StagedTrainer) or trainer.one_pass:
        raise InputError(
            f"scheduler: pbt: {plan.model} trains in one pass or in a loop of RecBole's own, whose "
            f"state cannot be handed on; {INSTEAD}."
        )
    stages: list[Stage] = trainer.plan_stages(data.loaders.train)
    if len(stages) > 1:
        names = ", ".join(stage.name for stage in stages)
        raise InputError(
            f"scheduler: pbt: {plan.model} trains in stages ({names}); options that change in a "
            f"later one would contradict what the earlier ones made; {INSTEAD}."
        )
    problems = [
        f"scheduler: pbt: the option {one.name} is read under a condition only; leave it out of "
        f"the space (--space), or {INSTEAD}."
        for one in plan.space.dimensions
        if one.when
    ]
    problems += _shape_problems(plan, data)
    if problems:
        raise InputError(problems)


def _shape_problems(plan: SearchPlan, data: Prepared) -> Iterator[str]:
    """Name the options that change the shapes of weights."""
    smallest = plan.space.smallest()
    shapes = _shapes(plan, data, smallest)
    for one in plan.space.dimensions:
        others = one.values if one.kind == "choice" else one.ends
        changed = ({**smallest, one.name: value} for value in others if value != smallest[one.name])
        if any(_shapes(plan, data, options) != shapes for options in changed):
            yield (
                f"scheduler: pbt: the option {one.name} changes the shapes of {plan.model}'s "
                f"weights, which members hand on; leave it out of the space (--space), or "
                f"{INSTEAD}."
            )


def _shapes(plan: SearchPlan, data: Prepared, options: dict[str, Any]) -> dict[str, Any]:
    """Return the shape of each weight under some options."""
    config = build_config(plan.model, plan.dataset, plan.trial_options(options))
    model = resolve(plan.model).model_class(config, data.parts.fitted)
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}
