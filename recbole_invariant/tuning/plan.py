"""Everything that a search is, resolved and checked before Ray starts; kept in tune.json."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recbole.utils import EvaluatorType

from recbole_invariant import __version__
from recbole_invariant.config import USER_LAYERS, build_config, user_layers
from recbole_invariant.configuration.folders import host_folder
from recbole_invariant.configuration.layers import merged
from recbole_invariant.configuration.option_checks import check_options
from recbole_invariant.configuration.wrapped import find_wrapped
from recbole_invariant.data.splits.apply import chosen_protocol
from recbole_invariant.errors import InputError, suggest
from recbole_invariant.evaluation import records
from recbole_invariant.registry import resolve
from recbole_invariant.tuning.objectives import Objective, parse_objectives, selecting_options
from recbole_invariant.tuning.refit import refit_problems
from recbole_invariant.tuning.space import Space, read_space, space_of
from recbole_invariant.tuning.space_checks import check_space
from recbole_invariant.tuning.storage import Storage

PLAN_FILE = "tune.json"
SEARCHERS = ("random", "grid", "optuna", "hyperopt")
SCHEDULERS = ("asha", "median", "pbt", "none")
REFITS = ("train", "train+valid", "none")

TAKEN = {
    "baseline_options": "a search is of one model; compare --tune N searches several",
    "baselines": "a search is of one model; compare --tune N searches several",
    "checkpoint_minutes": "a trial writes a checkpoint at every validation",
    "refit_epochs": "the search finds it out itself: --refit train+valid",
}
"""Options of a single run that a search decides."""


@dataclass(frozen=True)
class SearchPlan:
    """What a search does, in values that JSON knows.

    Attributes:
        model: name or dotted path of the model.
        dataset: name of the dataset.
        protocol: of the split; None is RecBole's own.
        trials: how many, the one of the defaults included.
        searcher: one of `SEARCHERS`.
        scheduler: one of `SCHEDULERS`.
        grace_period: validations of the final stage before a trial may be stopped.
        reduction_factor: one in so many trials passes a rung of ASHA.
        objectives: what is made better, the first one first.
        space: the options that are searched.
        options: the user's own, the same in every trial.
        data_path: folder of the data set's folder, absolute; None where RecBole ships it.
        defaults: of the options of the space.
        fixed: resolved options of the defaults, for the conditions of the space.
        seed: of every trial.
        search_seed: of the proposals.
        cpus_per_trial, gpus_per_trial: resources of a trial.
        max_concurrent: trials at a time; None is as many as there is room for.
        address: of a Ray cluster; None starts Ray on this machine.
        refit: one of `REFITS`.
        fixed_by_user: options of the space as it was given that the user set, so that they are not
            searched.
        max_validations: of the final stage, as the pre-flight trial found; 0 before it.
    """

    model: str
    dataset: str
    protocol: str | None
    trials: int
    searcher: str
    scheduler: str
    grace_period: int
    reduction_factor: float
    objectives: tuple[Objective, ...]
    space: Space
    options: dict[str, Any]
    data_path: str | None
    defaults: dict[str, Any]
    fixed: dict[str, Any]
    seed: int
    search_seed: int
    cpus_per_trial: float
    gpus_per_trial: float
    max_concurrent: int | None
    address: str | None
    refit: str
    fixed_by_user: list[str] = field(default_factory=list)
    max_validations: int = 0

    def record(self) -> dict[str, Any]:
        """Return the content of tune.json."""
        content = {key: getattr(self, key) for key in self.__dataclass_fields__}
        return {
            **content,
            "objectives": [asdict(objective) for objective in self.objectives],
            "space": self.space.as_yaml(),
            "space_source": self.space.source,
            "version": __version__,
        }

    @classmethod
    def from_record(cls, content: Mapping[str, Any], source: str) -> "SearchPlan":
        """Read what `record` returned.

        Raises:
            InputError: something is missing.
        """
        missing = [key for key in (*cls.__dataclass_fields__, "space_source") if key not in content]
        if missing:
            raise InputError(f"{source}: lacks {', '.join(missing)}; not the plan of a search.")
        own = {key: content[key] for key in cls.__dataclass_fields__}
        own["objectives"] = tuple(Objective(**one) for one in content["objectives"])
        own["space"] = Space.from_yaml(content["space"], content["space_source"])
        return cls(**own)

    def named_defaults(self) -> dict[str, Any]:
        """Return a value for every option of the space: its default, or the smallest if none."""
        return {
            one.name: one.smallest() if self.defaults[one.name] is None else self.defaults[one.name]
            for one in self.space.dimensions
        }

    def run_options(self) -> dict[str, Any]:
        """Return the options of an ordinary run of this search, without those of the space."""
        # a worker has another working folder
        place = {} if self.data_path is None else {"data_path": self.data_path}
        selecting = selecting_options(self.objectives)
        return {**self.options, **place, **selecting, "seed": self.seed}

    def trial_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a trial's run is given: the user's options, its own, and the search's."""
        return {
            "torch_threads": max(1, int(self.cpus_per_trial)),
            **self.run_options(),
            **options,
            "show_progress": False,
            "checkpoint_minutes": 0.0,
            "use_gpu": self.gpus_per_trial > 0,
        }


