"""`tune`: search a model's options on validation, with Ray Tune."""

import re
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from recbole_invariant.cli.arguments import DEFAULT_DATASET, TRUE, Arguments
from recbole_invariant.errors import InputError, suggest
from recbole_invariant.options import parse_value

NUMBERS = {
    "trials": int,
    "grace_period": int,
    "reduction_factor": float,
    "search_seed": int,
    "cpus_per_trial": float,
    "gpus_per_trial": float,
    "max_concurrent": int,
}
WORDS = ("space", "searcher", "scheduler", "address", "refit", "storage", "run_name")
OWN = (*NUMBERS, *WORDS, "model", "dataset", "objective", "resume", "dry_run", "config_files")
"""All options of `tune`; others are those of its runs."""
RESUMABLE = ("trials", "address", "max_concurrent", "refit")
"""What may be given beside --resume."""


def tune(arguments: Arguments) -> int:
    """Search, and print the table of the trials and that of the refit.

    Returns:
        0 done, 1 where no trial reached its final stage.

    Raises:
        InputError: something the user gave is wrong; nothing was run then.
    """
    given = take_own(arguments)
    dry_run = parse_value(arguments.take("dry_run", "false") or "")
    if not isinstance(dry_run, bool):
        raise InputError(f"dry_run: expected true or false, not '{dry_run}'.")
    folder = arguments.take("resume")
    if folder is not None:
        return _resume(folder, given, arguments)
    model = arguments.take("model")
    if model is None:
        raise InputError("tune needs --model, e.g. tune --model PaInvRL --trials 20.")
    from recbole_invariant.tuning import search

    if "storage" not in given:
        given["storage"] = arguments.take("output_dir") or "runs"
    given.setdefault("trials", None)  # a grid then takes all its combinations
    objectives = arguments.take("objective")
    asked: dict[str, Any] = {
        **given,
        "model": model,
        "dataset": arguments.take("dataset") or DEFAULT_DATASET,
        "config_files": arguments.config_files,
        "command_line": arguments.options,
        "objectives": objectives.split(",") if objectives else (),
    }
    try:
        if dry_run:
            print(search.describe(**asked))
            return 0
        return _told(lambda: search.tune(**asked, report=_report))
    except InputError as error:
        raise InputError(_own_suggested(error.problems, arguments.options)) from error


def _own_suggested(problems: Sequence[str], names: Iterable[str]) -> list[str]:
    """Add the options of `tune` to what is suggested for options that do not exist.

    Args:
        problems: what is wrong; a run's own options are suggested in it already.
        names: the options of the command line that `tune` did not take.
    """
    from recbole_invariant.configuration.option_checks import COMMAND_LINE

    heads = [f"{COMMAND_LINE}: there is no option '{name}'." for name in names]
    found = []
    for problem in problems:
        head = next((head for head in heads if problem.startswith(head)), None)
        if head is not None:
            name, *near = re.findall("'([^']+)'", problem)
            problem = head + suggest(name, [*near, *OWN])
        found.append(problem)
    return found


def _resume(folder: str, given: dict[str, Any], arguments: Arguments) -> int:
    """Go on with a search.

    Raises:
        InputError: an option is there that the search's own plan says already.
    """
    others = [name for name in given if name not in RESUMABLE]
    others += [*arguments.options, *(["config_files"] if arguments.config_files else [])]
    if folder in ("", TRUE):
        raise InputError("--resume names no folder; give that of the search.")
    if others:
        raise InputError(
            f"tune --resume DIR goes on as the search was planned; beside it stand "
            f"--{', --'.join(RESUMABLE)}, not --{', --'.join(others)}."
            f"{''.join(suggest(name, RESUMABLE) for name in others)}"
        )
    from recbole_invariant.tuning import search

    return _told(lambda: search.resume(folder, **given, report=_report))


def take_own(
    arguments: Arguments, words: Sequence[str] = WORDS, numbers: Sequence[str] = tuple(NUMBERS)
) -> dict[str, Any]:
    """Take the options that are the search's own.

    Args:
        arguments: the command line; what is taken is removed from it.
        words: options whose values are names.
        numbers: options of `NUMBERS`.

    Raises:
        InputError: one has no value, or none that can be read; all at once.
    """
    given: dict[str, Any] = {}
    problems = []
    for name in words:
        text = arguments.take(name)
        if text in ("", TRUE):
            problems.append(f"--{name} names nothing.")
        elif text is not None:
            given[name] = text
    for name in numbers:
        text, kind = arguments.take(name), NUMBERS[name]
        if text is None:
            continue
        value = parse_value(text)
        fits = isinstance(value, int) or (kind is float and isinstance(value, float))
        if not fits or isinstance(value, bool):
            wanted = "an integer" if kind is int else "a number"
            problems.append(f"{name}: expected {wanted}, not '{text}'.")
        given[name] = value
    if problems:
        raise InputError(problems)
    return given


def _told(search: Callable[[], Any]) -> int:
    """Run a search and say where it lies; what fails in the driver itself has no log but this."""
    try:
        result = search()
    except InputError:
        raise
    except Exception:
        traceback.print_exc()
        print("tune failed: see the traceback above", file=sys.stderr)
        return 1
    print(f"search folder: {result.folder}")
    return 0 if result.summary["best"] is not None else 1


def _report(line: str) -> None:
    print(line, flush=True)
