"""What is asked of our models' options where RecBole's own Config put them together."""

from typing import Any

from recbole_invariant.configuration.attribute_checks import unfit_for_attribute, use_of
from recbole_invariant.configuration.irl4rec_checks import contradictions


def host_problems(config: Any, model_class: type[Any], wrapped: type[Any] | None) -> list[str]:
    """Say which options cannot go together.

    RecBole does not say which layer set an option, and leaves names and types to the user.

    Args:
        config: RecBole's Config of one of our models.
        model_class: the model.
        wrapped: the model that it wraps, None if it wraps none.
    """
    use = use_of(model_class)
    problem = None if use is None else unfit_for_attribute(use, config, {})
    return [*([problem] if problem else []), *contradictions(config, model_class, wrapped)]
