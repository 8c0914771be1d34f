"""All runs of a comparison, their options resolved and checked before any of them starts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path
from typing import Any

from recbole_invariant.comparison.baselines import WITHOUT_OPTIONS
from recbole_invariant.comparison.fingerprint import data_fingerprint, fingerprint
from recbole_invariant.comparison.resolved import Given, Resolved
from recbole_invariant.comparison.specs import SEED_IN_PATH, ModelSpec, folder_name
from recbole_invariant.configuration.option_checks import joined
from recbole_invariant.data.splits.apply import chosen_protocol
from recbole_invariant.errors import InputError, suggest
from recbole_invariant.registry import resolve
from recbole_invariant.run_start import is_finished

TAKEN = {
    "baseline_options": "compare gives options to one model as --models NAME[key=value,...]",
    "baselines": "compare takes its models by --models",
    "model": "compare takes several: --models",
    "output_dir": "compare writes to --out",
    "resume": "a comparison that was interrupted goes on when it is started again",
    "run_name": "compare names its runs itself",
    "seed": "compare takes several: --seeds",
}
"""Options of a single run that compare decides."""


@dataclass(frozen=True)
class PlannedRun:
    """One model and seed.

    Attributes:
        label: its line of the table.
        position: place of that line.
        model: name or dotted path of the model.
        dataset: name of the dataset.
        seed: the run's seed.
        command_line: options as text, seed included.
        config: options from Python.
        config_files: files of options.
        folder: the run folder.
        search: what the search was that found some of the line's options; None without one.
    """

    label: str
    position: int
    model: str
    dataset: str
    seed: int
    command_line: dict[str, str] = field(repr=False)
    config: dict[str, Any] = field(repr=False)
    config_files: list[str] = field(repr=False)
    folder: Path
    search: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def is_done(self) -> bool:
        """Whether its folder holds a whole run, companions included."""
        return is_finished(self.folder)


@dataclass(frozen=True)
class Plan:
    """What a comparison will do.

    Attributes:
        dataset: name of the dataset.
        protocol: the protocol of all its runs; None is RecBole's own split.
        out: the comparison's folder.
        labels: the lines of the table.
        seeds: the seeds.
        runs: all runs, seed by seed.
        table_metrics: the option of that name.
        tuned: label -> how many options the dataset's section for its model sets.
        specs: the lines as they were given.
        given: options of all models as they were given.
    """

    dataset: str
    protocol: str | None
    out: Path
    labels: list[str]
    seeds: list[int]
    runs: list[PlannedRun]
    table_metrics: list[str] | None
    tuned: dict[str, int]
    specs: list[ModelSpec] = field(repr=False)
    given: Given = field(repr=False)

    def describe(self) -> str:
        """List the runs and what is done already."""
        done = sum(run.is_done for run in self.runs)
        lines = [
            f"{self.dataset}, protocol {self.protocol or 'none'}: {len(self.labels)} models x "
            f"{len(self.seeds)} seeds = {len(self.runs)} runs, {done} of them done; folder "
            f"{self.out}"
        ]
        lines += [f"options of {label}: {self._tuning(label)}" for label in self.labels]
        states = ("to do", "done")
        lines += [f"{states[run.is_done]:5}  {run.folder.name}" for run in self.runs]
        return "\n".join(lines)

    def _tuning(self, label: str) -> str:
        """Say in words whether a model's options were set for the dataset."""
        run = next(run for run in self.runs if run.label == label)
        if run.search:
            return f"the best of {run.search['trials']} trials"
        if n := self.tuned[label]:
            return f"set for this dataset: {n}"
        return "none to set" if run.model.rpartition(".")[2] in WITHOUT_OPTIONS else "untuned"