@dataclass
class Asked:
    """The arguments of a search as the user gives them; see `search.tune`."""

    model: str
    dataset: str
    trials: int
    config: dict[str, Any] = field(default_factory=dict)
    config_files: list[str] = field(default_factory=list)
    command_line: dict[str, str] = field(default_factory=dict)
    space: str | Path | Space | None = None
    searcher: str = "random"
    scheduler: str | None = None
    grace_period: int = 4
    reduction_factor: float = 3
    objectives: Sequence[str] = ()
    search_seed: int = 0
    cpus_per_trial: float = 1
    gpus_per_trial: float = 0
    max_concurrent: int | None = None
    address: str | None = None
    refit: str = "train"


def make_plan(asked: Asked) -> SearchPlan:
    """Resolve and check a search.

    Raises:
        InputError: everything that is wrong with its own arguments, or with the options of its
            runs, or with its space.
    """
    problems = _argument_problems(asked)
    given = (asked.config, asked.config_files, asked.command_line)
    problems += [f"{key}: {why}." for key, why in TAKEN.items() if key in _named(*given)]
    try:
        resolved = build_config(asked.model, asked.dataset, *given)
        objectives = _objectives(asked, resolved)
        space = _space(asked)
    except InputError as error:
        raise InputError([*problems, *error.problems]) from error
    problems += refit_problems(asked.refit, resolve(asked.model), resolved)
    options = _user_options(asked)
    by_user = [one.name for one in space.dimensions if one.name in options]
    space = space.without(by_user)
    try:
        check_space(space, asked.model, asked.dataset, *given)
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    plain = {key: one["value"] for key, one in records.options_of(resolved).items()}
    searched = {one.name for one in space.dimensions}
    fixed = {key: value for key, value in plain.items() if key not in searched}
    space = space.readable(fixed)
    if not space.dimensions:
        raise InputError(
            f"space {space.source}: none of its options is read with the others as they are."
        )
    names = [one.name for one in space.dimensions]
    scheduler = asked.scheduler or ("asha" if len(objectives) == 1 else "none")
    # a worker has a working folder of its own
    options["data_path"] = str(Path(records.data_folder(resolved)).absolute())
    return SearchPlan(
        model=asked.model,
        dataset=asked.dataset,
        protocol=chosen_protocol(resolved, resolved.layers.get("ood", "")),
        trials=_n_trials(asked, space, fixed),
        searcher=asked.searcher,
        scheduler=scheduler,
        grace_period=asked.grace_period,
        reduction_factor=asked.reduction_factor,
        objectives=objectives,
        space=space,
        options=records.plain(options),
        data_path=_data_path(resolved),
        defaults={name: plain.get(name) for name in names},
        fixed={key: value for key, value in plain.items() if key not in names},
        seed=int(resolved["seed"]),
        search_seed=asked.search_seed,
        cpus_per_trial=asked.cpus_per_trial,
        gpus_per_trial=asked.gpus_per_trial,
        max_concurrent=asked.max_concurrent,
        address=asked.address,
        refit=asked.refit,
        fixed_by_user=by_user,
    )


