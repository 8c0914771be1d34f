"""Everything that a search is, resolved and checked before Ray starts; kept in tune.json."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from recbole_invariant import __version__
from recbole_invariant.configuration.shapes import (
    Shape,
    either,
    fields,
    flag,
    nothing,
    number,
    several,
    text,
)
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.tuning.asked import argument_problems
from recbole_invariant.tuning.objectives import Objective, selecting_options
from recbole_invariant.tuning.space import Space
from recbole_invariant.tuning.storage import Storage

PLAN_FILE = "tune.json"


_TEXT_OR_NOTHING = either(text, nothing)

SHAPES: dict[str, Shape] = {
    "model": text,
    "dataset": text,
    "protocol": _TEXT_OR_NOTHING,
    "data_path": _TEXT_OR_NOTHING,
    "address": _TEXT_OR_NOTHING,
    "objectives": several(fields(split=text, metric=text, bigger=flag)),
    "space": fields(),
    "space_source": text,
    "options": fields(),
    "defaults": fields(),
    "fixed": fields(),
    "fixed_by_user": several(text),
    "seed": number(0, whole=True),
    "max_validations": number(0, whole=True),
}
"""Entry of tune.json -> its shape; `checked` looks at the others."""


@dataclass(frozen=True)
class SearchPlan:
    """What a search does, in values that JSON knows.

    Attributes:
        model: name or dotted path of the model.
        dataset: name of the dataset.
        protocol: of the split; None is RecBole's own.
        trials: how many, the one of the defaults included.
        searcher: one of `proposals.SEARCHERS`.
        scheduler: one of `asked.SCHEDULERS`.
        grace_period: validations of the final stage before a trial may be stopped; None is a
            tenth of the most that there are, at least 4.
        reduction_factor: one in so many trials passes a rung of ASHA.
        objectives: what is made better, the first one first.
        space: the options that are searched.
        options: the user's own, the same in every trial.
        data_path: folder of the data set's folder, absolute; None where RecBole ships it and the
            user names none.
        defaults: of the options of the space.
        fixed: resolved options of the defaults, for the conditions of the space.
        seed: of every trial.
        search_seed: of the proposals.
        cpus_per_trial, gpus_per_trial: resources of a trial.
        max_concurrent: trials at a time; None is as many as there is room for.
        address: of a Ray cluster; None starts Ray on this machine.
        refit: one of `asked.REFITS`.
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
    grace_period: int | None
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

    @property
    def grace(self) -> int:
        """Validations before a trial may be stopped, never more than there are.

        On few of them it is those who learn fast that look best: a small step size needs longer.
        """
        wanted = self.grace_period or max(4, self.max_validations // 10)
        return min(wanted, max(self.max_validations, 1))

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
        for key, shape in SHAPES.items():
            if problem := shape(content[key], key):
                raise InputError(f"{source}: damaged: {problem}")
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
            "checkpoint_steps": 0,
            "use_gpu": self.gpus_per_trial > 0,
        }


def checked(plan: SearchPlan) -> SearchPlan:
    """Return a plan whose own arguments were changed, if they can serve.

    Raises:
        InputError: what is wrong with them.
    """
    if problems := argument_problems(plan):
        raise InputError(problems)
    return plan


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