def make_plan(
    specs: Sequence[ModelSpec],
    dataset: str,
    seeds: Sequence[int],
    out: str | Path | None = None,
    config: Mapping[str, Any] | None = None,
    config_files: Sequence[str] = (),
    command_line: Mapping[str, str] | None = None,
    settled: Mapping[str, str] | None = None,
    warns: bool = True,
) -> Plan:
    """Resolve every model's options.

    Args:
        specs: the models.
        dataset: name of the dataset.
        seeds: the seeds.
        out: the comparison's folder; None is `runs/compare-<dataset>-<protocol>`.
        config: options of all models, from Python.
        config_files: files of options, for all models.
        command_line: options of all models, as text.
        settled: options as text that compare sets where the user does not.
        warns: whether to log what the user set without effect.

    Raises:
        InputError: everything that is wrong with any of the models, once each.
    """
    given = Given(
        dict(config or {}), list(config_files), dict(command_line or {}), dict(settled or {})
    )
    resolved = _resolve(specs, dataset, seeds[0], given)
    unread = joined(text for line in resolved.values() for text in line.config.warnings)
    for warning in unread if warns else ():
        getLogger().warning(f"warning: {warning}")
    first = next(iter(resolved.values()))
    protocol = first.protocol
    folder = Path(out) if out else Path("runs") / f"compare-{dataset}-{protocol or 'own'}"
    runs = list(_runs(specs, dataset, seeds, folder, given, resolved))
    _require_different(runs)
    return Plan(
        dataset,
        protocol,
        folder,
        [spec.label for spec in specs],
        list(seeds),
        runs,
        first.config["table_metrics"],
        {label: line.n_tuned() for label, line in resolved.items()},
        list(specs),
        given,
    )


def _resolve(
    specs: Sequence[ModelSpec], dataset: str, seed: int, given: Given
) -> dict[str, Resolved]:
    """Resolve each line's options.

    Raises:
        InputError: everything that is wrong with any of them, once each.
    """
    problems = _taken([*given.command_line, *given.config])
    resolved: dict[str, Resolved] = {}
    for spec in specs:
        problems += _taken(spec.options)
        try:
            config = given.build(spec, dataset, seed)
            if config["baselines"] or config["baseline_options"]:
                problems.append(f"baselines: {TAKEN['baselines']}.")
            protocol = chosen_protocol(config, config.layers.get("ood", ""))
            resolved[spec.label] = Resolved(config, resolve(spec.model).model_class, protocol)
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    problems += _different_protocols({label: line.protocol for label, line in resolved.items()})
    if problems:
        raise InputError(dict.fromkeys(problems))
    return resolved


def _runs(
    specs: Sequence[ModelSpec],
    dataset: str,
    seeds: Sequence[int],
    folder: Path,
    given: Given,
    resolved: Mapping[str, Resolved],
) -> Iterator[PlannedRun]:
    """Name all runs, seed by seed; where each seed has data of its own, its options are too."""
    known: dict[Path, str] = {}
    for seed in seeds:
        for position, spec in enumerate(specs):
            line = resolved[spec.label]
            config = line.config
            if SEED_IN_PATH in {**given.command_line, **spec.options}.get("data_path", ""):
                config = given.build(spec, dataset, seed)
            digest = fingerprint(config, line.model_class, seed, data_fingerprint(config, known))
            yield PlannedRun(
                spec.label,
                position,
                spec.model,
                dataset,
                seed,
                given.words(spec, seed),
                given.config,
                given.config_files,
                folder / "runs" / f"{folder_name(spec.label)}-seed{seed}-{digest}",
                spec.search,
            )


def check_baseline(baseline: str | None, specs: Sequence[ModelSpec]) -> None:
    """Make sure that the named baseline is one of the models.

    Raises:
        InputError: it is not.
    """
    labels = [spec.label for spec in specs]
    if baseline is not None and baseline not in labels:
        raise InputError(
            f"baseline: '{baseline}' is not among the models {', '.join(labels)}."
            f"{suggest(baseline, labels)}"
        )


def _require_different(runs: Sequence[PlannedRun]) -> None:
    """Make sure that no two runs would write into one folder.

    Raises:
        InputError: two lines are the same model with the same options.
    """
    labels: dict[Path, str] = {}
    for run in runs:
        if labels.setdefault(run.folder, run.label) != run.label:
            raise InputError(
                f"models: '{labels[run.folder]}' and '{run.label}' are the same run; leave one."
            )


def _taken(keys: Iterable[str]) -> list[str]:
    return [f"{key}: {TAKEN[key]}." for key in keys if key in TAKEN]


def _different_protocols(protocols: Mapping[str, str | None]) -> list[str]:
    if len(set(protocols.values())) < 2:
        return []
    named = ", ".join(f"{label}: {name or 'none'}" for label, name in protocols.items())
    return [f"ood: the models would be cut by different protocols ({named}); give --ood=NAME."]