def checked(plan: SearchPlan) -> SearchPlan:
    """Return a plan whose own arguments were changed, if they can serve.

    Raises:
        InputError: what is wrong with them.
    """
    if problems := _argument_problems(plan):
        raise InputError(problems)
    return plan


def _argument_problems(asked: "Asked | SearchPlan") -> list[str]:
    """Say what is wrong with the arguments that are the search's own."""
    problems = []
    for option, value, known in (
        ("searcher", asked.searcher, SEARCHERS),
        ("scheduler", asked.scheduler, SCHEDULERS),
        ("refit", asked.refit, REFITS),
    ):
        if value is not None and value not in known:
            near = suggest(str(value), known)
            problems.append(f"{option}: expected one of {' | '.join(known)}, not '{value}'.{near}")
    for option, number, least in (
        ("trials", asked.trials, 1),
        ("grace_period", asked.grace_period, 1),
        ("max_concurrent", asked.max_concurrent, 1),
        ("search_seed", asked.search_seed, 0),
    ):
        if number is not None and (not _is_integer(number) or number < least):
            problems.append(f"{option}: expected an integer >= {least}, not {number!r}.")
    for option, amount, lowest in (
        ("cpus_per_trial", asked.cpus_per_trial, "> 0"),
        ("gpus_per_trial", asked.gpus_per_trial, ">= 0"),
        ("reduction_factor", asked.reduction_factor, "> 1"),
    ):
        sign, bound = lowest.split()
        fits = _is_number(amount) and (
            amount >= float(bound) if sign == ">=" else amount > float(bound)
        )
        if not fits:
            problems.append(f"{option}: expected a number {lowest}, not {amount!r}.")
    if _is_number(asked.gpus_per_trial) and asked.gpus_per_trial > 1 and asked.gpus_per_trial % 1:
        problems.append(
            f"gpus_per_trial: {asked.gpus_per_trial}: Ray shares one GPU among trials (a fraction "
            "below 1) or gives whole ones."
        )
    return problems


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _named(
    config: Mapping[str, Any], config_files: Sequence[str], command_line: Mapping[str, str]
) -> set[str]:
    """Return the options that are given directly; those in files may be a single run's."""
    return {*config, *command_line}


def _objectives(asked: Asked, resolved: Any) -> tuple[Objective, ...]:
    """Read the objectives; without any, what selects in a single run selects here too.

    Raises:
        InputError: an objective cannot serve.
    """
    texts = list(asked.objectives)
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
    protocol = chosen_protocol(resolved, resolved.layers.get("ood", ""))
    return parse_objectives(texts, names, protocol=protocol)


def _space(asked: Asked) -> Space:
    """Read the space that the user names, or the model's own.

    Raises:
        InputError: it cannot be read, or the model has none.
    """
    if isinstance(asked.space, Space):
        return asked.space
    if asked.space is not None:
        return read_space(asked.space)
    entry = resolve(asked.model)
    return space_of(entry.name, entry.model_class, _wrapped(asked))


def _wrapped(asked: Asked) -> type[Any] | None:
    """Return the model that this one wraps, if any."""
    entry = resolve(asked.model)
    layers, _ = user_layers(entry.name, asked.config_files, asked.config, asked.command_line)
    return find_wrapped(entry.name, entry.model_class, asked.dataset, layers)[0]


def _data_path(resolved: Any) -> str | None:
    """Return the folder of the data set's folder, None where it is one of RecBole's package."""
    folder = Path(records.data_folder(resolved)).absolute()
    return None if folder.is_relative_to(host_folder()) else str(folder)


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
        return asked.trials
    return min(asked.trials, 1 + space.grid_size(fixed))


def write_plan(storage: Storage, plan: SearchPlan) -> None:
    """Write tune.json."""
    storage.write(PLAN_FILE, records.json_text(plan.record()))


def read_plan(storage: Storage) -> SearchPlan:
    """Read tune.json.

    Raises:
        InputError: there is none, or it is not whole.
    """
    content = storage.read(PLAN_FILE)
    source = f"{storage.place}/{PLAN_FILE}"
    if content is None:
        raise InputError(
            f"--resume: {storage.place} holds no {PLAN_FILE}; name the folder of a search."
        )
    try:
        return SearchPlan.from_record(json.loads(content), source)
    except (ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source}: not readable ({error}).") from error
