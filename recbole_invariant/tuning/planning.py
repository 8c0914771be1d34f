"""From what the user asks to the plan of a search: options, objectives and space resolved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recbole.utils import EvaluatorType

from recbole_invariant.config import USER_LAYERS, build_config, user_layers
from recbole_invariant.configuration.folders import host_folder
from recbole_invariant.configuration.layers import merged
from recbole_invariant.configuration.option_checks import check_options
from recbole_invariant.configuration.wrapped import find_wrapped
from recbole_invariant.data.splits.apply import chosen_protocol
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.registry import resolve
from recbole_invariant.tuning.asked import DEFAULT_TRIALS, Asked, argument_problems, taken_problems
from recbole_invariant.tuning.objectives import Objective, objective_texts, parse_objectives
from recbole_invariant.tuning.plan import SearchPlan
from recbole_invariant.tuning.refit import refit_problems
from recbole_invariant.tuning.space import Space, read_space, space_of
from recbole_invariant.tuning.space_checks import check_space


def make_plan(asked: Asked) -> SearchPlan:
    """Resolve and check a search.

    Raises:
        InputError: everything that is wrong with its own arguments, or with the options of its
            runs, or with its space.
    """
    resolved, objectives, whole, options = _resolve(asked)
    plain = {key: one["value"] for key, one in records.options_of(resolved).items()}
    space, fixed = _searched(whole.without(options), plain)
    return SearchPlan(
        model=asked.model,
        dataset=asked.dataset,
        protocol=_protocol(resolved),
        trials=_n_trials(asked, space, fixed),
        searcher=asked.searcher,
        scheduler=asked.scheduler or ("asha" if len(objectives) == 1 else "none"),
        grace_period=asked.grace_period,
        reduction_factor=asked.reduction_factor,
        objectives=objectives,
        space=space,
        options=records.plain(options),
        data_path=_data_path(resolved, "data_path" in options),
        defaults={name: plain.get(name) for name in space.names},
        fixed=fixed,
        seed=int(resolved["seed"]),
        search_seed=asked.search_seed,
        cpus_per_trial=asked.cpus_per_trial,
        gpus_per_trial=asked.gpus_per_trial,
        max_concurrent=asked.max_concurrent,
        address=asked.address,
        refit=asked.refit,
        fixed_by_user=[name for name in whole.names if name in options],
    )


def _resolve(asked: Asked) -> tuple[Any, tuple[Objective, ...], Space, dict[str, Any]]:
    """Return the resolved configuration, the objectives, the whole space and the user's options.

    Raises:
        InputError: all that is wrong with them.
    """
    problems = argument_problems(asked) + taken_problems(asked)
    given = (asked.config, asked.config_files, asked.command_line)
    try:
        resolved = build_config(asked.model, asked.dataset, *given)
        objectives = _objectives(asked, resolved)
        space = _space(asked)
    except InputError as error:
        raise InputError([*problems, *error.problems]) from error
    problems += refit_problems(asked.refit, resolve(asked.model), resolved)
    options = _user_options(asked)
    problems += _data_path_problems(asked.dataset, options)
    try:
        check_space(space.without(options), asked.model, asked.dataset, *given)
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    return resolved, objectives, space, options


def _searched(space: Space, plain: Mapping[str, Any]) -> tuple[Space, dict[str, Any]]:
    """Return the options of a space that are read with the others as they are, and these others.

    Args:
        space: to search.
        plain: value of every option of the defaults.

    Raises:
        InputError: none is read.
    """
    fixed = {key: value for key, value in plain.items() if key not in space.names}
    read = space.readable(fixed)
    if not read.dimensions:
        raise InputError(
            f"space {space.source}: none of its options is read with the others as they are."
        )
    return read, {key: value for key, value in plain.items() if key not in read.names}


def _protocol(resolved: Any) -> str | None:
    """Return the protocol of the split; None is RecBole's own."""
    return chosen_protocol(resolved, resolved.layers.get("ood", ""))


def _objectives(asked: Asked, resolved: Any) -> tuple[Objective, ...]:
    """Read the objectives; without any, what selects in a single run selects here too.

    Raises:
        InputError: an objective cannot serve.
    """
    texts = objective_texts(asked.objectives)
    if not texts:
        texts = [f"{resolved['selection']}:{resolved['valid_metric']}"]
    else:
        set_too = [
            key
            for key in ("valid_metric", "selection")
            if resolved.layers.get(key, "").startswith(USER_LAYERS)
        ]
        if set_too:
            raise InputError(
                f"{', '.join(set_too)}: given beside --objective, which says both; leave one away."
            )
    names = [str(name).lower() for name in resolved["metrics"]]
    if resolved["eval_type"] == EvaluatorType.RANKING:
        names = [f"{name}@{k}" for name in names for k in resolved["topk"]]
    return parse_objectives(texts, names, protocol=_protocol(resolved))


def _space(asked: Asked) -> Space:
    """Read the space that the user names, or the model's own.

    Raises:
        InputError: it cannot be read, or the model has none.
    """
    if isinstance(asked.space, Space):
        return asked.space
    if isinstance(asked.space, Mapping):
        return Space.from_yaml(asked.space, "space")
    if isinstance(asked.space, str | Path):
        return read_space(asked.space)
    if asked.space is not None:
        raise InputError(
            "space: expected a file, a Space or a mapping such as {'learning_rate': [0.01, 0.02]}, "
            f"not {asked.space!r}."
        )
    entry = resolve(asked.model)
    return space_of(entry.name, entry.model_class, _wrapped(asked))


def _wrapped(asked: Asked) -> type[Any] | None:
    """Return the model that this one wraps, if any."""
    entry = resolve(asked.model)
    layers, _ = user_layers(entry.name, asked.config_files, asked.config, asked.command_line)
    return find_wrapped(entry.name, entry.model_class, asked.dataset, layers)[0]


def _data_path_problems(dataset: str, options: Mapping[str, Any]) -> list[str]:
    """Say that a folder the user names is missing, of a data set too that RecBole finds itself."""
    folder = options.get("data_path")
    if folder is None or Path(folder).is_dir():
        return []
    return [
        f"data_path: there is no folder '{folder}'; '{dataset}' comes with RecBole and needs none."
    ]


def _data_path(resolved: Any, is_given: bool) -> str | None:
    """Return the folder of the data set's folder; None for one of RecBole's that nobody named.

    It is absolute: a worker has a working folder of its own. RecBole may lie elsewhere there.
    """
    folder = Path(records.data_folder(resolved)).absolute()
    is_shipped = folder.is_relative_to(host_folder()) and not is_given
    return None if is_shipped else str(folder)


def _user_options(asked: Asked) -> dict[str, Any]:
    """Return the user's options as values, whatever file or argument they come from."""
    entry, wrapped = resolve(asked.model), _wrapped(asked)
    given = (asked.config_files, asked.config, asked.command_line)
    layers, _ = user_layers(entry.name, *given, wrapped)
    checked = check_options(layers, entry.model_class, wrapped=wrapped)
    return dict(merged(checked.layers))


def _n_trials(asked: Asked, space: Space, fixed: Mapping[str, Any]) -> int:
    """Return the number of trials; a grid has an end of its own, beside the trial of defaults."""
    if asked.searcher != "grid":
        return DEFAULT_TRIALS if asked.trials is None else asked.trials
    whole = 1 + space.grid_size(fixed)
    return whole if asked.trials is None else min(asked.trials, whole)


def grid_note(plan: SearchPlan) -> str | None:
    """Say how much of a grid the trials leave out; None where nothing, or where it is no grid."""
    if plan.searcher != "grid":
        return None
    size = plan.space.grid_size(plan.fixed)
    if plan.trials > size:
        return None
    return (
        f"the grid has {size} combinations; {plan.trials} trials (the defaults among them) try "
        f"{plan.trials - 1} of them, all need --trials {size + 1}"
    )
